/* ppoll and pselect6: waiting for one of several files. */
#include "syscall/syscall.h"
#include "lib/bitops.h"
#include "lib/string.h"
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

/* Waits with the files of all descriptors held. As poll_wait(). */
static long poll_files(struct pollfd *fds, struct poll_slot *slots, unsigned int n, u64 deadline)
{
	long ret;

	for (unsigned int i = 0; i < n; i++) {
		slots[i] = (struct poll_slot){ .file = fds[i].fd >= 0 ? fget(fds[i].fd) : NULL };
		INIT_LIST_HEAD(&slots[i].entry.node);
		slots[i].entry.thread = current_thread();
	}
	ret = poll_wait(fds, slots, n, deadline);
	for (unsigned int i = 0; i < n; i++)
		if (slots[i].file)
			file_put(slots[i].file);
	return ret;
}

/* One call: until when it waits, and which signals it lets through. */
struct poll_call {
	u64 deadline;			/* 0: do not wait, ~0: forever */
	bool masked;
	sigset_t mask, old;
};

/* 0, -EFAULT or -EINVAL. */
static int poll_begin(struct poll_call *c, const struct timespec *utimeout, const sigset_t *umask,
		      size_t mask_size)
{
	int err = 0;
	u64 timeout = get_timeout(utimeout, &err);

	if (err)
		return err;
	c->masked = umask != NULL;
	if (umask && mask_size != sizeof(c->mask))
		return -EINVAL;
	if (umask && get_user(c->mask, umask))
		return -EFAULT;
	c->deadline = timeout;
	if (timeout && timeout != ~0UL)
		c->deadline = restarted_deadline(ktime_get() + timeout);
	c->old = current_task()->blocked;
	if (c->masked)
		set_blocked(c->mask);
	return 0;
}

/* What the call returns, given what the wait did. */
static long poll_end(struct poll_call *c, long ret)
{
	struct task *t = current_task();

	if (c->masked && ret == -ERESTARTNOHAND) {
		/* First the signal, which only the new mask may let through, then the old mask. */
		t->saved_blocked = c->old;
		t->restore_blocked = true;
	} else if (c->masked) {
		set_blocked(c->old);
	}
	if (ret == -ERESTARTNOHAND && c->deadline != ~0UL)
		ret = restart_with_deadline(c->deadline);
	return ret;
}

/* Replaces *@fds and *@slots, which have room for POLL_ON_STACK, if need be. False: no memory. */
static bool poll_alloc(unsigned int n, struct pollfd **fds, struct poll_slot **slots)
{
	if (n > POLL_ON_STACK) {
		*fds = vmalloc(n * (sizeof(**fds) + sizeof(**slots)), GFP_KERNEL);
		*slots = (struct poll_slot *)(*fds + n);
	}
	return *fds != NULL;
}

SYSCALL(ppoll)
{
	struct pollfd few[POLL_ON_STACK], *fds = few, *user = (struct pollfd *)a[0];
	struct poll_slot few_slots[POLL_ON_STACK], *slots = few_slots;
	unsigned int n = a[1];
	struct poll_call call;
	long ret;

	if (n > NR_OPEN_MAX)
		return -EINVAL;
	if (!poll_alloc(n, &fds, &slots))
		return -ENOMEM;
	ret = -EFAULT;
	if (copy_from_user(fds, user, n * sizeof(*fds)))
		goto out;
	ret = poll_begin(&call, (const struct timespec *)a[2], (const sigset_t *)a[3], a[4]);
	if (ret)
		goto out;
	ret = poll_end(&call, poll_files(fds, slots, n, call.deadline));
	if (ret >= 0 && copy_to_user(user, fds, n * sizeof(*fds)))
		ret = -EFAULT;
out:
	if (fds != few)
		vfree(fds);
	return ret;
}

/* ---- select ----------------------------------------------------------------------------- */

#define SELECT_WORDS	(NR_OPEN_MAX / 64)
enum { SEL_IN, SEL_OUT, SEL_EX, SEL_SETS };

