/* System calls on memory: argument checks; the work is in mm/vm/mmap.c. */
#include "syscall/syscall.h"
#include "base/random.h"
#include "mm/cache/shmem.h"
#include "uapi/mman.h"

#define MAY_ALL	(VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC)

static struct mm *mm(void)
{
	return current_thread()->mm;
}

static long map_anonymous(const unsigned long *a)
{
	struct address_space *shared;
	long ret;

	if ((a[3] & MAP_TYPE) != MAP_SHARED)
		return vm_mmap(mm(), a[0], a[1], a[2], a[3], NULL, MAY_ALL, 0);
	if (a[1] == 0)
		return -EINVAL;
	if (a[1] > task_size)
		return -ENOMEM;
	shared = shmem_create(PAGE_ALIGN(a[1]));
	if (!shared)
		return -ENOMEM;
	ret = vm_mmap(mm(), a[0], a[1], a[2], a[3], shared, MAY_ALL, 0);
	shared->ops->put(shared);
	return ret;
}

static long map_file(struct file *file, const unsigned long *a)
{
	bool shared = (a[3] & MAP_TYPE) != MAP_PRIVATE;
	struct address_space *mapping;
	unsigned long may = MAY_ALL;
	long ret;

	if (!(file->mode & FMODE_READ))
		return -EACCES;
	if (shared && !(file->mode & FMODE_WRITE)) {
		if (a[2] & PROT_WRITE)
			return -EACCES;
		may &= ~VM_MAYWRITE;
	}
	ret = vfs_mmap_mapping(file, a[1], shared, &mapping);
	if (ret)
		return ret;
	ret = vm_mmap(mm(), a[0], a[1], a[2], a[3], mapping, may, a[5] >> PAGE_SHIFT);
	if (mapping)
		mapping->ops->put(mapping);
	return ret;
}

SYSCALL(mmap)
{
	struct file *file;
	long ret;

	if (!IS_ALIGNED(a[5], PAGE_SIZE) || (a[2] & ~7UL & ~0x03000000UL))
		return -EINVAL;
	if (a[3] & MAP_ANONYMOUS)
		return map_anonymous(a);
	file = fget(a[4]);
	if (!file)
		return -EBADF;
	ret = map_file(file, a);
	file_put(file);
	return ret;
}

SYSCALL(munmap)
{
	return vm_munmap(mm(), a[0], a[1]);
}

SYSCALL(mprotect)
{
	return vm_mprotect(mm(), a[0], a[1], a[2]);
}

SYSCALL(brk)
{
	return vm_brk(mm(), a[0]);
}

SYSCALL(mremap)
{
	return vm_mremap(mm(), a[0], a[1], a[2], a[3], a[4]);
}

SYSCALL(madvise)
{
	return vm_madvise(mm(), a[0], a[1], a[2]);
}

SYSCALL(msync)
{
	return vm_msync(mm(), a[0], a[1], a[2]);
}

SYSCALL(mincore)
{
	return vm_mincore(mm(), a[0], a[1], (unsigned char *)a[2]);
}

#define GRND_NONBLOCK	1
#define GRND_RANDOM	2
#define GRND_INSECURE	4

SYSCALL(getrandom)
{
	char *to = (char *)a[0];
	size_t left = min(a[1], 0x7fffffffUL);

	if (a[2] & ~(unsigned long)(GRND_NONBLOCK | GRND_RANDOM | GRND_INSECURE))
		return -EINVAL;
	while (left) {
		u64 word = random_u64();
		size_t n = min(left, sizeof(word));

		if (copy_to_user(to, &word, n))
			return to == (char *)a[0] ? -EFAULT : to - (char *)a[0];
		to += n;
		left -= n;
		if (to - (char *)a[0] >= 256 && signal_pending(current_thread()))
			break;
	}
	return to - (char *)a[0];
}
