#pragma once
#include "mm/phys/gfp.h"
#include "mm/phys/page.h"
struct page *alloc_page(gfp_t gfp);
unsigned long totalram_pages(void);
