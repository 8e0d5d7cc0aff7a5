#pragma once
enum vm_stat_item {
	NR_FILE_PAGES, NR_FILE_DIRTY, NR_FILE_MAPPED, NR_WRITEBACK, NR_SHMEM, PGPGIN, PGPGOUT, PGDROP,
	NR_VM_STAT_ITEMS
};
extern long host_stat[NR_VM_STAT_ITEMS];
#define inc_vm_stat(i) (host_stat[i]++)
#define dec_vm_stat(i) (host_stat[i]--)
#define vm_stat_read(i) ((unsigned long)host_stat[i])
