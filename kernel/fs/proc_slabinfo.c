/*
 * /proc/slabinfo, version 2.1, slabinfo(5). Written "NAME LIMIT BATCHCOUNT SHARED", it sets the
 * tunables of a cache, if the backend has any: SLAB does.
 */
#include "base/initcall.h"
#include "fs/proc.h"
#include "lib/errno.h"
#include "lib/format.h"
#include "lib/string.h"
#include "mm/slab/backend.h"

static void show_cache(struct kmem_cache *cache, void *data)
{
	struct seq_file *m = data;
	struct slab_stats s;

	cache_stats(cache, &s);
	seq_printf(m, "%-17s %6lu %6lu %6u %4u %4u : tunables %4u %4u %4u : slabdata %6lu %6lu %6lu\n",
		   cache->name, s.active_objects, s.total_objects, cache->size,
		   s.objects_per_slab, s.pages_per_slab, s.limit, s.batchcount, s.shared,
		   s.active_slabs, s.total_slabs, s.shared_avail);
}

static int show_slabinfo(struct seq_file *m, void *data)
{
	(void)data;
	seq_puts(m, "slabinfo - version: 2.1\n# name            <active_objs> <num_objs> <objsize> "
		 "<objperslab> <pagesperslab> : tunables <limit> <batchcount> <sharedfactor> "
		 ": slabdata <active_slabs> <num_slabs> <sharedavail>\n");
	for_each_kmem_cache(show_cache, m);
	return 0;
}

/* The next word of *text, ended with a NUL; empty when there is none. */
static char *next_word(char **text)
{
	char *word = *text, *end;

	while (*word == ' ' || *word == '\n')
		word++;
	end = word;
	while (*end && *end != ' ' && *end != '\n')
		end++;
	*text = *end ? end + 1 : end;
	*end = '\0';
	return word;
}

static int write_slabinfo(const char *text, size_t n, void *data)
{
	unsigned int value[3];
	char line[128], *rest = line, *name;

	(void)data;
	if (n >= sizeof(line))
		return -EINVAL;
	strscpy(line, text, sizeof(line));
	name = next_word(&rest);
	for (unsigned int i = 0; i < ARRAY_SIZE(value); i++)
		if (kstrtouint(next_word(&rest), 10, &value[i]))
			return -EINVAL;
	if (*next_word(&rest))
		return -EINVAL;
	return kmem_cache_set_tunables(name, value[0], value[1], value[2]);
}

static int proc_slabinfo_init(void)
{
	return proc_create("slabinfo", show_slabinfo, write_slabinfo, NULL);
}
fs_initcall(proc_slabinfo_init);
