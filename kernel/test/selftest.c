/* Which self-test the command line asks for. */
#include "test/selftest.h"
#include "arch/arch.h"
#include "base/cmdline.h"
#include "base/initcall.h"
#include "lib/string.h"

static const struct {
	const char *name;
	void (*run)(void);
} tests[] = {
	{ "sched", selftest_sched },
	{ "block", selftest_block },
	{ "mm", selftest_mm },
	{ "wx", selftest_wx },
#ifdef CONFIG_SLAB_SLUB
	{ "slub", selftest_slub },
#endif
#if CONFIG_LAB >= 5
	{ "reclaim", selftest_reclaim },
#endif
};

static int selftest_run(void)
{
	char name[32];

	if (cmdline_get("selftest", name, sizeof(name)) <= 0)
		return 0;
	for (unsigned int i = 0; i < ARRAY_SIZE(tests); i++) {
		if (strcmp(name, tests[i].name))
			continue;
		tests[i].run();
		pr_notice("selftest: %s passed\n", name);
		printk_flush();
		arch_poweroff();
	}
	selftest_crash(name);
	selftest_sanitize(name);
	return 0;
}
late_initcall(selftest_run);
