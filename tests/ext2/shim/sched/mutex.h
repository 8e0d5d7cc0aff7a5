/* One thread: locks only notice recursion, and nothing may have to wait. */
#pragma once

#include "lib/compiler.h"
#include "lib/atomic.h"
#include "lib/list.h"
#include "lib/errno.h"
#include "base/panic.h"
#include "base/spinlock.h"

struct thread;
static inline struct thread *current_thread(void) { return NULL; }
static inline bool fatal_signal_pending(struct thread *t) { (void)t; return false; }

struct mutex { bool held; };
#define mutex_init(l) ((l)->held = false)
#define DEFINE_MUTEX(n) struct mutex n
#define mutex_lock(l) do { BUG_ON((l)->held); (l)->held = true; } while (0)
#define mutex_unlock(l) do { BUG_ON(!(l)->held); (l)->held = false; } while (0)

struct wait_queue { int nothing; };
#define DEFINE_WAIT_QUEUE(n) struct wait_queue n
#define wait_event(wq, cond) BUG_ON(!(cond))
#define wake_up_all(wq) ((void)(wq))
#define might_sleep() ((void)0)

#define NSEC_PER_SEC	1000000000UL
u64 ktime_get_real(void);
