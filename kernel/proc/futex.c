/*
 * Futexes: sleeping on a word of user memory (Franke, Russell, Kirkwood: "Fuss, Futexes and
 * Furwocks", 2002).
 *
 * User space locks and unlocks with atomic instructions as long as nobody waits; the kernel only
 * keeps the queues of those who do. A waiter says which value it saw; under futex_lock the kernel
 * looks again, and only if the word still holds that value goes the waiter on the queue. A waker
 * changes the word first and takes the same lock after: so either the waiter sees the new value or
 * the waker sees the waiter.
 *
 * A word's key is where it lives: (mm, address) for private memory, (address_space, offset) for a
 * shared mapping. A private key needs no lookup; a shared call on private memory yields the same
 * key.
 *
 * One lock for all queues: simple, and never held while sleeping.
 */
#include "proc/internal.h"
#include "lib/hash.h"
#include "mm/vm/uaccess.h"

struct futex_key {
	const void *object;		/* mm or address_space */
	unsigned long where;
};

struct futex_waiter {
	struct list_head node;
	struct futex_key key;
	struct thread *thread;
	u32 bitset;
	bool woken;
};

#define FUTEX_BITS	6
static struct list_head queues[1 << FUTEX_BITS];
static DEFINE_SPINLOCK(futex_lock);

static struct list_head *queue_of(const struct futex_key *key)
{
	struct list_head *q = &queues[hash_64((unsigned long)key->object ^ key->where, FUTEX_BITS)];

	if (!q->next)
		INIT_LIST_HEAD(q);
	return q;
}

static int futex_key(const u32 *uaddr, bool shared, struct futex_key *key)
{
	struct mm *mm = current_thread()->mm;
	unsigned long addr = (unsigned long)uaddr;
	struct vma *vma;

	if (addr & 3)
		return -EINVAL;
	if (!access_ok(uaddr, 4))
		return -EFAULT;
	*key = (struct futex_key){ mm, addr };
	if (!shared)
		return 0;
	mutex_lock(&mm->mmap_lock);
	vma = find_vma_intersection(mm, addr, addr + 1);
	if (vma && vma->mapping && (vma->flags & VM_SHARED))
		*key = (struct futex_key){ vma->mapping, vma->pgoff * PAGE_SIZE + addr - vma->start };
	mutex_unlock(&mm->mmap_lock);
	return vma ? 0 : -EFAULT;
}

/*
 * Takes futex_lock if *uaddr is @val then: 0 (locked), -EAGAIN or -EFAULT. The word is read under
 * the lock without a fault; should its page be missing, it is brought in with nothing locked, and
 * all begins anew.
 */
static int lock_if_equal(const u32 *uaddr, u32 val)
{
	for (;;) {
		u32 now;
		int err;

		spin_lock(&futex_lock);
		pagefault_disable();
		err = get_user(now, uaddr);
		pagefault_enable();
		if (!err && now == val)
			return 0;
		spin_unlock(&futex_lock);
		if (!err)
			return -EAGAIN;
		if (get_user(now, uaddr))
			return -EFAULT;
		if (fatal_signal_pending(current_thread()))
			return -EINTR;
	}
}

long futex_wait(u32 *uaddr, u32 val, u64 deadline_ns, u32 bitset, bool shared)
{
	struct futex_waiter w = { .thread = current_thread(), .bitset = bitset };
	bool late = false, interrupted = false;
	long err;

	if (!bitset)
		return -EINVAL;
	err = futex_key(uaddr, shared, &w.key);
	if (!err)
		err = lock_if_equal(uaddr, val);
	if (err)
		return err;
	list_add_tail(&w.node, queue_of(&w.key));
	spin_unlock(&futex_lock);
	for (;;) {
		set_current_state(TASK_INTERRUPTIBLE);
		if (READ_ONCE(w.woken) || late || interrupted)
			break;
		if (signal_pending(w.thread))
			interrupted = true;
		else
			late = !schedule_until(deadline_ns);
	}
	set_current_state(TASK_RUNNING);
	spin_lock(&futex_lock);		/* also waits until our waker is done with w */
	if (!w.woken)
		list_del(&w.node);
	spin_unlock(&futex_lock);
	if (w.woken)
		return 0;
	return late ? -ETIMEDOUT : -ERESTARTSYS;
}

static bool same_key(const struct futex_key *a, const struct futex_key *b)
{
	return a->object == b->object && a->where == b->where;
}

/* futex_lock held. */
static long wake_queue(const struct futex_key *key, int nr, u32 bitset)
{
	struct futex_waiter *w, *next;
	long woken = 0;

	list_for_each_entry_safe(w, next, queue_of(key), node) {
		if (woken >= nr)
			break;
		if (!same_key(&w->key, key) || !(w->bitset & bitset))
			continue;
		list_del(&w->node);
		WRITE_ONCE(w->woken, true);
		wake_up_process(w->thread);
		woken++;
	}
	return woken;
}

long futex_wake(u32 *uaddr, int nr, u32 bitset, bool shared)
{
	struct futex_key key;
	long ret;

	if (!bitset)
		return -EINVAL;
	ret = futex_key(uaddr, shared, &key);
	if (ret)
		return ret;
	spin_lock(&futex_lock);
	ret = wake_queue(&key, nr, bitset);
	spin_unlock(&futex_lock);
	return ret;
}

/* futex_lock held. */
static long requeue(const struct futex_key *key, const struct futex_key *target, int nr)
{
	struct futex_waiter *w, *next;
	long moved = 0;

	list_for_each_entry_safe(w, next, queue_of(key), node) {
		if (moved >= nr)
			break;
		if (!same_key(&w->key, key))
			continue;
		w->key = *target;
		list_move_tail(&w->node, queue_of(target));
		moved++;
	}
	return moved;
}

long futex_requeue(u32 *from, u32 *to, int nr_wake, int nr_requeue, const u32 *cmpval, bool shared)
{
	struct futex_key key, target;
	long ret;

	if (nr_wake < 0 || nr_requeue < 0)
		return -EINVAL;
	ret = futex_key(from, shared, &key);
	if (!ret)
		ret = futex_key(to, shared, &target);
	if (!ret && same_key(&key, &target))
		ret = -EINVAL;		/* they would be met again and again */
	if (ret)
		return ret;
	if (cmpval)
		ret = lock_if_equal(from, *cmpval);
	else
		spin_lock(&futex_lock);
	if (ret)
		return ret;
	ret = wake_queue(&key, nr_wake, ~0U);
	ret += requeue(&key, &target, nr_requeue);
	spin_unlock(&futex_lock);
	return ret;
}

/* The word that pthread_join waits for becomes 0. */
void futex_exit(struct task *t)
{
	u32 *word = t->clear_child_tid;

	t->clear_child_tid = NULL;
	if (!word || !t->thread.mm || atomic_read(&t->thread.mm->users) <= 1)
		return;
	if (put_user(0U, word) == 0)
		futex_wake(word, 1, ~0U, true);
}
