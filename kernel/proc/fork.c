/*
 * clone: a new process, or a new thread of this one, by which parts are shared and which copied.
 */
#include "proc/internal.h"
#include "asm/ptrace.h"
#include "lib/string.h"
#include "mm/slab/slab.h"
#include "mm/vm/uaccess.h"
#include "uapi/sched.h"

/* Parents of vfork sleep here until the child has its own memory, or none. */
static DEFINE_WAIT_QUEUE(vfork_wait);

void vfork_done(struct process *p)
{
	if (!p->vfork_pending)
		return;
	WRITE_ONCE(p->vfork_pending, false);
	wake_up_all(&vfork_wait);
}

/* Where every user thread starts: its registers are complete at the top of its stack. */
static void return_from_fork(void *arg)
{
	struct task *t = current_task();
	u32 *ctid = arg;

	if (ctid)	/* CLONE_CHILD_SETTID: the child's own memory */
		(void)put_user((u32)t->tid, ctid);
	arch_return_to_user(arch_user_regs((char *)t->thread.stack + THREAD_SIZE));
}

static bool flags_valid(unsigned long flags)
{
	if ((flags & CLONE_THREAD) && !(flags & CLONE_SIGHAND))
		return false;
	if ((flags & CLONE_SIGHAND) && !(flags & CLONE_VM))
		return false;
	if ((flags & CSIGNAL) > _NSIG)
		return false;
	if (flags & (CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID |
		     CLONE_NEWNET | CLONE_PIDFD))
		return false;
	return true;
}

static int copy_files(struct task *t, unsigned long flags)
{
	struct task *parent = current_task();

	if (flags & CLONE_FILES) {
		atomic_inc(&parent->files->refs);
		t->files = parent->files;
	} else {
		t->files = files_copy(parent->files);
	}
	if (flags & CLONE_FS) {
		atomic_inc(&parent->fs->refs);
		t->fs = parent->fs;
	} else {
		t->fs = fs_copy(parent->fs);
	}
	return t->files && t->fs ? 0 : -ENOMEM;
}

static int copy_mm(struct task *t, struct process *p, unsigned long flags)
{
	struct mm *mm = current_thread()->mm;

	if (flags & CLONE_VM) {
		mm_get(mm);
	} else {
		mm = mm_copy(mm);
		if (IS_ERR(mm))
			return PTR_ERR(mm);
	}
	if (!(flags & CLONE_THREAD))
		p->mm = mm;
	t->thread.mm = mm;
	t->thread.mmctx = &mm->ctx;
	return 0;
}

/* A new process like the current one, not yet in the table. */
static struct process *copy_process(pid_t pid, unsigned long flags)
{
	struct process *parent = current_process(), *p = process_alloc();

	if (!p)
		return NULL;
	p->pid = pid;
	p->exit_signal = flags & CSIGNAL;
	memcpy(p->rlimits, parent->rlimits, sizeof(p->rlimits));
	memcpy(p->comm, parent->comm, sizeof(p->comm));
	p->oom_score_adj = parent->oom_score_adj;
	if (flags & CLONE_SIGHAND) {
		atomic_inc(&parent->sighand->refs);
		p->sighand = parent->sighand;
	} else {
		p->sighand = sighand_copy(parent->sighand);
	}
	if (!p->sighand) {
		process_put(p);
		return NULL;
	}
	return p;
}

/*
 * Enters a new process into table and family. A signal to the whole group that came while it was
 * being made was sent to the parent alone; so the parent takes it first, and then forks again.
 */
static int publish_process(struct task *t, struct process *p, unsigned long flags)
{
	struct process *self = current_process();
	int err = 0;

	spin_lock_irq(&tasklist_lock);
	if (signal_pending(current_thread())) {
		err = -ERESTARTNOINTR;
	} else if ((flags & CLONE_PARENT) && !self->parent) {
		err = -EINVAL;
	} else {
		p->parent = (flags & CLONE_PARENT) ? self->parent : self;
		p->pgid = self->pgid;
		p->sid = self->sid;
		task_link(t, p);
		list_add_tail(&p->sibling, &p->parent->children);
		list_add_tail(&p->all, &process_list);
	}
	spin_unlock_irq(&tasklist_lock);
	return err;
}

