/* Page faults: what the rest of the kernel needs to know of them. */
#pragma once

#include "mm/vm/mm.h"

/* A fault of the current process found no memory: true when it is to be tried again, false when the
 * process has been killed. May sleep; registered by proc/nomem.c. */
extern bool (*fault_oom_hook)(void);

enum fault_result {
	FAULT_DONE,		/* mapped; try the access again */
	FAULT_BAD_MAP,		/* no mapping there: SIGSEGV, SEGV_MAPERR */
	FAULT_BAD_ACCESS,	/* the mapping forbids it: SIGSEGV, SEGV_ACCERR */
	FAULT_BEYOND_FILE,	/* SIGBUS, BUS_ADRERR */
	FAULT_IO_ERROR,		/* SIGBUS, BUS_OBJERR */
	FAULT_NO_MEMORY,
};

/* Resolves a fault at @addr of @mm as the hardware would want it; @flags FAULT_WRITE, FAULT_EXEC.
 * Takes mmap_lock; sleeps. */
enum fault_result mm_fault(struct mm *mm, unsigned long addr, unsigned int flags);

/* One try to bring the page back that @vma has on swap at @addr; mmap_lock held. */
enum fault_result swap_in(struct vma *vma, unsigned long addr);

/* unuse.c: brings all that @mm has on swap area @type back into memory: 0, -ENOMEM, -EIO, or -EINTR when the
 * current process is being killed. Takes mmap_lock; sleeps. */
int unuse_mm(struct mm *mm, unsigned int type);
