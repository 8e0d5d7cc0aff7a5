/* ppoll: waiting for one of several files. */
#include "syscall/syscall.h"
#include "mm/slab/slab.h"
#include "mm/vm/vmalloc.h"

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
	unsigned int mask;

	p->revents = 0;
	if (p->fd < 0)
		return false;
	if (!slot->file) {
		p->revents = POLLNVAL;
		return true;
	}
	slot->queue = NULL;
	mask = vfs_poll(slot->file, &slot->queue);
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

/* Number of ready descriptors, 0 at the deadline, or -EINTR. */
static long poll_wait(struct pollfd *fds, struct poll_slot *slots, unsigned int n, u64 deadline)
{
	bool late = deadline == 0;
	long ready;

	for (;;) {
		ready = poll_all(fds, slots, n);
		if (ready || late)
			return ready;
		set_current_state(TASK_INTERRUPTIBLE);
		for (unsigned int i = 0; i < n; i++)
			if (slots[i].queue)
				prepare_to_wait(slots[i].queue, &slots[i].entry, TASK_INTERRUPTIBLE,
						false);
		/* On all queues now: what became ready before is seen here, what comes after wakes. */
		ready = poll_all(fds, slots, n);
		if (!ready && signal_pending(current_thread()))
			ready = -ERESTARTNOHAND;
		else if (!ready)
			late = !schedule_until(deadline);
		set_current_state(TASK_RUNNING);
		for (unsigned int i = 0; i < n; i++)
			if (slots[i].queue)
				finish_wait(slots[i].queue, &slots[i].entry);
		if (ready)
			return ready;
	}
}

SYSCALL(ppoll)
{
	unsigned int n = a[1];
	struct pollfd *fds;
	struct poll_slot *slots;
	sigset_t mask, old = current_task()->blocked;
	int err = 0;
	u64 timeout = get_timeout((const struct timespec *)a[2], &err);
	u64 deadline = timeout == ~0UL || timeout == 0 ? timeout : ktime_get() + timeout;
	long ret;

	if (err)
		return err;
	if (n > NR_OPEN_MAX)
		return -EINVAL;
	if (a[3] && (a[4] != sizeof(mask)))
		return -EINVAL;
	if (a[3] && get_user(mask, (const sigset_t *)a[3]))
		return -EFAULT;
	fds = vmalloc(max(n, 1U) * (sizeof(*fds) + sizeof(*slots)), GFP_KERNEL);
	if (!fds)
		return -ENOMEM;
	slots = (struct poll_slot *)(fds + n);
	if (copy_from_user(fds, (void *)a[0], n * sizeof(*fds))) {
		vfree(fds);
		return -EFAULT;
	}
	for (unsigned int i = 0; i < n; i++) {
		slots[i] = (struct poll_slot){ .file = fds[i].fd >= 0 ? fget(fds[i].fd) : NULL };
		INIT_LIST_HEAD(&slots[i].entry.node);
		slots[i].entry.thread = current_thread();
	}
	if (a[3])
		set_blocked(mask);
	ret = poll_wait(fds, slots, n, deadline);
	if (a[3] && ret == -ERESTARTNOHAND) {
		current_task()->saved_blocked = old;
		current_task()->restore_blocked = true;
	} else if (a[3]) {
		set_blocked(old);
	}
	if (ret >= 0 && copy_to_user((void *)a[0], fds, n * sizeof(*fds)))
		ret = -EFAULT;
	for (unsigned int i = 0; i < n; i++)
		if (slots[i].file)
			file_put(slots[i].file);
	vfree(fds);
	return ret;
}
