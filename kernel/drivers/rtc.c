/* Real-time clocks, read once at boot. Times are UTC. */
#include "arch/arch.h"
#include "asm/io.h"
#include "base/initcall.h"
#include "base/printk.h"
#include "lib/errno.h"
#include "lib/fdt.h"
#include "mm/vm/vmalloc.h"
#include "sched/timer.h"

#define GOLDFISH_TIME_LOW	0x00	/* nanoseconds; reading this latches the other half */
#define GOLDFISH_TIME_HIGH	0x04
#define PL031_DATA		0x00	/* seconds */

static u64 goldfish_read(void *regs)
{
	u64 low = readl((char *)regs + GOLDFISH_TIME_LOW);

	return (u64)readl((char *)regs + GOLDFISH_TIME_HIGH) << 32 | low;
}

static u64 pl031_read(void *regs)
{
	return readl((char *)regs + PL031_DATA) * NSEC_PER_SEC;
}

static const struct rtc_type {
	const char *compatible;
	u64 (*read)(void *regs);
} rtc_types[] = {
	{ "google,goldfish-rtc", goldfish_read },
	{ "arm,pl031", pl031_read },
};

static int rtc_probe(const struct rtc_type *type, int node)
{
	u64 addr, size;
	void *regs;

	if (fdt_get_reg(arch_fdt(), node, 0, &addr, &size))
		return -EINVAL;
	regs = ioremap(addr, size);
	if (!regs)
		return -ENOMEM;
	ktime_set_real(type->read(regs));
	iounmap(regs);
	pr_info("rtc: %s, %lu s since 1970\n", type->compatible, ktime_get_real() / NSEC_PER_SEC);
	return 0;
}

static int rtc_init(void)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(rtc_types); i++) {
		int node = fdt_next_compatible(arch_fdt(), -1, rtc_types[i].compatible);

		if (node >= 0)
			return rtc_probe(&rtc_types[i], node);
	}
	return 0;
}
driver_initcall(rtc_init);
