/*
 * Zones and nodes: the given part. What page_init() fills in lives here, and so do the watermarks.
 *
 * The watermarks of a zone are three numbers of free pages:
 *
 *	high	enough: background reclaim stops here
 *	low	an allocation that would go below wakes background reclaim
 *	min	the reserve: only urgent requests (__GFP_HIGH), and those that will free memory by
 *		running (__GFP_MEMALLOC), may go below
 *
 * The reserve grows with the square root of memory, because what it protects (interrupts, and the
 * reclaim of one page at a time) grows with the machine, but slower than its memory.
 */
#include "mm/phys/zone.h"
#include "lib/math.h"

struct pglist_data node_data[MAX_NUMNODES];
unsigned int nr_nodes = 1;
unsigned int min_free_kbytes, watermark_scale_factor = 10;

static unsigned long all_managed_pages(void)
{
	unsigned long total = 0;
	struct zone *zone;

	for_each_zone(zone)
		total += zone->managed_pages;
	return total;
}

void zone_update_watermarks(void)
{
	unsigned long total = all_managed_pages(), reserve = min_free_kbytes / (PAGE_SIZE / 1024);
	struct zone *zone;

	for_each_zone(zone) {
		unsigned long part = max(reserve * zone->managed_pages / total, 4UL);
		unsigned long step = max(part / 4, zone->managed_pages * watermark_scale_factor / 10000);

		WRITE_ONCE(zone->watermark[WMARK_MIN], part);
		WRITE_ONCE(zone->watermark[WMARK_LOW], part + step);
		WRITE_ONCE(zone->watermark[WMARK_HIGH], part + 2 * step);
	}
}

void zone_init_watermarks(void)
{
	unsigned long kib = all_managed_pages() * (PAGE_SIZE / 1024);

	/* sqrt(16 * KiB of memory) KiB: 1 MiB of 64 MiB, 2 MiB of 256 MiB; between 128 KiB and
	 * 256 MiB. */
	min_free_kbytes = clamp(int_sqrt(kib * 16), 128UL, 262144UL);
	zone_update_watermarks();
}
