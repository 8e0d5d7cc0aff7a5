/* Allocation flags: where the memory may come from and what the allocator may do to get it. */
#pragma once

#include "lib/compiler.h"

#define __GFP_DMA32	BIT(0)	/* only below 4 GiB */
#define __GFP_ZERO	BIT(1)	/* filled with zero bytes */
#define __GFP_THISNODE	BIT(2)	/* from the node asked for or not at all */
#define __GFP_HIGH	BIT(15)	/* urgent: may go below the min watermark by half */
#define __GFP_ATOMIC	BIT(3)	/* the caller cannot sleep */
#define __GFP_DIRECT_RECLAIM BIT(4)	/* may reclaim, hence sleep */
#define __GFP_KSWAPD_RECLAIM BIT(5)	/* may wake kswapd */
#define __GFP_IO	BIT(6)	/* reclaim may start I/O */
#define __GFP_FS	BIT(7)	/* reclaim may call into a filesystem */
#define __GFP_NOWARN	BIT(8)	/* failure is expected: say nothing */
#define __GFP_NORETRY	BIT(9)	/* one round of reclaim, no OOM killer */
#define __GFP_NOFAIL	BIT(10)	/* try until it works; order 0 only */
#define __GFP_MEMALLOC	BIT(11)	/* may use all reserves */
#define __GFP_NOMEMALLOC BIT(12)
#define __GFP_MOVABLE	BIT(13)	/* user and page-cache pages: found through rmap */
#define __GFP_RECLAIMABLE BIT(14)
#define __GFP_COMP	BIT(16)
#define __GFP_HARDWALL	BIT(17)

#define __GFP_RECLAIM	(__GFP_DIRECT_RECLAIM | __GFP_KSWAPD_RECLAIM)
#define GFP_ATOMIC	(__GFP_HIGH | __GFP_ATOMIC | __GFP_KSWAPD_RECLAIM)
#define GFP_NOWAIT	(__GFP_KSWAPD_RECLAIM)
#define GFP_NOIO	(__GFP_RECLAIM)
#define GFP_NOFS	(__GFP_RECLAIM | __GFP_IO)
#define GFP_KERNEL	(__GFP_RECLAIM | __GFP_IO | __GFP_FS)
#define GFP_USER	(GFP_KERNEL | __GFP_HARDWALL)
#define GFP_USER_MOVABLE (GFP_USER | __GFP_MOVABLE)
#define GFP_DMA32	(GFP_KERNEL | __GFP_DMA32)
