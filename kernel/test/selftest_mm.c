/*
 * selftest=mm: page allocator, kmalloc and vmalloc used at random by a thread per CPU, and to the
 * last page; nothing may overlap, leak, or be unguarded.
 */
#include "test/selftest.h"
#include "base/percpu.h"
#include "lib/random.h"
#include "lib/string.h"
#include "mm/phys/page_alloc.h"
#include "mm/phys/vmstat.h"
#include "mm/slab/slab.h"
#include "mm/vm/pgtable.h"
#include "mm/vm/vmalloc.h"
#include "sched/timer.h"
#include "task/kthread.h"

#define STEPS		3000
#define NR_BUFFERS	48
#define MAX_SIZE	20000

struct buffer {
	unsigned char *p;
	size_t size;
	unsigned char tag;
};

static atomic_t workers;

static bool is_mapped(unsigned long va)
{
	pte_t *slot = pgtable_walk(kernel_root, va, 0, NULL, NULL);

	return slot && pte_present(*slot);
}

/* Sizes that kmalloc can serve come from kmalloc. */
static void buffer_get(struct buffer *b, struct prng *rng)
{
	gfp_t gfp = GFP_KERNEL | (prng_below(rng, 2) ? __GFP_ZERO : 0);

	b->size = 1 + prng_below(rng, prng_below(rng, 2) ? 300 : MAX_SIZE);
	b->tag = prng_next(rng);
	b->p = b->size > PAGE_SIZE ? vmalloc(b->size, gfp) : kmalloc(b->size, gfp);
	CHECK(b->p);
	if (gfp & __GFP_ZERO)
		CHECK(!memchr_inv(b->p, 0, b->size));
	if (b->size > PAGE_SIZE) {
		CHECK(!is_mapped((unsigned long)b->p - 1));
		CHECK(!is_mapped((unsigned long)b->p + PAGE_ALIGN(b->size)));
		CHECK(vmalloc_to_page(b->p + b->size - 1));
	} else {
		CHECK(ksize(b->p) >= b->size);
	}
	memset(b->p, b->tag, b->size);
}

static void buffer_put(struct buffer *b)
{
	CHECK(!memchr_inv(b->p, b->tag, b->size));
	if (b->size > PAGE_SIZE)
		vfree(b->p);
	else
		kfree(b->p);
	b->p = NULL;
}

static void worker(void *arg)
{
	struct buffer buffers[NR_BUFFERS] = { { NULL, 0, 0 } };
	struct prng rng;

	prng_seed(&rng, (unsigned long)arg);
	for (int i = 0; i < STEPS; i++) {
		struct buffer *b = &buffers[prng_below(&rng, NR_BUFFERS)];

		if (b->p)
			buffer_put(b);
		else
			buffer_get(b, &rng);
	}
	for (int i = 0; i < NR_BUFFERS; i++)
		if (buffers[i].p)
			buffer_put(&buffers[i]);
	atomic_dec(&workers);
}

static void run_workers(void)
{
	atomic_set(&workers, nr_cpus);
	for (unsigned long i = 0; i < nr_cpus; i++)
		CHECK(kthread_run(worker, (void *)(i + 1), "mm/%lu", i));
	while (atomic_read(&workers))
		msleep(1);
	msleep(20);			/* their stacks are given back */
	vm_unmap_aliases();
}

/* Everything that can be had without waiting, and back. */
static void take_all(void)
{
	gfp_t gfp = __GFP_MEMALLOC | __GFP_NOWARN;
	unsigned long n = 0, had;
	void **object, **objects = NULL;
	struct page *page, *next;
	LIST_HEAD(pages);

	drain_all_pages();		/* what lies on another CPU's lists cannot be had */
	had = nr_free_pages();
	while ((page = alloc_page(gfp))) {
		list_add(&page->list, &pages);
		n++;
	}
	while ((object = kmalloc(100, gfp))) {	/* what its cache still has */
		*object = objects;
		objects = object;
	}
	CHECK(!vmalloc(100, gfp));
	while ((object = objects)) {
		objects = *object;
		kfree(object);
	}
	list_for_each_entry_safe(page, next, &pages, list)
		__free_page(page);
	CHECK(n <= had + 64 && n + 64 >= had);	/* others may have taken or freed some */
	CHECK(nr_free_pages() + 64 >= had);
}

static void growing(void)
{
	char *s = kstrdup("grows", GFP_KERNEL);

	for (size_t size = 16; size <= PAGE_SIZE; size *= 2) {
		s = krealloc(s, size, GFP_KERNEL);
		CHECK(s && !strcmp(s, "grows"));
	}
	kfree(s);
	CHECK(!kmalloc_array(~0UL / 4, 8, GFP_KERNEL));
	CHECK(!vmalloc(~0UL, GFP_KERNEL));
}

void selftest_mm(void)
{
	unsigned long before, after;

	run_workers();			/* tables and cached stacks are there afterwards */
	before = nr_free_pages();
	run_workers();
	after = nr_free_pages();
	pr_info("mm: %lu pages free before, %lu after; %lu in page tables\n", before, after,
		vm_stat_read(NR_PAGETABLE));
	CHECK(after + 8 >= before && after <= before + 64);
	CHECK(vm_stat_read(NR_VMALLOC) < 1000);
	growing();
	take_all();
}
