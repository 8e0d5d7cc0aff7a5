/* Bugs on purpose, one of each kind that KASAN=1 or UBSAN=1 finds; the kernel lives on. */
#include "test/selftest.h"
#include "arch/arch.h"
#include "lib/string.h"
#include "mm/phys/page_alloc.h"
#include "mm/slab/slab.h"
#include "mm/vm/vmalloc.h"

/* The compiler must not see through the pointers, nor drop what it thinks is of no use. */
#define hide(x) ({ __typeof__(x) _h = (x); __asm__ __volatile__("" : "+r"(_h)); _h; })

static char global[13];

static noinline void write_byte(volatile char *p)
{
	*p = 1;
}

static void kasan_uaf(void)
{
	char *p = kmalloc(64, GFP_KERNEL);

	kfree(p);
	write_byte(hide(p) + 5);
}

static void kasan_oob(void)
{
	char *p = kmalloc(61, GFP_KERNEL);

	write_byte(hide(p) + 61);
	kfree(p);
}

static void kasan_oob_memset(void)
{
	char *p = kmalloc(64, GFP_KERNEL);

	memset(hide(p), 0, 65);
	kfree(p);
}

static void kasan_double_free(void)
{
	char *p = kmalloc(64, GFP_KERNEL);

	kfree(p);
	kfree(hide(p));
}

static void kasan_invalid_free(void)
{
	char *p = kmalloc(64, GFP_KERNEL);

	kfree(hide(p) + 8);
	kfree(p);
}

static void kasan_stack(void)
{
	char buf[13];

	hide(&buf[0])[0] = 0;
	write_byte(hide(&buf[0]) + 13);
}

static void kasan_global(void)
{
	write_byte(hide(&global[0]) + 13);
}

static void kasan_page_uaf(void)
{
	struct page *page = alloc_page(GFP_KERNEL);
	char *p = page_address(page);

	__free_page(page);
	write_byte(hide(p));
}

static void kasan_cache_uaf(void)
{
	struct kmem_cache *cache = kmem_cache_create("victim", 200, 8, 0, NULL);
	char *p = kmem_cache_alloc(cache, GFP_KERNEL);

	kmem_cache_free(cache, p);
	write_byte(hide(p) + 199);
}

/* Nothing of this is wrong. */
static void kasan_quiet(void)
{
	char *p = kmalloc(10, GFP_KERNEL), *q = vmalloc(100, GFP_KERNEL);

	memset(p, 1, 10);
	p = krealloc(p, 100, GFP_KERNEL);
	memset(p, 2, 100);
	memset(q, 3, PAGE_SIZE);
	vfree(q);
	kfree(p);
	kfree(kmalloc(hide(0), GFP_KERNEL));
	q = kmalloc(3 * PAGE_SIZE, GFP_KERNEL | __GFP_NOWARN);
	if (q)
		memset(q, 4, 3 * PAGE_SIZE);
	kfree(q);
}

static void ubsan_shift(void)
{
	int n = hide(40);

	pr_info("%d\n", 1 << n);
}

static void ubsan_bounds(void)
{
	static int numbers[4];

	pr_info("%d\n", numbers[hide(4) & 7]);
}

static void ubsan_divide(void)
{
	pr_info("%d\n", 1 / hide(0));
}

static void ubsan_bool(void)
{
	static unsigned char byte = 7;

	pr_info("%d\n", *hide((bool *)&byte));
}

void selftest_sanitize(const char *name)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} bugs[] = {
		{ "kasan-uaf", kasan_uaf },		{ "kasan-oob", kasan_oob },
		{ "kasan-oob-memset", kasan_oob_memset }, { "kasan-double-free", kasan_double_free },
		{ "kasan-invalid-free", kasan_invalid_free }, { "kasan-stack", kasan_stack },
		{ "kasan-global", kasan_global },	{ "kasan-page-uaf", kasan_page_uaf },
		{ "kasan-cache-uaf", kasan_cache_uaf },	{ "kasan-quiet", kasan_quiet },
		{ "ubsan-shift", ubsan_shift },		{ "ubsan-bounds", ubsan_bounds },
		{ "ubsan-divide", ubsan_divide },	{ "ubsan-bool", ubsan_bool },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(bugs); i++) {
		if (strcmp(name, bugs[i].name))
			continue;
		bugs[i].run();
		pr_notice("selftest: survived %s\n", name);
		printk_flush();
		arch_poweroff();
	}
}
