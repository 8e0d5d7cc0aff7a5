/* The way in: number to function. */
#include "syscall/syscall.h"
#include "arch/upcalls.h"
#include "asm/ptrace.h"

static long (*const table[])(const unsigned long *a) = {
#define ENTRY(nr, name) [nr] = sys_##name,
#include "syscall/list.h"
#undef ENTRY
};

void handle_syscall(struct pt_regs *regs)
{
	unsigned long nr = syscall_nr(regs);
	unsigned long a[6];

	account_kernel_enter();
	if (nr < ARRAY_SIZE(table) && table[nr]) {
		for (unsigned int i = 0; i < 6; i++)
			a[i] = syscall_arg(regs, i);
		set_syscall_return(regs, table[nr](a));
	} else {
		set_syscall_return(regs, -ENOSYS);
	}
	account_kernel_exit();
}
