/*
 * The maps of the swap areas: see swapmap.h.
 *
 * Slots are given out in rising order from where the last was found, so that pages that were written one
 * after the other lie side by side, and come back that way.
 */
#include "mm/vm/swapmap.h"
#include "base/panic.h"
#include "base/spinlock.h"
#include "lib/errno.h"

struct swap_area swap_areas[MAX_SWAPFILES];
void (*swap_orphan_hook)(swp_entry_t entry);

/* As Linux counts: the first that comes without a priority has -2, the next -3. */
static int least_prio = -1;

static DEFINE_SPINLOCK(swap_lock);		/* every map; irq-safe, as writes end in interrupts */

/* The number of @entry's slot, or NULL when no such slot exists; swap_lock held. */
static u16 *slot_of(swp_entry_t entry)
{
	struct swap_area *area;

	if (swp_type(entry) >= MAX_SWAPFILES)
		return NULL;
	area = &swap_areas[swp_type(entry)];
	if (!area->active || !swp_offset(entry) || swp_offset(entry) >= area->max)
		return NULL;
	return &area->map[swp_offset(entry)];
}

static bool retired(const struct swap_area *area, pgoff_t offset)
{
	return area->retire[offset / 8] & BIT(offset % 8);
}

int swap_area_add(const struct swap_area *new)
{
	unsigned long flags;
	int type = -EPERM;

	spin_lock_irqsave(&swap_lock, flags);
	for (unsigned int i = 0; i < MAX_SWAPFILES && type < 0; i++)
		if (!swap_areas[i].active)
			type = i;
	if (type >= 0) {
		swap_areas[type] = *new;
		if (new->prio < 0)
			swap_areas[type].prio = --least_prio;
		swap_areas[type].next = 1;
		swap_areas[type].active = swap_areas[type].writeok = true;
	}
	spin_unlock_irqrestore(&swap_lock, flags);
	return type;
}

void swap_area_set_writeok(unsigned int type, bool writeok)
{
	unsigned long flags;

	spin_lock_irqsave(&swap_lock, flags);
	swap_areas[type].writeok = writeok;
	spin_unlock_irqrestore(&swap_lock, flags);
}

/* An area of this priority has gone: those that came after it move up, so that none is ever skipped. */
static void close_up(int prio)
{
	if (prio >= 0)
		return;
	for (unsigned int i = 0; i < MAX_SWAPFILES; i++)
		if (swap_areas[i].active && swap_areas[i].prio < prio)
			swap_areas[i].prio++;
	least_prio++;
}

int swap_area_del(unsigned int type)
{
	unsigned long flags;
	int err = -EBUSY;

	spin_lock_irqsave(&swap_lock, flags);
	if (!swap_areas[type].inuse) {
		swap_areas[type].active = swap_areas[type].writeok = false;
		close_up(swap_areas[type].prio);
		err = 0;
	}
	spin_unlock_irqrestore(&swap_lock, flags);
	return err;
}

/* The first free slot in [from, to) of @area, or 0. */
static pgoff_t find_free(const struct swap_area *area, pgoff_t from, pgoff_t to)
{
	for (; from < to; from++)
		if (!area->map[from])
			return from;
	return 0;
}

static struct swap_area *best_area(void)
{
	struct swap_area *best = NULL;

	for (unsigned int i = 0; i < MAX_SWAPFILES; i++) {
		struct swap_area *area = &swap_areas[i];

		if (area->active && area->writeok && area->inuse < area->pages &&
		    (!best || area->prio > best->prio))
			best = area;
	}
	return best;
}

swp_entry_t get_swap_slot(void)
{
	swp_entry_t entry = { 0 };
	struct swap_area *area;
	unsigned long flags;

	spin_lock_irqsave(&swap_lock, flags);
	area = best_area();
	if (area) {
		pgoff_t offset = find_free(area, area->next, area->max);

		if (!offset)
			offset = find_free(area, 1, area->next);
		BUG_ON(!offset);
		area->map[offset] = SWAP_HAS_CACHE;
		area->inuse++;
		area->next = offset + 1;
		entry = swp_entry(area - swap_areas, offset);
	}
	spin_unlock_irqrestore(&swap_lock, flags);
	return entry;
}

