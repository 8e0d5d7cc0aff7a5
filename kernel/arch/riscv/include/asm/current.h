/* The running thread: register tp, always, while in the kernel. */
#pragma once

#include "arch/thread_head.h"

register struct thread_head *riscv_current_tp __asm__("tp");

static __always_inline struct thread_head *current_head(void)
{
	return riscv_current_tp;
}

static __always_inline void set_current_head(struct thread_head *t)
{
	__asm__ __volatile__("mv tp, %0" : : "r"(t) : "memory");
}
