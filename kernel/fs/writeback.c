/*
 * The flusher: a kernel thread that writes what is dirty.
 *
 * It sleeps without a timer while all is clean, so an idle machine stays idle. The first thing to
 * become dirty (flusher_kick) starts five seconds of grace, in which more may gather; then it
 * writes every dirty inode and the filesystems' own metadata, without waiting for the device. Too
 * many dirty pages (flusher_wake_hook: balance_dirty_pages, reclaim) end the grace at once.
 *
 * It may use the reserves of the page allocator, for it is what makes memory clean.
 */
#include "base/initcall.h"
#include "base/panic.h"
#include "fs/internal.h"
#include "mm/cache/writeback.h"
#include "mm/phys/vmstat.h"
#include "task/kthread.h"

#define GRACE_NS	(5 * NSEC_PER_SEC)

static DEFINE_WAIT_QUEUE(flusher_wait);
static bool dirty_seen, urgent;

void flusher_kick(void)
{
	if (READ_ONCE(dirty_seen))
		return;
	WRITE_ONCE(dirty_seen, true);
	wake_up(&flusher_wait);
}

static void flusher_wake_now(void)
{
	if (READ_ONCE(urgent))
		return;
	WRITE_ONCE(dirty_seen, true);
	WRITE_ONCE(urgent, true);
	wake_up(&flusher_wait);
}

static bool anything_dirty(void)
{
	struct super_block *sb;

	list_for_each_entry(sb, &super_blocks, node)
		if (!list_empty(&sb->dirty))
			return true;
	return vm_stat_read(NR_FILE_DIRTY) > 0;
}

static void flush_everything(void)
{
	struct super_block *sb;

	list_for_each_entry(sb, &super_blocks, node) {
		if (sb->uncached || sb->read_only)
			continue;
		mutex_lock(&sb->sync_mutex);
		write_dirty_inodes(sb);
		if (sb->ops->sync_fs)
			sb->ops->sync_fs(sb, false);
		mutex_unlock(&sb->sync_mutex);
	}
}

static void flusher(void *unused)
{
	(void)unused;
	current_thread()->pf_flags |= PF_MEMALLOC;
	for (;;) {
		u64 deadline;

		wait_event(&flusher_wait, READ_ONCE(dirty_seen));
		deadline = ktime_get() + GRACE_NS;
		(void)wait_event_until(&flusher_wait, READ_ONCE(urgent), deadline);
		WRITE_ONCE(dirty_seen, false);
		WRITE_ONCE(urgent, false);
		smp_mb();	/* what becomes dirty from here on counts for the next round */
		flush_everything();
		if (anything_dirty())
			WRITE_ONCE(dirty_seen, true);
	}
}

static int flusher_init(void)
{
	if (!kthread_run(flusher, NULL, "flusher"))
		return -ENOMEM;
	flusher_wake_hook = flusher_wake_now;
	return 0;
}
late_initcall(flusher_init);
