/*
 * selftest=reclaim: pages that leave their file while reclaim has them off its lists. Needs a RAM disk,
 * ramdisk=4M. A page that is lost, or freed while it is on a list, is reported by the page allocator.
 */
#include "test/selftest.h"
#include "base/percpu.h"
#include "block/block.h"
#include "mm/cache/pagecache.h"
#include "mm/reclaim/reclaim.h"
#include "sched/timer.h"
#include "task/kthread.h"

#define PAGES	64
#define ROUNDS	300

static atomic_t isolators;
static bool enough;

static void read_pages(struct address_space *mapping)
{
	for (pgoff_t index = 0; index < PAGES; index++) {
		struct page *page = read_cache_page(mapping, index);

		CHECK(!IS_ERR(page));
		put_page(page);
	}
}

/* All that came first is at the tail: so much of a file's list that all of them are among it. */
static unsigned long isolate_all(struct list_head *pages)
{
	return isolate_lru_pages(node_lruvec(0), LRU_INACTIVE_FILE, 2 * PAGES, MAX_NR_ZONES - 1, pages, NULL);
}

static void put_back(struct list_head *pages)
{
	struct page *page, *next;

	list_for_each_entry_safe(page, next, pages, list) {
		list_del(&page->list);
		putback_lru_page(page);
	}
}

/* The reference that reclaim has is the last. */
static void truncate_isolated(struct address_space *mapping)
{
	unsigned long before = READ_ONCE(node_lruvec(0)->nr[LRU_INACTIVE_FILE]);
	LIST_HEAD(pages);

	read_pages(mapping);
	CHECK(isolate_all(&pages) >= PAGES);
	truncate_inode_pages(mapping);
	put_back(&pages);
	CHECK(node_lruvec(0)->nr[LRU_INACTIVE_FILE] == before);
}

static void isolator(void *unused)
{
	(void)unused;
	while (!READ_ONCE(enough)) {
		LIST_HEAD(pages);

		isolate_all(&pages);
		put_back(&pages);
	}
	atomic_dec(&isolators);
}

/* Either reference may be the last, on any CPU. */
static void truncate_while_isolating(struct address_space *mapping)
{
	unsigned long before = READ_ONCE(node_lruvec(0)->nr[LRU_INACTIVE_FILE]);

	atomic_set(&isolators, nr_cpus);
	for (unsigned int i = 0; i < nr_cpus; i++)
		CHECK(kthread_run(isolator, NULL, "isolator/%u", i));
	for (int round = 0; round < ROUNDS; round++) {
		read_pages(mapping);
		truncate_inode_pages(mapping);
	}
	WRITE_ONCE(enough, true);
	while (atomic_read(&isolators))
		sleep_ns(NSEC_PER_MSEC);
	CHECK(node_lruvec(0)->nr[LRU_INACTIVE_FILE] == before);
}

void selftest_reclaim(void)
{
	struct block_device *bdev = find_block_device("ram1");

	CHECK(bdev);
	truncate_isolated(bdev->mapping);
	truncate_while_isolating(bdev->mapping);
}
