/* System calls on processes, identity and limits. */
#include "base/printk.h"
#include "syscall/syscall.h"
#include "asm/ptrace.h"
#include "lib/string.h"
#include "uapi/utsname.h"

static struct pt_regs *user_regs(void)
{
	return arch_user_regs((char *)current_thread()->stack + THREAD_SIZE);
}

SYSCALL(clone)
{
	return do_clone(a[0], a[1], (u32 *)a[2], a[3], (u32 *)a[4], user_regs());
}

SYSCALL(execve)
{
	return do_execve((const char *)a[0], (const char *const *)a[1], (const char *const *)a[2]);
}

SYSCALL(exit)
{
	do_exit((a[0] & 0xff) << 8);
}

SYSCALL(exit_group)
{
	do_group_exit((a[0] & 0xff) << 8);
}

SYSCALL(wait4)
{
	return do_wait4(a[0], (int *)a[1], a[2], (void *)a[3]);
}

SYSCALL(waitid)
{
	return do_waitid(a[0], a[1], (void *)a[2], a[3], (void *)a[4]);
}

SYSCALL(set_tid_address)
{
	current_task()->clear_child_tid = (u32 *)a[0];
	return current_task()->tid;
}

SYSCALL(set_robust_list)
{
	if (a[1] != 24)
		return -EINVAL;
	current_task()->robust_list = (void *)a[0];
	return 0;
}

SYSCALL(getpid)
{
	(void)a;
	return current_process()->pid;
}

SYSCALL(gettid)
{
	(void)a;
	return current_task()->tid;
}

SYSCALL(getppid)
{
	pid_t pid;

	(void)a;
	spin_lock_irq(&tasklist_lock);
	pid = current_process()->parent ? current_process()->parent->pid : 0;
	spin_unlock_irq(&tasklist_lock);
	return pid;
}

/* One user, root. */
SYSCALL(getuid) { (void)a; return 0; }
SYSCALL(geteuid) { (void)a; return 0; }
SYSCALL(getgid) { (void)a; return 0; }
SYSCALL(getegid) { (void)a; return 0; }
SYSCALL(getgroups) { (void)a; return 0; }

static long put_three_ids(const unsigned long *a)
{
	for (unsigned int i = 0; i < 3; i++)
		if (put_user(0U, (u32 *)a[i]))
			return -EFAULT;
	return 0;
}

SYSCALL(getresuid) { return put_three_ids(a); }
SYSCALL(getresgid) { return put_three_ids(a); }

/* The process with this pid (0: the caller), tasklist_lock held; NULL. */
static struct process *process_of(pid_t pid)
{
	struct process *p;

	if (pid == 0)
		return current_process();
	list_for_each_entry(p, &process_list, all)
		if (p->pid == pid)
			return p;
	return NULL;
}

static bool group_exists(pid_t pgid, pid_t sid)
{
	struct process *p;

	list_for_each_entry(p, &process_list, all)
		if (p->pgid == pgid && p->sid == sid)
			return true;
	return false;
}

/* tasklist_lock held. */
static long set_group(struct process *p, pid_t pgid)
{
	struct process *self = current_process();

	if (!p || (p != self && p->parent != self))
		return -ESRCH;
	if (p->sid != self->sid || p->pid == p->sid)
		return -EPERM;
	if (!pgid)
		pgid = p->pid;
	if (pgid != p->pid && !group_exists(pgid, p->sid))
		return -EPERM;
	p->pgid = pgid;
	return 0;
}

SYSCALL(setpgid)
{
	long ret;

	if ((int)a[0] < 0 || (int)a[1] < 0)
		return -EINVAL;
	spin_lock_irq(&tasklist_lock);
	ret = set_group(process_of(a[0]), a[1]);
	spin_unlock_irq(&tasklist_lock);
	return ret;
}

static long get_id(pid_t pid, bool session)
{
	struct process *p;
	long ret = -ESRCH;

	spin_lock_irq(&tasklist_lock);
	p = process_of(pid);
	if (p)
		ret = session ? p->sid : p->pgid;
	spin_unlock_irq(&tasklist_lock);
	return ret;
}

SYSCALL(getpgid)
{
	return get_id(a[0], false);
}

SYSCALL(getsid)
{
	return get_id(a[0], true);
}

SYSCALL(setsid)
{
	struct process *p = current_process();
	long ret = -EPERM;

	(void)a;
	spin_lock_irq(&tasklist_lock);
	if (p->pgid != p->pid && !group_exists(p->pid, p->sid))
		ret = p->sid = p->pgid = p->pid;
	spin_unlock_irq(&tasklist_lock);
	return ret;
}

SYSCALL(umask)
{
	struct fs_struct *fs = current_task()->fs;
	umode_t old = fs->umask;

	fs->umask = a[0] & 0777;
	return old;
}

SYSCALL(uname)
{
	struct utsname u;

	memset(&u, 0, sizeof(u));
	strscpy(u.sysname, "Strata", sizeof(u.sysname));
	strscpy(u.nodename, "strata", sizeof(u.nodename));
	strscpy(u.release, UTS_RELEASE, sizeof(u.release));
	strscpy(u.version, UTS_VERSION, sizeof(u.version));
	strscpy(u.machine, arch_uname_machine, sizeof(u.machine));
	return copy_to_user((void *)a[0], &u, sizeof(u));
}

/* ---- limits --------------------------------------------------------------------------- */

