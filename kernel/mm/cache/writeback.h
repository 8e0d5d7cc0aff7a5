/* Write-back: knobs and errors. */
#pragma once

#include "mm/vm/address_space.h"

extern unsigned int dirty_ratio, dirty_background_ratio;	/* percent of RAM */
extern void (*flusher_wake_hook)(void);	/* fs/writeback.c: starts writing; any thread */
/* Remembers an I/O error until the next fsync reports it (once). Any context. */
void mapping_set_error(struct address_space *mapping, int err);
int filemap_check_errors(struct address_space *mapping);
void filemap_wait_some(struct address_space *mapping);
