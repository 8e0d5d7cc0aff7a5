/* Counters of memory by use, for /proc/meminfo and /proc/vmstat. Per-CPU, summed when read. */
#pragma once

#include "base/percpu.h"
#include "asm/irqflags.h"

enum vm_stat_item {
	NR_ANON_MAPPED, NR_FILE_MAPPED, NR_FILE_PAGES, NR_FILE_DIRTY, NR_WRITEBACK, NR_SHMEM,
	NR_SLAB_RECLAIMABLE, NR_SLAB_UNRECLAIMABLE, NR_PAGETABLE, NR_KERNEL_STACK, NR_VMALLOC,
	NR_SWAPCACHE, NR_INACTIVE_ANON, NR_ACTIVE_ANON, NR_INACTIVE_FILE, NR_ACTIVE_FILE,
	/* events */
	PGFAULT, PGMAJFAULT, PGALLOC, PGFREE, PGPGIN, PGPGOUT, PGDROP,
	PSWPIN, PSWPOUT, PGSCAN_KSWAPD, PGSCAN_DIRECT, PGSTEAL_KSWAPD, PGSTEAL_DIRECT, PGACTIVATE,
	PGDEACTIVATE, PGREFILL, WORKINGSET_REFAULT_ANON, WORKINGSET_REFAULT_FILE,
	WORKINGSET_ACTIVATE_ANON, WORKINGSET_ACTIVATE_FILE, ALLOCSTALL, PAGEOUTRUN, SLABS_SCANNED,
	OOM_KILL, NR_VM_STAT_ITEMS
};

extern long vm_stat[NR_VM_STAT_ITEMS];		/* a per-CPU variable */
#define mod_vm_stat(item, delta) do { unsigned long _f = local_irq_save(); \
	(*this_cpu_ptr(&vm_stat))[item] += (delta); local_irq_restore(_f); } while (0)
#define inc_vm_stat(item) mod_vm_stat(item, 1)
#define dec_vm_stat(item) mod_vm_stat(item, -1)
/* Sum over CPUs, never negative. */
unsigned long vm_stat_read(enum vm_stat_item item);