static int set_limit(struct process *p, unsigned int resource, const struct rlimit *new)
{
	struct mm *mm = current_thread()->mm;

	if (new->cur > new->max)
		return -EINVAL;
	if (resource == RLIMIT_NOFILE && new->max > NR_OPEN_MAX)
		return -EPERM;
	p->rlimits[resource] = *new;
	if (resource == RLIMIT_STACK)
		mm->stack_limit = new->cur;
	else if (resource == RLIMIT_AS)
		mm->as_limit = new->cur;
	else if (resource == RLIMIT_DATA)
		mm->data_limit = new->cur;
	return 0;
}

static long do_prlimit(pid_t pid, unsigned int resource, const struct rlimit *unew,
		       struct rlimit *uold)
{
	struct process *p = current_process();
	struct rlimit new, old;

	if (pid && pid != p->pid)
		return -ESRCH;
	if (resource >= RLIM_NLIMITS)
		return -EINVAL;
	if (unew && get_user(new, unew))
		return -EFAULT;
	old = p->rlimits[resource];
	if (unew) {
		int err = set_limit(p, resource, &new);

		if (err)
			return err;
	}
	return uold ? put_user(old, uold) : 0;
}

SYSCALL(prlimit64)
{
	return do_prlimit(a[0], a[1], (const struct rlimit *)a[2], (struct rlimit *)a[3]);
}

SYSCALL(getrlimit)
{
	return a[1] ? do_prlimit(0, a[0], NULL, (struct rlimit *)a[1]) : -EFAULT;
}

SYSCALL(setrlimit)
{
	return a[1] ? do_prlimit(0, a[0], (const struct rlimit *)a[1], NULL) : -EFAULT;
}

/* ---- CPUs ----------------------------------------------------------------------------- */

SYSCALL(sched_yield)
{
	(void)a;
	sched_yield();
	return 0;
}

SYSCALL(sched_getaffinity)
{
	struct task *t = current_task();
	u64 mask = 0;

	if (a[1] < sizeof(mask) || (a[1] & 7))
		return -EINVAL;
	spin_lock_irq(&tasklist_lock);
	if (a[0])
		t = find_task(a[0]);
	if (t)
		mask = t->thread.cpus_allowed & cpu_online_mask;
	spin_unlock_irq(&tasklist_lock);
	if (!t)
		return -ESRCH;
	return put_user(mask, (u64 *)a[2]) ? -EFAULT : (long)sizeof(mask);
}

/* The caller's own affinity, or another thread's; it is followed at the next wake-up. */
SYSCALL(sched_setaffinity)
{
	struct task *t = current_task();
	u64 mask = 0;
	long ret = 0;

	if (copy_from_user(&mask, (void *)a[2], min(a[1], sizeof(mask))))
		return -EFAULT;
	mask &= cpu_online_mask;
	if (!mask)
		return -EINVAL;
	spin_lock_irq(&tasklist_lock);
	if (a[0])
		t = find_task(a[0]);
	if (t)
		WRITE_ONCE(t->thread.cpus_allowed, mask);
	else
		ret = -ESRCH;
	spin_unlock_irq(&tasklist_lock);
	/* Not to stay where it is not allowed any more. */
	if (!ret && t == current_task() && !(mask & BIT(smp_processor_id())))
		sleep_ns(1);
	return ret;
}

SYSCALL(getcpu)
{
	u32 cpu = smp_processor_id();

	if ((a[0] && put_user(cpu, (u32 *)a[0])) ||
	    (a[1] && put_user((u32)cpu_node[cpu], (u32 *)a[1])))
		return -EFAULT;
	return 0;
}

#define PR_SET_NAME	15
#define PR_GET_NAME	16

SYSCALL(prctl)
{
	struct task *t = current_task();
	char name[sizeof(t->thread.comm)];
	long n;

	switch (a[0]) {
	case PR_SET_NAME:
		n = strncpy_from_user(name, (const char *)a[1], sizeof(name));
		if (n == -EFAULT)
			return n;
		name[sizeof(name) - 1] = 0;
		strscpy(t->thread.comm, name, sizeof(name));
		if (t->tid == t->process->pid)
			strscpy(t->process->comm, name, sizeof(name));
		return 0;
	case PR_GET_NAME:
		return copy_to_user((void *)a[1], t->thread.comm, sizeof(t->thread.comm));
	default:
		return -EINVAL;
	}
}

/* ---- the machine ---------------------------------------------------------------------- */

#define LINUX_REBOOT_MAGIC1	0xfee1deadU
#define LINUX_REBOOT_MAGIC2	672274793U
#define LINUX_REBOOT_CMD_RESTART	0x01234567U
#define LINUX_REBOOT_CMD_HALT		0xcdef0123U
#define LINUX_REBOOT_CMD_POWER_OFF	0x4321fedcU
#define LINUX_REBOOT_CMD_CAD_ON		0x89abcdefU
#define LINUX_REBOOT_CMD_CAD_OFF	0

SYSCALL(reboot)
{
	if ((u32)a[0] != LINUX_REBOOT_MAGIC1 || (u32)a[1] != LINUX_REBOOT_MAGIC2)
		return -EINVAL;
	switch ((u32)a[2]) {
	case LINUX_REBOOT_CMD_CAD_ON:
	case LINUX_REBOOT_CMD_CAD_OFF:
		return 0;
	case LINUX_REBOOT_CMD_RESTART:
		sync_all();
		printk_flush();
		arch_reboot();
	case LINUX_REBOOT_CMD_HALT:
	case LINUX_REBOOT_CMD_POWER_OFF:
		sync_all();
		printk_flush();
		arch_poweroff();
	default:
		return -EINVAL;
	}
}
