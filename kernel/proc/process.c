/*
 * The table of processes and threads.
 *
 * A process exists from fork to the wait4 that collects it; a task (one thread) until it has exited
 * and is off its stack. Both are found by number: process by pid, task by tid, the first task's tid
 * being the pid. The tables are lists under tasklist_lock: dozens of processes, not thousands.
 *
 * References: the table holds one on a process, each of its tasks holds one, and whoever looked it
 * up.
 */
#include "proc/internal.h"
#include "base/initcall.h"
#include "base/panic.h"
#include "lib/string.h"
#include "mm/slab/slab.h"
#include "task/kthread.h"

DEFINE_SPINLOCK(tasklist_lock);
LIST_HEAD(process_list);
static struct kmem_cache *process_cache, *task_cache;

static int process_cache_init(void)
{
	process_cache = kmem_cache_create("process", sizeof(struct process), 64,
					  SLAB_PANIC | SLAB_NO_MERGE, NULL);
	task_cache = kmem_cache_create("task_struct", sizeof(struct task), 64,
				       SLAB_PANIC | SLAB_NO_MERGE, NULL);
	return 0;
}
core_initcall(process_cache_init);

struct process *process_alloc(void)
{
	struct process *p = kmem_cache_zalloc(process_cache, GFP_KERNEL);

	if (!p)
		return NULL;
	atomic_set(&p->refs, 1);
	INIT_LIST_HEAD(&p->children);
	INIT_LIST_HEAD(&p->sibling);
	INIT_LIST_HEAD(&p->all);
	INIT_LIST_HEAD(&p->threads);
	wait_queue_init(&p->wait_child);
	spin_lock_init(&p->sig_lock);
	itimer_init(p);
	p->start_ns = arch_clock_ns();
	return p;
}

void process_get(struct process *p)
{
	atomic_inc(&p->refs);
}

void process_put(struct process *p)
{
	if (atomic_dec_and_test(&p->refs))
		kmem_cache_free(process_cache, p);
}

unsigned int pid_list(pid_t *pids, unsigned int max)
{
	struct process *p;
	unsigned int n = 0;

	spin_lock_irq(&tasklist_lock);
	list_for_each_entry(p, &process_list, all) {
		if (n < max)
			pids[n] = p->pid;
		n++;
	}
	spin_unlock_irq(&tasklist_lock);
	return n;
}

struct process *find_get_process(pid_t pid)
{
	struct process *p, *found = NULL;
	unsigned long flags;

	spin_lock_irqsave(&tasklist_lock, flags);
	list_for_each_entry(p, &process_list, all) {
		if (p->pid == pid) {
			process_get(p);
			found = p;
			break;
		}
	}
	spin_unlock_irqrestore(&tasklist_lock, flags);
	return found;
}

struct task *find_task(pid_t tid)
{
	struct process *p;
	struct task *t;

	list_for_each_entry(p, &process_list, all)
		list_for_each_entry(t, &p->threads, group_node)
			if (t->tid == tid)
				return t;
	return NULL;
}

/* Called by the reaper once the thread is off its stack. */
static void task_release(struct thread *thread)
{
	task_free(container_of(thread, struct task, thread));
}

/* Does a process group or a session go by this number, though perhaps no process does? */
static bool names_group(pid_t id)
{
	struct process *p;
	bool found = false;

	spin_lock_irq(&tasklist_lock);
	list_for_each_entry(p, &process_list, all)
		if (p->pgid == id || p->sid == id)
			found = true;
	spin_unlock_irq(&tasklist_lock);
	return found;
}

/* A number that nobody goes by, or -EAGAIN. tid_alloc() never gives the same one twice running. */
static pid_t new_id(void)
{
	for (unsigned int i = 0; i < 1000; i++) {
		pid_t id = tid_alloc();

		if (id < 0 || !names_group(id))
			return id;
		tid_free(id);
	}
	return -EAGAIN;
}

struct task *task_alloc(const char *comm, void (*fn)(void *), void *arg)
{
	struct task *t = kmem_cache_zalloc(task_cache, GFP_KERNEL);
	void *stack;
	pid_t tid;

	if (!t)
		return NULL;
	stack = stack_alloc();
	tid = stack ? new_id() : -EAGAIN;
	if (tid < 0) {
		if (stack)
			stack_free(stack);
		kmem_cache_free(task_cache, t);
		return NULL;
	}
	thread_init(&t->thread, comm, stack, fn, arg);
	t->thread.tid = t->tid = tid;
	t->thread.user = true;
	t->thread.release = task_release;
	INIT_LIST_HEAD(&t->group_node);
	return t;
}

/* A tid that is also the pid of a process still to be waited for stays taken until then. */
void task_free(struct task *t)
{
	struct process *p = t->process;

	if (!p || t->tid != p->pid)
		tid_free(t->tid);
	stack_free(t->thread.stack);
	if (p)
		process_put(p);
	kmem_cache_free(task_cache, t);
}

void task_link(struct task *t, struct process *p)
{
	process_get(p);
	t->process = p;
	list_add_tail(&t->group_node, &p->threads);
	p->nr_threads++;
	p->nr_live++;
}

/* ---- the first process ---------------------------------------------------------------- */

static void set_default_limits(struct process *p)
{
	for (unsigned int i = 0; i < RLIM_NLIMITS; i++)
		p->rlimits[i] = (struct rlimit){ ~0UL, ~0UL };
	p->rlimits[RLIMIT_STACK] = (struct rlimit){ 8UL << 20, ~0UL };
	p->rlimits[RLIMIT_NOFILE] = (struct rlimit){ NR_OPEN_DEFAULT, NR_OPEN_MAX };
}

/* Descriptors 0, 1 and 2 of the first process. */
static void open_console(void)
{
	for (unsigned int i = 0; i < 3; i++) {
		struct file *file = vfs_open(root_dentry, "/dev/console", O_RDWR, 0);
		int fd;

		if (IS_ERR(file)) {
			pr_warn("init: no /dev/console\n");
			return;
		}
		fd = fd_alloc(0, false);
		fd_install(fd, file);
	}
}

static void init_start(void *arg)
{
	const char *path = arg;
	long err;

	open_console();
	err = exec_first(path);
	panic("cannot run %s: error %ld", path, -err);
}

int proc_start_init(const char *path)
{
	struct process *p = process_alloc();
	struct task *t = task_alloc("init", init_start, (void *)path);

	if (!p || !t)
		return -ENOMEM;
	tid_free(t->tid);
	t->thread.tid = t->tid = 1;
	p->pid = p->pgid = p->sid = 1;
	strscpy(p->comm, "init", sizeof(p->comm));
	set_default_limits(p);
	p->sighand = sighand_copy(NULL);
	t->files = files_copy(NULL);
	t->fs = fs_copy(NULL);
	if (!p->sighand || !t->files || !t->fs)
		return -ENOMEM;
	task_link(t, p);
	spin_lock_irq(&tasklist_lock);
	list_add_tail(&p->all, &process_list);
	spin_unlock_irq(&tasklist_lock);
	thread_start(&t->thread);
	return 0;
}