int swap_duplicate(swp_entry_t entry)
{
	unsigned long flags;
	int err = 0;
	u16 *slot;

	spin_lock_irqsave(&swap_lock, flags);
	slot = slot_of(entry);
	if (!slot || !*slot || *slot == SWAP_MAP_BAD)
		err = -EINVAL;
	else if ((*slot & ~SWAP_HAS_CACHE) == SWAP_MAP_MAX)
		err = -ENOMEM;
	else
		++*slot;
	spin_unlock_irqrestore(&swap_lock, flags);
	return err;
}

/* The slot's number has changed; is it free now? */
static void maybe_free(swp_entry_t entry, u16 *slot)
{
	struct swap_area *area = &swap_areas[swp_type(entry)];

	if (*slot)
		return;
	area->inuse--;
	if (retired(area, swp_offset(entry))) {
		*slot = SWAP_MAP_BAD;
		area->pages--;
	}
}

void swap_free(swp_entry_t entry)
{
	bool orphan = false;
	unsigned long flags;
	u16 *slot;

	spin_lock_irqsave(&swap_lock, flags);
	slot = slot_of(entry);
	if (WARN_ON_ONCE(!slot || !(*slot & ~SWAP_HAS_CACHE) || *slot == SWAP_MAP_BAD)) {
		spin_unlock_irqrestore(&swap_lock, flags);
		return;
	}
	--*slot;
	orphan = *slot == SWAP_HAS_CACHE;
	maybe_free(entry, slot);
	spin_unlock_irqrestore(&swap_lock, flags);
	if (orphan && swap_orphan_hook)
		swap_orphan_hook(entry);
}

int swapcache_prepare(swp_entry_t entry)
{
	unsigned long flags;
	int err = 0;
	u16 *slot;

	spin_lock_irqsave(&swap_lock, flags);
	slot = slot_of(entry);
	if (!slot || !*slot || *slot == SWAP_MAP_BAD)
		err = -ENOENT;
	else if (*slot & SWAP_HAS_CACHE)
		err = -EEXIST;
	else
		*slot |= SWAP_HAS_CACHE;
	spin_unlock_irqrestore(&swap_lock, flags);
	return err;
}

void swapcache_free(swp_entry_t entry)
{
	unsigned long flags;
	u16 *slot;

	spin_lock_irqsave(&swap_lock, flags);
	slot = slot_of(entry);
	if (!WARN_ON_ONCE(!slot || !(*slot & SWAP_HAS_CACHE))) {
		*slot &= ~SWAP_HAS_CACHE;
		maybe_free(entry, slot);
	}
	spin_unlock_irqrestore(&swap_lock, flags);
}

unsigned int swap_count(swp_entry_t entry)
{
	unsigned long flags;
	unsigned int n;
	u16 *slot;

	spin_lock_irqsave(&swap_lock, flags);
	slot = slot_of(entry);
	n = slot && *slot != SWAP_MAP_BAD ? *slot & ~SWAP_HAS_CACHE : 0;
	spin_unlock_irqrestore(&swap_lock, flags);
	return n;
}

void swap_retire(swp_entry_t entry)
{
	struct swap_area *area = &swap_areas[swp_type(entry)];
	unsigned long flags;

	spin_lock_irqsave(&swap_lock, flags);
	if (slot_of(entry))
		area->retire[swp_offset(entry) / 8] |= BIT(swp_offset(entry) % 8);
	spin_unlock_irqrestore(&swap_lock, flags);
}

unsigned long total_swap_pages(void)
{
	unsigned long pages = 0;

	for (unsigned int i = 0; i < MAX_SWAPFILES; i++)
		if (READ_ONCE(swap_areas[i].active))
			pages += READ_ONCE(swap_areas[i].pages);
	return pages;
}

unsigned long nr_swap_pages(void)
{
	unsigned long pages = 0;

	for (unsigned int i = 0; i < MAX_SWAPFILES; i++)
		if (READ_ONCE(swap_areas[i].writeok))
			pages += READ_ONCE(swap_areas[i].pages) - READ_ONCE(swap_areas[i].inuse);
	return pages;
}
