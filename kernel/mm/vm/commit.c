/* Promises of memory: see commit.h. */
#include "mm/vm/commit.h"
#include "lib/atomic.h"
#include "mm/phys/page_alloc.h"
#include "mm/vm/swapmap.h"

unsigned int overcommit_memory = OVERCOMMIT_GUESS;
unsigned int overcommit_ratio = 50;

static atomic_long_t committed;

unsigned long vm_commit_limit(void)
{
	return totalram_pages() * READ_ONCE(overcommit_ratio) / 100 + total_swap_pages();
}

unsigned long vm_committed(void)
{
	return max(atomic_read(&committed), 0L);
}

bool vm_may_commit(unsigned long pages)
{
	switch (READ_ONCE(overcommit_memory)) {
	case OVERCOMMIT_ALWAYS:
		return true;
	case OVERCOMMIT_GUESS:
		return pages <= totalram_pages() + total_swap_pages();
	default:
		return pages <= vm_commit_limit() && vm_committed() <= vm_commit_limit() - pages;
	}
}

void vm_commit(long pages)
{
	atomic_add(pages, &committed);
}
