/* Runs the initcalls, which the linker script put in order of their levels. */
#include "base/initcall.h"
#include "base/printk.h"

void do_initcalls(void)
{
	for (const initcall_t *call = __initcall_start; call < __initcall_end; call++) {
		int err = (*call)();

		if (err)
			pr_warn("initcall %ps failed: error %d\n", (void *)*call, err);
	}
}
