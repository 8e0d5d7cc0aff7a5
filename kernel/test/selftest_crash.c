/* Failures on purpose, to see that they speak: panics, faults, overflows, broken locking rules. */
#include "test/selftest.h"
#include "arch/arch.h"
#include "base/spinlock.h"
#include "lib/string.h"
#include "mm/slab/slab.h"
#include "sched/mutex.h"
#include "sched/timer.h"
#include "task/kthread.h"

static DEFINE_SPINLOCK(lock_a);
static DEFINE_SPINLOCK(lock_b);
static DEFINE_SPINLOCK(irq_lock);
static DEFINE_MUTEX(mutex_a);
static const int constant = 1;

static void crash_panic(void)
{
	panic("selftest");
}

static void crash_null(void)
{
	volatile unsigned long address = 8;	/* the compiler need not know */

	*(volatile int *)address = 1;
}

/* Each frame is used after the call, so that no compiler makes a loop of it. */
static noinline unsigned long overflow(unsigned long n)
{
	volatile char frame[256];

	frame[n % sizeof(frame)] = n;
	return n ? overflow(n - 1) + frame[n % sizeof(frame)] : 0;
}

static void crash_stackoverflow(void)
{
	pr_info("%lu\n", overflow(1000000));
}

static void crash_writetext(void)
{
	*(volatile char *)_text = 0;
}

static void crash_writeconst(void)
{
	*(volatile int *)&constant = 2;
}

/* The same text through the direct map. */
static void crash_writealias(void)
{
	*(volatile char *)__va(__pa(_text)) = 0;
}

static void crash_execdata(void)
{
	static unsigned long data[4];

	((void (*)(void))data)();
}

static void crash_readuser(void)
{
	volatile unsigned long address = 0x10000;

	pr_info("%d\n", *(volatile int *)address);
}

static void crash_deadlock(void)
{
	spin_lock(&lock_a);
	spin_lock(&lock_a);
}

static void crash_mutexdeadlock(void)
{
	mutex_lock(&mutex_a);
	mutex_lock(&mutex_a);
}

/* DEBUG=1 reports what follows, and the kernel lives on. */
static void crash_lockorder(void)
{
	spin_lock(&lock_a);
	spin_lock(&lock_b);
	spin_unlock(&lock_b);
	spin_unlock(&lock_a);
	spin_lock(&lock_b);
	spin_lock(&lock_a);
	spin_unlock(&lock_a);
	spin_unlock(&lock_b);
}

static void take_irq_lock(struct timer *timer)
{
	(void)timer;
	spin_lock(&irq_lock);
	spin_unlock(&irq_lock);
}

static void crash_irqlock(void)
{
	struct timer timer;

	spin_lock(&irq_lock);
	spin_unlock(&irq_lock);
	timer_init(&timer, take_irq_lock);
	timer_start(&timer, ktime_get());
	msleep(10);
	timer_cancel(&timer);
}

static void crash_sleepatomic(void)
{
	spin_lock(&lock_a);
	might_sleep();
	spin_unlock(&lock_a);
}

static void crash_doublefree(void)
{
	void *object = kmalloc(60, GFP_KERNEL);

	kfree(object);
	kfree(object);
	barrier();		/* no tail call: the backtrace names this function */
}

/* A lock held too long by another CPU: reported, then the wait goes on. */
static void hold_long(void *started)
{
	u64 end = arch_clock_ns() + 12 * NSEC_PER_SEC;

	spin_lock(&lock_a);
	WRITE_ONCE(*(bool *)started, true);
	while (arch_clock_ns() < end)
		cpu_relax();
	spin_unlock(&lock_a);
}

static void crash_stuckspin(void)
{
	bool started = false;

	kthread_run(hold_long, &started, "holder");
	while (!READ_ONCE(started))
		msleep(1);
	spin_lock(&lock_a);
	spin_unlock(&lock_a);
}

static void *fault_in_hook(char *buf, size_t size)
{
	(void)buf;
	(void)size;
	crash_null();
	return NULL;
}

static void crash_panicpanic(void)
{
	panic_thread_hook = fault_in_hook;
	panic("selftest");
}

static const struct {
	const char *name;
	void (*crash)(void);
} crashes[] = {
	{ "panic", crash_panic },		{ "null", crash_null },
	{ "stackoverflow", crash_stackoverflow }, { "writetext", crash_writetext },
	{ "writeconst", crash_writeconst },	{ "writealias", crash_writealias },
	{ "execdata", crash_execdata },		{ "readuser", crash_readuser },
	{ "deadlock", crash_deadlock },		{ "mutexdeadlock", crash_mutexdeadlock },
	{ "lockorder", crash_lockorder },	{ "irqlock", crash_irqlock },
	{ "sleepatomic", crash_sleepatomic },	{ "stuckspin", crash_stuckspin },
	{ "panicpanic", crash_panicpanic },	{ "doublefree", crash_doublefree },
};

void selftest_crash(const char *name)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(crashes); i++) {
		if (strcmp(crashes[i].name, name) != 0)
			continue;
		crashes[i].crash();
		pr_notice("selftest: survived %s\n", name);
		printk_flush();
		arch_poweroff();
	}
}
