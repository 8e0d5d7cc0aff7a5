/*
 * selftest=slub with slub_debug=FZPU,victim: an object misused in each way that SLUB watches for.
 * Whoever reads the output looks for the reports, and for the names of the functions below in them.
 */
#include "test/selftest.h"
#include "mm/slab/slab.h"

static struct kmem_cache *victim;

static noinline char *victim_alloc(void)
{
	char *object = kmem_cache_alloc(victim, GFP_KERNEL);

	CHECK(object);
	return object;
}

static noinline void victim_free(char *object)
{
	kmem_cache_free(victim, object);
	barrier();			/* no tail call: the backtrace is to name this function */
}

static noinline void misuse(const char *name, void (*how)(char *object))
{
	pr_notice("selftest: %s\n", name);
	how(victim_alloc());
}

static void overflow(char *object)
{
	object[60] = 1;
	victim_free(object);
}

static void underflow(char *object)
{
	object[-1] = 1;
	victim_free(object);
}

static void double_free(char *object)
{
	victim_free(object);
	victim_free(object);
}

static void invalid_free(char *object)
{
	victim_free(object + 8);
	victim_free(object);
}

/* The object freed last is the first to be looked at again. */
static void use_after_free(char *object)
{
	victim_free(object);
	object[20] = 1;
	victim_free(victim_alloc());
}

void selftest_slub(void)
{
	victim = kmem_cache_create("victim", 60, 8, SLAB_PANIC, NULL);
	misuse("overflow", overflow);
	misuse("underflow", underflow);
	misuse("double free", double_free);
	misuse("invalid free", invalid_free);
	misuse("use after free", use_after_free);
}
