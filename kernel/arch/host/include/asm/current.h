/* current: each host thread has its own, set by host_cpu_enter(). */
#pragma once

#include "arch/thread_head.h"

extern __thread struct thread_head *host_current;

static inline struct thread_head *current_head(void)
{
	return host_current;
}

static inline void set_current_head(struct thread_head *head)
{
	host_current = head;
}
