#pragma once
#include "mm/vm/address_space.h"
#define page_mkclean(page) ((void)(page))
#define unmap_mapping_range(mapping, first, last, even_cows) ((void)(mapping))
