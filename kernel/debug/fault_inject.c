/* See fault_inject.h. */
#include "debug/fault_inject.h"

#if (defined(CONFIG_DEBUG) || defined(CONFIG_KASAN)) && !defined(CONFIG_ARCH_HOST)
#include "base/cmdline.h"
#include "base/initcall.h"
#include "base/preempt.h"
#include "base/printk.h"
#include "base/spinlock.h"
#include "lib/random.h"
#include "lib/string.h"

static struct fault {
	const char *name;
	long interval, probability, space, times;
	long calls;
} faults[] = {
	[FAIL_PAGE_ALLOC] = { .name = "fail_page_alloc" },
	[FAIL_SLAB] = { .name = "failslab" },
};

static DEFINE_SPINLOCK(fault_lock);	/* the numbers above and the dice; interrupts off */
static struct prng dice;

/* Is this the one that /proc/self/fail-nth names? What interrupts the thread asks for is not the thread's. */
static bool is_nth(void)
{
	unsigned int *n = fail_nth_of_current();

	return unlikely(*n) && !in_interrupt() && --*n == 0;
}

bool should_fail(enum fault_point point, size_t size, bool user)
{
	struct fault *fault = &faults[point];
	unsigned long flags;
	bool fail = false;

	if (!user)
		return false;
	if (is_nth())
		return true;
	if (likely(!READ_ONCE(fault->times)))
		return false;
	spin_lock_irqsave(&fault_lock, flags);
	if (fault->space > 0) {
		fault->space -= size;
	} else if (fault->times && ++fault->calls % fault->interval == 0 &&
		   (long)prng_below(&dice, 100) < fault->probability) {
		fault->times -= fault->times > 0;
		fail = true;
	}
	spin_unlock_irqrestore(&fault_lock, flags);
	return fail;
}

/* "a,b,c,d" into the four numbers; false: it is something else. */
static bool parse(struct fault *fault, char *text)
{
	long *const fields[] = { &fault->interval, &fault->probability, &fault->space, &fault->times };
	long values[ARRAY_SIZE(fields)];

	for (unsigned int i = 0; i < ARRAY_SIZE(fields); i++) {
		char *field = strsep(&text, ",");

		if (!field || kstrtol(field, 0, &values[i]))
			return false;
	}
	if (text || values[0] < 1 || values[1] < 0 || values[1] > 100)
		return false;
	for (unsigned int i = 0; i < ARRAY_SIZE(fields); i++)
		*fields[i] = values[i];
	return true;
}

static int fault_init(void)
{
	char text[64];

	prng_seed(&dice, cmdline_long("fail_seed", 1));
	for (unsigned int i = 0; i < ARRAY_SIZE(faults); i++)
		if (cmdline_get(faults[i].name, text, sizeof(text)) > 0 && !parse(&faults[i], text))
			pr_err("%s= is not INTERVAL,PROBABILITY,SPACE,TIMES: ignored\n", faults[i].name);
	return 0;
}
core_initcall(fault_init);
#endif
