/*
 * hold=SIZE: takes so much memory from the page allocator, for good, before the root is mounted. So
 * one finds out how little would do: machines cannot be made as small as that, since what loads
 * the kernel wants some room, too.
 */
#include "base/cmdline.h"
#include "base/initcall.h"
#include "base/panic.h"
#include "mm/phys/page_alloc.h"
#include "mm/phys/zone.h"

static int hold_init(void)
{
	long size = cmdline_long("hold", 0);

	for (long held = 0; held < size; held += PAGE_SIZE) {
		struct page *page = alloc_page(GFP_KERNEL);

		if (!page)
			panic("hold: only %ld KiB", held >> 10);
		/* As if it had never been: a small zone has a small reserve. Nobody else runs yet. */
		page_zone(page)->managed_pages--;
		zone_init_watermarks();
	}
	return 0;
}
late_initcall(hold_init);
