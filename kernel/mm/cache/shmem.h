/* Memory shared by several processes but with no file behind it: MAP_SHARED | MAP_ANONYMOUS. */
#pragma once

#include "mm/vm/address_space.h"

/*
 * An object of @size bytes, all zero, with one reference (drop it with ops->put); NULL: no memory.
 */
struct address_space *shmem_create(size_t size);
