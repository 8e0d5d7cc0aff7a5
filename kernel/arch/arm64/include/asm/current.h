/*
 * current lives in tpidr_el1, in the kernel and in user mode alike: user mode cannot reach that
 * register, so a trap finds it in place. (sp_el0, where Linux keeps it, is the user's stack pointer
 * and would have to be saved and reloaded at each trap.)
 */
#pragma once

struct thread_head;

/* Not volatile: for the code that runs in a thread it is a constant. */
static inline struct thread_head *current_head(void)
{
	struct thread_head *t;

	__asm__("mrs %0, tpidr_el1" : "=r"(t));
	return t;
}

static inline void set_current_head(struct thread_head *t)
{
	__asm__ __volatile__("msr tpidr_el1, %0" : : "r"(t) : "memory");
}
