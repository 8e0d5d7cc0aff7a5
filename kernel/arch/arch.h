/*
 * What an architecture supplies. Each function here is implemented once in arch/riscv and once
 * in arch/arm64; each header in asm/ likewise. Nothing above arch/ contains #ifdef CONFIG_ARCH_x.
 *
 * The asm/ headers and what each must define:
 *
 *	asm/context.h	struct arch_context (callee-saved registers, sp, user FP state and a flag
 *			"FP live": user floating point is saved lazily)
 *	asm/current.h	static inline struct thread_head *current_head(void); void set_current_head(...)
 *	asm/irqflags.h	local_irq_enable/disable(), unsigned long local_irq_save(void),
 *			local_irq_restore(flags), irqs_disabled(), bool irqs_disabled_flags(flags)
 *	asm/barrier.h	cpu_relax(), mb(), rmb(), wmb(), io_mb()  (device ordering; smp_* are in lib/atomic.h)
 *	asm/io.h	readb..readq / writeb..writeq (ordered), on void * from ioremap()
 *	asm/ptrace.h	struct pt_regs, PT_REGS helpers:
 *			bool user_mode(regs), instruction_pointer(regs), frame_pointer(regs),
 *			user_stack_pointer(regs), syscall_nr(regs), syscall_arg(regs, i) 0..5,
 *			syscall_return(regs), set_syscall_return(regs, v), regs_irqs_disabled(regs),
 *			start_user(regs, pc, sp)
 *	asm/pgtable.h	pte_t and its encoding, see the list in mm/vm/pgtable.h
 *	asm/signal.h	struct sigcontext-part of the user signal frame, as Linux lays it out
 */
#pragma once

#include "arch/layout.h"
#include "arch/thread_head.h"

struct pt_regs;

#define NR_CPUS		64

/* ---- boot ---------------------------------------------------------------------------- */

/* Boot CPU, first thing in start_kernel: trap vectors, feature probing. No memory yet. */
void arch_early_init(void);
/* The firmware's device tree as mapped in the fixmap; physical address for reserving it. */
const void *arch_fdt(void);
phys_addr_t arch_fdt_phys(void);
/* Physical address range of RAM the boot tables map at PAGE_OFFSET (memblock's first limit). */
phys_addr_t arch_early_map_limit(void);
/* Loads the final kernel tables (root built by mm/vm) on this CPU; the boot tables die. */
void arch_load_kernel_root(phys_addr_t root);
/* Boot CPU after memory works: interrupt controllers, timer, from the device tree. */
void arch_init(void);
/* Every CPU: trap vector, FPU off, PAN/SUM closed, timer and IPI interrupts unmasked. */
void arch_cpu_init(void);
/* Another CPU than the boot CPU, just after its bit in cpu_online_mask was set. */
void arch_cpu_online(void);

/*
 * Starts CPU @cpu (logical; firmware id @hwid from the device tree) at secondary_start(cpu),
 * on stack @stack_top with current = @idle. Returns 0 or -errno (firmware's refusal).
 */
int arch_cpu_start(unsigned int cpu, u64 hwid, struct thread_head *idle, void *stack_top);
/* Firmware id (hart id, MPIDR affinity) of the boot CPU. */
u64 arch_boot_hwid(void);

/* One character to whatever works before drivers do; may be called from panic. */
void arch_early_putc(char c);
__noreturn void arch_poweroff(void);
__noreturn void arch_reboot(void);
/* One line for /proc/cpuinfo's ISA and model fields; writes into @buf. */
int arch_cpuinfo(unsigned int cpu, char *buf, size_t size);

/* ---- time ---------------------------------------------------------------------------- */

u64 arch_clock_ns(void);		/* nanoseconds since kernel entry; monotonic, all CPUs alike */
void arch_timer_set(u64 deadline_ns);	/* this CPU: interrupt at or after; ~0 means never */

/* ---- interrupts ---------------------------------------------------------------------- */

#define IPI_RESCHEDULE	0
#define IPI_CALL	1	/* run the function queue of base/smp.c */
#define IPI_STOP	2	/* panic: stop here with interrupts off */
void arch_send_ipi(unsigned long cpumask, unsigned int ipi);
void arch_irq_enable(unsigned int irq);		/* unmask at the controller; any context */
void arch_irq_disable(unsigned int irq);
/* Global interrupt number for interrupt @i of device tree node @node, or -errno. */
int arch_irq_of_node(const void *fdt, int node, unsigned int i);
/* Enables interrupts and waits for one, atomically against a wake-up; returns with them enabled. */
void arch_idle(void);

/* ---- threads ------------------------------------------------------------------------- */

