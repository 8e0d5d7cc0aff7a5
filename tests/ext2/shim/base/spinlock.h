#pragma once
#include "lib/compiler.h"
#include "lib/atomic.h"
typedef struct { int nothing; } spinlock_t;
#define DEFINE_SPINLOCK(n) spinlock_t n
#define spin_lock_init(l) ((void)(l))
#define spin_lock(l) ((void)(l))
#define spin_trylock(l) ((void)(l), true)
#define spin_unlock(l) ((void)(l))
#define spin_lock_irqsave(l, f) ((void)(l), (f) = 0)
#define spin_unlock_irqrestore(l, f) ((void)(l), (void)(f))
