/*
 * What an architecture calls upwards: the only calls that go from arch/ to higher layers. Each is
 * defined by the file named beside it.
 */
#pragma once

#include "lib/types.h"

struct pt_regs;

void start_kernel(void);			/* main.c: boot CPU, MMU on, on its idle stack */
void secondary_start(unsigned int cpu);		/* main.c: every other CPU */

/* Interrupts: called with interrupts off, on the interrupted thread's stack. */
void irq_enter(void);				/* base/irq.c: in_irq++, preempt off */
void irq_exit(void);				/* base/irq.c: the reverse; runs deferred work */
void handle_irq(unsigned int irq);		/* base/irq.c: a device's interrupt, by global number */
void handle_ipi(unsigned int ipi);		/* base/smp.c */
void timer_interrupt(void);			/* sched/timer.c */
void preempt_irq(void);				/* sched/core.c: on the way out to kernel mode; may switch */

/* Exceptions. */
#define FAULT_WRITE	1
#define FAULT_EXEC	2
#define FAULT_USER	4			/* the access was made in user mode */
/* mm/fault/fault.c: address not mapped or not so. Kernel-mode faults on user memory that cannot be
 * resolved return false: the arch then looks for a fix-up, else panics. User faults that cannot
 * be resolved end in a signal and true. Interrupts are enabled by the callee as it sees fit. */
bool handle_page_fault(struct pt_regs *regs, unsigned long addr, unsigned int flags);
/* proc/signal.c: a synchronous exception in user mode. @sig SIGILL, SIGTRAP, SIGBUS, SIGFPE … */
void user_exception(struct pt_regs *regs, int sig, int code, unsigned long addr);
/* syscall/table.c: interrupts on; result goes into @regs. */
void handle_syscall(struct pt_regs *regs);
/* proc/signal.c: last stop before user mode while TIF_USER_WORK is set; called with interrupts
 * off, returns with interrupts off and no work left. */
void user_mode_work(struct pt_regs *regs);
/* base/panic.c */
__attribute__((noreturn)) void die(const char *what, struct pt_regs *regs, unsigned long addr);

/*
 * Names that assembly and linker scripts share with the kernel:
 *
 *	init_thread	sched/thread.c: zeroed memory (.bss) of the boot CPU's struct thread. The boot
 *			code makes it current, with kernel_sp set, before start_kernel().
 *	init_stack	sched/thread.c: lowest address of the boot CPU's stack, THREAD_SIZE bytes;
 *			start_kernel() runs on it, and later the boot CPU's idle thread.
 *	__per_cpu_start, __per_cpu_end		around *(.bss..percpu), cache-line aligned, inside .bss
 *	__initcall_start, __initcall_end	around KEEP(*(SORT(.initcalls.*))), 8-byte aligned, read-only
 *	.ksyms		the symbol table of tools/ksyms: read-only, behind all code
 */