/* The sets of descriptors 0 to n - 1, as words of 64. */
struct select_sets {
	unsigned long bits[SEL_SETS][SELECT_WORDS];
};

static const unsigned short select_asks[SEL_SETS] = {
	POLLIN | POLLRDNORM, POLLOUT | POLLWRNORM, POLLPRI,
};
static const unsigned short select_tells[SEL_SETS] = {
	POLLIN | POLLRDNORM | POLLHUP | POLLERR, POLLOUT | POLLWRNORM | POLLERR, POLLPRI,
};

static size_t set_bytes(unsigned int n)
{
	return DIV_ROUND_UP(n, 64U) * sizeof(long);
}

static int get_sets(struct select_sets *sets, const unsigned long *user, unsigned int n)
{
	memset(sets, 0, sizeof(*sets));
	for (unsigned int s = 0; s < SEL_SETS; s++)
		if (user[s] && copy_from_user(sets->bits[s], (void *)user[s], set_bytes(n)))
			return -EFAULT;
	return 0;
}

/* Descriptors of the sets: their number, or -EBADF if one is not open. */
static int sets_to_fds(const struct select_sets *sets, unsigned int n, struct pollfd *fds)
{
	unsigned int count = 0;

	for (unsigned int fd = 0; fd < n; fd++) {
		unsigned short events = 0;

		for (unsigned int s = 0; s < SEL_SETS; s++)
			if (test_bit(fd, sets->bits[s]))
				events |= select_asks[s];
		if (!events)
			continue;
		if (fd_cloexec(fd, -1) < 0)
			return -EBADF;
		fds[count++] = (struct pollfd){ .fd = fd, .events = events };
	}
	return count;
}

/* Leaves the bits of what is ready: their number. */
static long fds_to_sets(struct select_sets *sets, const struct pollfd *fds, unsigned int count)
{
	struct select_sets asked = *sets;
	long ready = 0;

	memset(sets, 0, sizeof(*sets));
	for (unsigned int i = 0; i < count; i++) {
		for (unsigned int s = 0; s < SEL_SETS; s++) {
			if (!test_bit(fds[i].fd, asked.bits[s]) ||
			    !((unsigned short)fds[i].revents & select_tells[s]))
				continue;
			__set_bit(fds[i].fd, sets->bits[s]);
			ready++;
		}
	}
	return ready;
}

static int put_sets(const struct select_sets *sets, const unsigned long *user, unsigned int n)
{
	for (unsigned int s = 0; s < SEL_SETS; s++)
		if (user[s] && copy_to_user((void *)user[s], sets->bits[s], set_bytes(n)))
			return -EFAULT;
	return 0;
}

static long do_select(unsigned int n, const unsigned long *user, struct poll_call *call,
		      struct pollfd *fds, struct poll_slot *slots)
{
	struct select_sets sets;
	int count, err = get_sets(&sets, user, n);
	long ret;

	if (err)
		return err;
	count = sets_to_fds(&sets, n, fds);
	if (count < 0)
		return count;
	ret = poll_files(fds, slots, count, call->deadline);
	if (ret < 0)
		return ret;
	ret = fds_to_sets(&sets, fds, count);
	err = put_sets(&sets, user, n);
	return err ? err : ret;
}

SYSCALL(pselect6)
{
	unsigned int n = min((unsigned int)a[0], (unsigned int)NR_OPEN_MAX);
	struct {
		const sigset_t *mask;
		size_t size;
	} sig = { 0 };
	struct pollfd *fds;
	struct poll_call call;
	long ret;

	if ((int)a[0] < 0)
		return -EINVAL;
	if (a[5] && get_user(sig, (__typeof__(sig) *)a[5]))
		return -EFAULT;
	fds = vmalloc(max(n, 1U) * (sizeof(*fds) + sizeof(struct poll_slot)), GFP_KERNEL);
	if (!fds)
		return -ENOMEM;
	ret = poll_begin(&call, (const struct timespec *)a[4], sig.mask, sig.size);
	if (!ret)
		ret = poll_end(&call, do_select(n, &a[1], &call, fds,
						(struct poll_slot *)(fds + n)));
	vfree(fds);
	return ret;
}
