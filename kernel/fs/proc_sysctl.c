/* The numbers of /proc/sys/vm that every stage has. */
#include "base/initcall.h"
#include "fs/proc.h"
#include "fs/proc_sysctl.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/cache/writeback.h"
#include "mm/phys/page_alloc.h"
#include "mm/reclaim/shrinker.h"
#include "mm/vm/commit.h"
#include "sched/mutex.h"

static DEFINE_MUTEX(sysctl_mutex);	/* one change at a time, with what follows from it */

static int show_number(struct seq_file *m, void *data)
{
	const struct sysctl *s = data;

	seq_printf(m, "%u\n", READ_ONCE(*s->value));
	return 0;
}

static int set_number(const char *text, size_t n, void *data)
{
	const struct sysctl *s = data;
	unsigned int value;
	int err = kstrtouint(text, 10, &value);

	(void)n;
	if (err)
		return err == -ERANGE ? -EINVAL : err;
	if (value < s->min || value > s->max)
		return -EINVAL;
	mutex_lock(&sysctl_mutex);
	WRITE_ONCE(*s->value, value);
	if (s->changed)
		s->changed();
	mutex_unlock(&sysctl_mutex);
	return 0;
}

void sysctl_register(struct sysctl *table, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		proc_create(table[i].path, show_number, set_number, &table[i]);
}

static struct sysctl numbers[] = {
	{ "sys/vm/dirty_background_ratio", &dirty_background_ratio, 0, 100, NULL },
	{ "sys/vm/dirty_ratio", &dirty_ratio, 0, 100, NULL },
	{ "sys/vm/min_free_kbytes", &min_free_kbytes, 0, 0, zone_update_watermarks },
	{ "sys/vm/overcommit_memory", &overcommit_memory, 0, 2, NULL },
	{ "sys/vm/overcommit_ratio", &overcommit_ratio, 0, ~0U / 2, NULL },
	{ "sys/vm/vfs_cache_pressure", &vfs_cache_pressure, 0, ~0U / 2, NULL },
	{ "sys/vm/watermark_scale_factor", &watermark_scale_factor, 1, 1000, zone_update_watermarks },
};

/* A reserve of more than a quarter of the memory would only stop the machine. */
static int proc_sysctl_init(void)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(numbers); i++)
		if (numbers[i].value == &min_free_kbytes)
			numbers[i].max = max(totalram_pages() / 4 * (PAGE_SIZE / 1024), (unsigned long)min_free_kbytes);
	sysctl_register(numbers, ARRAY_SIZE(numbers));
	return 0;
}
fs_initcall(proc_sysctl_init);