/* Enters a new thread into the group, unless that is being killed or waits for execve. */
static int publish_thread(struct task *t, struct process *p)
{
	int err = 0;

	spin_lock_irq(&tasklist_lock);
	spin_lock(&p->sig_lock);
	if (p->group_exiting || p->exec_task)
		err = -EINTR;
	else
		task_link(t, p);
	/* A stop that came meanwhile stops the new thread, too. */
	if (p->stopped)
		set_bit(TIF_SIGPENDING, &t->thread.head.flags);
	if (p->nr_stopping) {
		t->stopping = true;
		p->nr_stopping++;
	}
	spin_unlock(&p->sig_lock);
	spin_unlock_irq(&tasklist_lock);
	return err;
}

static void undo_task(struct task *t, struct process *p, bool new_process)
{
	struct mm *mm = t->thread.mm;

	if (mm)
		mm_put(mm);
	if (t->files)
		files_put(t->files);
	if (t->fs)
		fs_put(t->fs);
	if (new_process && p) {
		sighand_put(p->sighand);
		process_put(p);
	}
	task_free(t);
}

static void set_user_regs(struct task *t, struct pt_regs *regs, unsigned long flags,
			  unsigned long stack, unsigned long tls)
{
	struct pt_regs *child = arch_user_regs((char *)t->thread.stack + THREAD_SIZE);

	arch_save_fp(current_head());
	arch_fork_context(&t->thread.head, current_head());
	*child = *regs;
	set_syscall_return(child, 0);
	if (stack)
		set_user_stack_pointer(child, stack);
	if (flags & CLONE_SETTLS)
		arch_set_tls(&t->thread.head, child, tls);
}

long do_clone(unsigned long flags, unsigned long stack, u32 *ptid, unsigned long tls, u32 *ctid,
	      struct pt_regs *regs)
{
	bool new_process = !(flags & CLONE_THREAD);
	struct task *self = current_task(), *t;
	struct process *p = self->process;
	pid_t tid;
	int err = -ENOMEM;

	if (!flags_valid(flags))
		return -EINVAL;
	t = task_alloc(self->thread.comm, return_from_fork,
		       (flags & CLONE_CHILD_SETTID) ? ctid : NULL);
	if (!t) {
		sched_reap_flush();	/* the dead may still hold what is wanted */
		t = task_alloc(self->thread.comm, return_from_fork,
			       (flags & CLONE_CHILD_SETTID) ? ctid : NULL);
	}
	if (!t)
		return -EAGAIN;
	tid = t->tid;
	if (new_process) {
		p = copy_process(tid, flags);
		if (!p) {
			undo_task(t, NULL, true);
			return -ENOMEM;
		}
	}
	err = copy_mm(t, p, flags);
	if (!err)
		err = copy_files(t, flags);
	if (!err && (flags & CLONE_PARENT_SETTID) && put_user((u32)tid, ptid))
		err = -EFAULT;
	if (err)
		goto undo;
	t->blocked = self->blocked;
	t->thread.cpus_allowed = self->thread.cpus_allowed;
	if (!(flags & CLONE_VM) || (flags & CLONE_VFORK))
		t->altstack = self->altstack;
	if (flags & CLONE_CHILD_CLEARTID)
		t->clear_child_tid = ctid;
	set_user_regs(t, regs, flags, stack, tls);
	if (new_process)
		p->vfork_pending = flags & CLONE_VFORK;
	err = new_process ? publish_process(t, p, flags) : publish_thread(t, p);
	if (err)
		goto undo;
	if (new_process)
		process_get(p);		/* for the vfork wait; the child may die at once */
	thread_start(&t->thread);
	if (new_process) {
		if (flags & CLONE_VFORK)
			(void)wait_event_killable(&vfork_wait, !READ_ONCE(p->vfork_pending));
		process_put(p);
	}
	return tid;
undo:
	undo_task(t, p, new_process);
	return err;
}
