/* ppoll: waiting for one of several files. */
#include "syscall/syscall.h"
#include "mm/vm/vmalloc.h"

#define POLL_ON_STACK	4

struct pollfd {
	int fd;
	short events, revents;
};

struct poll_slot {
	struct file *file;
	struct wait_queue *queue;
	struct wait_entry entry;
};

/* Fills in revents of one descriptor; true if there is anything to report. */
static bool poll_one(struct pollfd *p, struct poll_slot *slot)
{
	struct wait_queue *queue = NULL;
	unsigned int mask;

	p->revents = 0;
	if (p->fd < 0)
		return false;
	if (!slot->file) {
		p->revents = POLLNVAL;
		return true;
	}
	mask = vfs_poll(slot->file, &queue);
	if (!slot->queue)	/* else we are on it already */
		slot->queue = queue;
	p->revents = mask & ((unsigned short)p->events | POLLERR | POLLHUP);
	return p->revents != 0;
}

static unsigned int poll_all(struct pollfd *fds, struct poll_slot *slots, unsigned int n)
{
	unsigned int ready = 0;

	for (unsigned int i = 0; i < n; i++)
		ready += poll_one(&fds[i], &slots[i]);
	return ready;
}

/* On all queues: what becomes ready from now on wakes us. */
static void join_queues(struct poll_slot *slots, unsigned int n)
{
	set_current_state(TASK_INTERRUPTIBLE);
	for (unsigned int i = 0; i < n; i++)
		if (slots[i].queue)
			prepare_to_wait(slots[i].queue, &slots[i].entry, TASK_INTERRUPTIBLE, false);
}

static void leave_queues(struct poll_slot *slots, unsigned int n)
{
	set_current_state(TASK_RUNNING);
	for (unsigned int i = 0; i < n; i++) {
		if (slots[i].queue)
			finish_wait(slots[i].queue, &slots[i].entry);
		slots[i].queue = NULL;
	}
}

/* Number of ready descriptors, 0 at the deadline (0: at once), or -ERESTARTNOHAND. */
static long poll_wait(struct pollfd *fds, struct poll_slot *slots, unsigned int n, u64 deadline)
{
	bool late = deadline == 0;
	unsigned int ready;

	for (;;) {
		bool interrupted = false;

		ready = poll_all(fds, slots, n);
		if (ready || late)
			return ready;
		join_queues(slots, n);
		ready = poll_all(fds, slots, n);	/* what became ready before that */
		if (!ready)
			interrupted = signal_pending(current_thread());
		if (!ready && !interrupted)
			late = !schedule_until(deadline);
		leave_queues(slots, n);
		if (ready)
			return ready;
		if (interrupted)
			return -ERESTARTNOHAND;
	}
}

/* The descriptors of one call, their files held while it lasts. As poll_wait(), or -EFAULT. */
static long poll_fds(struct pollfd *user, struct pollfd *fds, struct poll_slot *slots,
		     unsigned int n, u64 deadline)
{
	long ret;

	if (copy_from_user(fds, user, n * sizeof(*fds)))
		return -EFAULT;
	for (unsigned int i = 0; i < n; i++) {
		slots[i] = (struct poll_slot){ .file = fds[i].fd >= 0 ? fget(fds[i].fd) : NULL };
		INIT_LIST_HEAD(&slots[i].entry.node);
		slots[i].entry.thread = current_thread();
	}
	ret = poll_wait(fds, slots, n, deadline);
	for (unsigned int i = 0; i < n; i++)
		if (slots[i].file)
			file_put(slots[i].file);
	if (ret >= 0 && copy_to_user(user, fds, n * sizeof(*fds)))
		return -EFAULT;
	return ret;
}

SYSCALL(ppoll)
{
	struct pollfd few[POLL_ON_STACK], *fds = few;
	struct poll_slot few_slots[POLL_ON_STACK], *slots = few_slots;
	sigset_t mask, old = current_task()->blocked;
	unsigned int n = a[1];
	int err = 0;
	u64 timeout = get_timeout((const struct timespec *)a[2], &err), deadline = timeout;
	long ret;

	if (err)
		return err;
	if (n > NR_OPEN_MAX || (a[3] && a[4] != sizeof(mask)))
		return -EINVAL;
	if (a[3] && get_user(mask, (const sigset_t *)a[3]))
		return -EFAULT;
	if (timeout && timeout != ~0UL)
		deadline = restarted_deadline(ktime_get() + timeout);
	if (n > POLL_ON_STACK) {
		fds = vmalloc(n * (sizeof(*fds) + sizeof(*slots)), GFP_KERNEL);
		slots = (struct poll_slot *)(fds + n);
	}
	if (!fds)
		return -ENOMEM;
	if (a[3])
		set_blocked(mask);
	ret = poll_fds((struct pollfd *)a[0], fds, slots, n, deadline);
	if (fds != few)
		vfree(fds);
	if (a[3] && ret == -ERESTARTNOHAND) {
		/* First the signal, which only @mask may let through, then the old mask. */
		current_task()->saved_blocked = old;
		current_task()->restore_blocked = true;
	} else if (a[3]) {
		set_blocked(old);
	}
	if (ret == -ERESTARTNOHAND && deadline != ~0UL)
		ret = restart_with_deadline(deadline);
	return ret;
}
