/* The numbers of /proc/sys/vm that only a kernel with reclaim and an OOM killer has. */
#include "base/initcall.h"
#include "fs/proc_sysctl.h"
#include "mm/reclaim/oom.h"
#include "mm/reclaim/reclaim.h"

static struct sysctl numbers[] = {
	{ "sys/vm/panic_on_oom", &sysctl_panic_on_oom, 0, 2, NULL },
	{ "sys/vm/swappiness", &vm_swappiness, 0, 200, NULL },
};

static int proc_reclaim_init(void)
{
	sysctl_register(numbers, ARRAY_SIZE(numbers));
	return 0;
}
fs_initcall(proc_reclaim_init);