/* Prepares a thread that starts in fn(arg) on the stack ending at @stack_top, interrupts off. */
void arch_thread_init(struct thread_head *t, void *stack_top, void (*fn)(void *), void *arg);
/* Switches; returns (in the next thread) the thread that was left. Interrupts off. */
struct thread_head *arch_switch_to(struct thread_head *prev, struct thread_head *next);
/* Leaves for user mode through @regs, which lies at the top of the kernel stack. */
__noreturn void arch_return_to_user(struct pt_regs *regs);
/* pt_regs of the trap that brought a thread with stack @stack_top into the kernel. */
struct pt_regs *arch_user_regs(void *stack_top);
/* Fork: child's FP state and thread pointer become copies of the parent's (current). */
void arch_fork_context(struct thread_head *child, struct thread_head *parent);
void arch_set_tls(struct thread_head *t, struct pt_regs *regs, unsigned long tls);
/* exec: forget FP state, TLS. */
void arch_exec_context(struct thread_head *t);
/* Saves live FP registers of current into ctx (before fork, signal frames). */
void arch_save_fp(struct thread_head *t);
/* FP state of current was rewritten in ctx: make the registers reload it at the next use. */
void arch_reload_fp(struct thread_head *t);

/* ---- address spaces ------------------------------------------------------------------ */

/* Loads @ctx (NULL: the kernel's own, no user mappings); flushes what must be flushed. */
void arch_switch_mm(struct mm_context *ctx);
/* Prepares a fresh, zeroed root table for user use (RISC-V copies the kernel's half). */
void arch_root_init(void *root);
/* Translations of @ctx in [start, end) vanish from every CPU before these return. */
void arch_flush_tlb_range(struct mm_context *ctx, unsigned long start, unsigned long end);
void arch_flush_tlb_mm(struct mm_context *ctx);
/* The same for what may stay a little longer, many at once: first, for each @ctx, the CPUs that may be running it,
 * then one flush of all user addresses for all of them. A CPU that comes back to @ctx later flushes by itself. */
unsigned long arch_tlb_users(struct mm_context *ctx);
void arch_flush_tlb_user(unsigned long cpus);
/* This CPU forgets its translation of one user address. Enough after an entry gained permissions: on
 * another CPU the old one at worst causes a fault that finds nothing left to do. */
void arch_flush_tlb_local(unsigned long addr);
void arch_flush_tlb_kernel(unsigned long start, unsigned long end);
/* Makes instructions written through the direct map visible to execution on all CPUs. */
void arch_sync_icache(void *start, size_t size);

/* ---- user memory ---------------------------------------------------------------------
 * Raw routines with fault fix-up: SUM/PAN opened only inside. They return the number of bytes NOT
 * done (0: all). Callers check the range against task_size first: use mm/vm/uaccess.h.
 */
size_t arch_copy_from_user(void *to, const void *from, size_t n);
size_t arch_copy_to_user(void *to, const void *from, size_t n);
size_t arch_clear_user(void *to, size_t n);
/* Atomic 32-bit operations on user memory, for futex and clear_child_tid: 0 or -EFAULT. */
int arch_user_cmpxchg32(u32 *uaddr, u32 *old, u32 new);
int arch_user_xchg_add32(u32 *uaddr, u32 *old, u32 add);

/* ---- signals ------------------------------------------------------------------------- */

struct siginfo;		/* proc/signal.h */
/*
 * Writes / reads the user signal frame's machine part in Linux's layout (ucontext's mcontext).
 * The generic frame {siginfo; ucontext} is laid out by proc/signal.c. 0 or -EFAULT.
 */
size_t arch_mcontext_size(void);
size_t arch_mcontext_offset(void);	/* of uc_mcontext within struct ucontext */
int arch_save_mcontext(void *user_mc, const struct pt_regs *regs);
int arch_restore_mcontext(struct pt_regs *regs, const void *user_mc);
/* Enters a handler: pc, sp, first three arguments, return address = trampoline. */
void arch_start_handler(struct pt_regs *regs, unsigned long pc, unsigned long sp,
			unsigned long a0, unsigned long a1, unsigned long a2, unsigned long ra);
/* Backs up to the system call instruction so that it is executed again. */
void arch_restart_syscall(struct pt_regs *regs);
/* The code of "rt_sigreturn" for the trampoline page. */
extern const char arch_sigreturn_code[];
extern const size_t arch_sigreturn_size;

/* AT_HWCAP, AT_PLATFORM and the ELF machine number for exec. */
unsigned long arch_elf_hwcap(void);
extern const unsigned int arch_elf_machine;
extern const char arch_uname_machine[];	/* "riscv64", "aarch64" */

/* ---- backtrace ----------------------------------------------------------------------- */

/* One step of the frame-pointer chain: *fp, *pc become the caller's; false at the end or if the
 * frame is not within [lo, hi). Never faults. */
bool arch_unwind_step(unsigned long *fp, unsigned long *pc, unsigned long lo, unsigned long hi);
static __always_inline unsigned long arch_frame_pointer(void)
{
	return (unsigned long)__builtin_frame_address(0);
}
void arch_show_regs(const struct pt_regs *regs);	/* through printk */
