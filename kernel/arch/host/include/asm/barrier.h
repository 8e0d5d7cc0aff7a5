/* Barriers by way of the compiler. */
#pragma once

#define cpu_relax()	__asm__ __volatile__("" : : : "memory")
#define mb()		__atomic_thread_fence(__ATOMIC_SEQ_CST)
#define rmb()		__atomic_thread_fence(__ATOMIC_ACQUIRE)
#define wmb()		__atomic_thread_fence(__ATOMIC_RELEASE)
#define io_mb()		mb()
