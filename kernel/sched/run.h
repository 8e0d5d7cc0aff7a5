/* Between the files of sched/. */
#pragma once

#include "sched/thread.h"

/* Second half of every switch: the thread that was left is off its CPU, the run queue unlocked.
 * Interrupts off. */
void sched_finish_switch(void);
/* Takes a dead thread off thread_list. */
void thread_forget(struct thread *t);
/* A thread died and is off its stack; reap.c releases it. Interrupts off, no lock held. */
void sched_bury(struct thread *t);
