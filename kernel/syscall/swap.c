/* swapon(2) and swapoff(2). */
#include "syscall/syscall.h"
#include "block/block.h"
#include "mm/cache/swap.h"
#include "lib/string.h"
#include "mm/fault/fault.h"
#include "mm/slab/slab.h"

#define SWAP_FLAG_PREFER	0x8000
#define SWAP_FLAG_PRIO_MASK	0x7fff
#define SWAP_FLAGS_KNOWN	(SWAP_FLAG_PREFER | SWAP_FLAG_PRIO_MASK | 0x10000 /* discard */)
#define ROUNDS			16	/* over all processes, while they fork */

/* The block device that @path names, which is copied to @name: or NULL and *@err. */
static struct block_device *get_device(const char *user_path, char *name, size_t size, int *err)
{
	char *path = getname(user_path);
	struct block_device *bdev = NULL;
	struct dentry *base, *dentry;

	if (IS_ERR(path)) {
		*err = PTR_ERR(path);
		return NULL;
	}
	base = get_cwd();
	dentry = path_lookup(base, path, LOOKUP_FOLLOW);
	dput(base);
	*err = IS_ERR(dentry) ? PTR_ERR(dentry) : 0;
	if (!*err) {
		if (S_ISBLK(dentry->inode->mode))
			bdev = find_block_device_dev(dentry->inode->rdev);
		if (!bdev)
			*err = S_ISBLK(dentry->inode->mode) ? -ENXIO : -ENOTBLK;
		dput(dentry);
	}
	strscpy(name, path, size);
	putname(path);
	return bdev;
}

SYSCALL(swapon)
{
	struct block_device *bdev;
	char name[32];
	int err;

	if (a[1] & ~(unsigned long)SWAP_FLAGS_KNOWN)
		return -EINVAL;
	bdev = get_device((const char *)a[0], name, sizeof(name), &err);
	if (!bdev)
		return err;
	return swap_on(bdev, name, a[1] & SWAP_FLAG_PREFER ? (int)(a[1] & SWAP_FLAG_PRIO_MASK) : -1);
}

/* One round over all processes: 0 or the first error. */
static int unuse_all(unsigned int type)
{
	pid_t *pids = NULL;
	unsigned int n = 0, max;
	struct process *p;
	int err = 0;

	max = pid_list(NULL, 0) + 64;
	pids = kmalloc(max * sizeof(*pids), GFP_KERNEL);
	if (!pids)
		return -ENOMEM;
	n = min(pid_list(pids, max), max);
	for (unsigned int i = 0; i < n && !err; i++) {
		struct mm *mm;

		p = find_get_process(pids[i]);
		if (!p)
			continue;
		mm = get_process_mm(p);
		process_put(p);
		if (!mm)
			continue;
		err = unuse_mm(mm, type);
		mm_put(mm);
	}
	kfree(pids);
	return err;
}

SYSCALL(swapoff)
{
	struct block_device *bdev;
	char name[32];
	int type, err;

	bdev = get_device((const char *)a[0], name, sizeof(name), &err);
	if (!bdev)
		return err;
	type = swap_type_of(bdev);
	if (type < 0)
		return type;
	swap_area_set_writeok(type, false);
	/* Without room for what lies there, nothing changes. A victim could not even go: we hold its mm. */
	current_thread()->pf_flags |= PF_NO_OOM;
	for (int i = 0; i < ROUNDS; i++) {
		err = unuse_all(type);
		if (err)
			break;
		err = swap_off_end(type);
		if (err != -EBUSY)
			break;
	}
	current_thread()->pf_flags &= ~PF_NO_OOM;
	if (err)
		swap_area_set_writeok(type, true);
	return err;
}
