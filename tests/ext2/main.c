/*
 * Tests of ext2 against real e2fsck: main crash|damage FOLDER SECONDS SEED.
 *
 * Random operations run on a mounted image and, alike, on a model. After any write that ext2 starts, the
 * power may go: a child process takes the disk as it would then be (all that was finished, any part of what
 * was in flight), has `e2fsck -fp` mend it, mounts it and looks for every file whose fsync had
 * returned.
 */
#include "orders.h"
#include "lib/string.h"

static const char *folder;
static unsigned long crashes, dir_move_crashes, runs, ops_done, fuzzed;
static unsigned int children;
static bool failed;
static double crash_deadline;
static u32 crash_one_in;		/* writes per crash; 0: none */
static int passed_tests, failed_tests;

void result(bool ok, const char *fmt, ...)
{
	va_list args;

	host_printf("%sok %d - ", ok ? "" : "not ", ++(*(ok ? &passed_tests : &failed_tests)));
	va_start(args, fmt);
	host_vprintf(fmt, args);
	va_end(args);
	host_printf("\n");
	host_flush();
}

const char *file_in_folder(const char *what, unsigned long n)
{
	static char names[8][300];
	static int next;
	char *name = names[next++ % 8];

	host_snprintf(name, 300, "%s/%s-%lu", folder, what, n);
	return name;
}

/* e2fsck's exit status; what it says goes to the file @log. */
int fsck(const char *image, const char *how, const char *log)
{
	const char *argv[] = { "e2fsck", how, image, NULL };

	host_save(log, "", 0);
	return host_run(log, argv);
}

bool make_image(u32 blocks, u32 per_group, u32 inodes)
{
	const char *image = file_in_folder("base", 0), *log = file_in_folder("mke2fs", 0);
	char count[20], group[20], nodes[20];
	const char *argv[] = { "mke2fs", "-q", "-F", "-t", "ext2", "-b", "4096", "-I", "256", "-m", "0",
		"-r", "1", "-O", "none,filetype,sparse_super,large_file", "-E", "nodiscard", "-g", group,
		"-N", nodes, image, count, NULL };
	size_t size;
	char *data;

	host_snprintf(count, sizeof(count), "%u", blocks);
	host_snprintf(group, sizeof(group), "%u", per_group);
	host_snprintf(nodes, sizeof(nodes), "%u", inodes);
	data = host_alloc(blocks * PAGE_SIZE);
	host_save(image, data, blocks * PAGE_SIZE);
	host_free(data);
	if (host_run(log, argv)) {
		host_show(log, 10);
		return false;
	}
	data = host_load(image, &size);
	disk_insert(data, blocks);
	host_free(data);
	return true;
}

/* ---- crashes -------------------------------------------------------------------------- */

static void reap(unsigned int keep)
{
	while (children > keep) {
		int child, status = host_wait(&child);

		children--;
		if (status)
			failed = true;
	}
}

/* In a child: the disk after a crash. Exit status 0: mended, and every promise kept. */
static void after_crash(unsigned long number)
{
	const char *image = file_in_folder("crash", number), *log = file_in_folder("fsck", number);
	char *data = host_alloc((size_t)disk.blocks * PAGE_SIZE);
	size_t size;
	int status;
	bool ok = true;

	disk.crash_hook = NULL;
	disk_crash(data);
	host_save(image, data, (size_t)disk.blocks * PAGE_SIZE);
	host_free(data);
	status = fsck(image, "-fp", log);
	if (status > 1) {
		complain("crash %lu: e2fsck -fp exits %d", number, status);
		host_show(log, 20);
		ok = false;
	} else {
		disk_fresh();
		data = host_load(image, &size);
		disk_insert(data, disk.blocks);
		status = mount(true);
		if (status)
			ok = complain("crash %lu: mount: %d", number, status);
		else
			ok = check_promises();
	}
	if (ok) {
		host_remove(image);
		host_remove(log);
	}
	host_exit(!ok);
}

static void maybe_crash(void)
{
	if (!crash_one_in || rnd(crash_one_in) || failed || host_seconds() > crash_deadline)
		return;
	if (moving_directory) {
		dir_move_crashes++;
		return;
	}
	reap(1);
	crashes++;
	if (host_fork() == 0) {
		rnd(1 + crashes % 7);
		after_crash(crashes);
	}
	children++;
	rnd(3);
}

/* ---- runs ----------------------------------------------------------------------------- */

static bool one_run(u32 blocks, u32 per_group, u32 inodes, unsigned int nr_ops)
{
	unsigned long pages = nr_pages_free;
	long objects = nr_objects;
	const char *image = file_in_folder("end", 0), *log = file_in_folder("end-fsck", 0);
	int status;

	if (!make_image(blocks, per_group, inodes))
		return false;
	pages = nr_pages_free;
	objects = nr_objects;
	status = mount(false);
	if (status)
		return complain("mount: %d", status);
	model_reset();
	disk.crash_hook = maybe_crash;
	for (unsigned int i = 0; i < nr_ops; i++) {
		if (!random_op() || (rnd(100) == 0 && !check_tree()))
			return false;
		ops_done++;
	}
	disk.crash_hook = NULL;
	close_all();
	if (!check_tree())
		return false;
	umount();
	host_save(image, disk.image, (size_t)disk.blocks * PAGE_SIZE);
	status = fsck(image, "-fn", log);
	if (status) {
		complain("unmounted: e2fsck -fn exits %d", status);
		host_show(log, 20);
		return false;
	}
	disk_forget();
	if (nr_pages_free != pages || nr_objects != objects)
		return complain("left behind: %ld pages, %ld objects", (long)(pages - nr_pages_free),
				nr_objects - objects);
	status = mount(true);
	if (status || !check_tree())
		return complain("second mount: %d", status);
	umount();
	disk_forget();
	runs++;
	return true;
}

static void test_crashes(unsigned long seed, double seconds)
{
	double end = host_seconds() + seconds;
	bool ok = true;

	crash_deadline = end;
	for (unsigned long n = seed; ok && !failed && (host_seconds() < end || n == seed); n++) {
		static const u32 blocks[] = { 600, 2000, 4096 };

		random_state = n * 0x9e3779b97f4a7c15UL + 1;
		rnd(2);
		crash_one_in = 1 + rnd(30);
		laziness = rnd(2) ? 95 : 0;
		ok = one_run(blocks[rnd(3)], rnd(2) ? 512 : 4096, rnd(3) ? 512 : 64, 100 + rnd(500));
		reap(0);
		if (!ok || failed)
			host_printf("# replay: tests/ext2/run.sh 1 %lu\n", n);
	}
	result(ok && !failed, "the tree is right and the disk clean after %lu runs of %lu operations",
	       runs, ops_done);
	result(!failed, "e2fsck -fp mends %lu crashes and what was fsynced is there", crashes);
	host_printf("# not crashed: %lu writes during moves of directories\n", dir_move_crashes);
}

/* A file with blocks in all three trees, then cut back to nothing. */
static bool big_file(void)
{
	static const loff_t at[] = { 5, 12 * 4096, 1036L * 4096 - 2, (1036L + 1024 * 1024) * 4096 - 3,
				     (1036L + 1024 * 1024 * 3) * 4096 + 77, 1L << 40 };
	struct file *file;
	char buf[10];
	int status;

	if (!make_image(4096, 4096, 64) || mount(false))
		return false;
	file = vfs_open(NULL, "/big", O_RDWR | O_CREAT, 0644);
	for (unsigned int i = 0; i < ARRAY_SIZE(at); i++) {
		struct iov_iter it;
		loff_t pos = at[i];

		iov_iter_init_one(&it, NULL, false, false, "0123456789", 10);
		if (vfs_write(file, &it, &pos) != 10)
			return complain("write at %ld", (long)at[i]);
		sync_all();
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(at); i++) {
		loff_t pos = at[i];

		if (kernel_read(file, buf, 10, &pos) != 10 || memcmp(buf, "0123456789", 10) != 0)
			return complain("read at %ld", (long)at[i]);
	}
	host_save(file_in_folder("big", 0), disk.image, (size_t)disk.blocks * PAGE_SIZE);
	status = fsck(file_in_folder("big", 0), "-fn", file_in_folder("big-fsck", 0));
	if (!status) {
		for (unsigned int i = ARRAY_SIZE(at); i-- > 0 && !status;)
			status = file->inode->ops->truncate(file->inode, at[i]);
		if (!status && file->inode->blocks != 8)
			status = complain("%lu sectors left", (unsigned long)file->inode->blocks) - 1;
	}
	file_put(file);
	umount();
	host_save(file_in_folder("big", 0), disk.image, (size_t)disk.blocks * PAGE_SIZE);
	if (!status)
		status = fsck(file_in_folder("big", 0), "-fn", file_in_folder("big-fsck", 0));
	if (status)
		host_show(file_in_folder("big-fsck", 0), 10);
	return !status || complain("status %d", status);
}

/* Many names make a directory grow, and all go again. */
static bool big_directory(void)
{
	char path[64];
	struct file *file;
	int err = 0;

	if (!make_image(4096, 4096, 2048) || mount(false))
		return false;
	err = vfs_mkdir(NULL, "/d", 0755);
	for (int i = 0; i < 1200 && !err; i++) {
		host_snprintf(path, sizeof(path), "/d/a-rather-long-name-%d", i);
		file = vfs_open(NULL, path, O_RDWR | O_CREAT | O_EXCL, 0644);
		err = IS_ERR(file) ? PTR_ERR(file) : 0;
		if (!err)
			file_put(file);
	}
	if (err)
		return complain("create: %d", err);
	for (int i = 0; i < 1200 && !err; i++) {
		host_snprintf(path, sizeof(path), "/d/a-rather-long-name-%d", i);
		err = vfs_unlink(NULL, path, false);
	}
	if (!err)
		err = vfs_unlink(NULL, "/d", true);
	umount();
	host_save(file_in_folder("dir", 0), disk.image, (size_t)disk.blocks * PAGE_SIZE);
	if (!err)
		err = fsck(file_in_folder("dir", 0), "-fn", file_in_folder("dir-fsck", 0));
	return !err || complain("status %d", err);
}

/* ---- bad disks ------------------------------------------------------------------------ */

/* Damages metadata: blocks that hold something, most of them small numbers near others. */
static void damage(char *image, u32 blocks)
{
	unsigned int n = 1 + rnd(30);

	for (unsigned int i = 0; i < n; i++) {
		u32 block = rnd(4) ? rnd(min(blocks, 60U)) : rnd(blocks);
		u32 *word = (u32 *)(image + block * PAGE_SIZE) + (rnd(2) ? rnd(1024) : rnd(64));

		switch (rnd(6)) {
		case 0: *word = rnd(blocks * 2); break;
		case 1: *word ^= 1U << rnd(32); break;
		case 2: *word = ~0U; break;
		case 3: *word = 0; break;
		case 4: ((u8 *)word)[rnd(4)] = rnd(256); break;
		default: *word = *((u32 *)(image + rnd(60) * PAGE_SIZE) + rnd(1024)); break;
		}
	}
}

static void use_bad_disk(char *image, u32 blocks, bool io_errors)
{
	disk_fresh();
	disk_insert(image, blocks);
	if (mount(false))
		return;
	walk_tree("/", 0);
	disk.damaged = !io_errors;
	disk.fail_in = io_errors ? 1 + rnd(200) : 0;
	for (int i = 0; i < 150; i++) {
		if (!random_op_unchecked())
			break;
		if (io_errors && !disk.fail_in && rnd(10) == 0)
			disk.fail_in = 1 + rnd(100);
	}
	close_all();
	disk.fail_in = 0;
	try_umount();		/* what could not be written keeps its inode */
}

static void test_bad_disks(unsigned long seed, double seconds, bool io_errors)
{
	double end = host_seconds() + seconds;
	unsigned long n = 0, died = 0;
	size_t size;
	char *base;

	random_state = seed * 77777 + 3 + io_errors;
	crash_one_in = 0;
	if (!make_image(1500, 512, 256) || mount(false)) {
		result(false, "a disk to damage");
		return;
	}
	model_reset();
	for (int i = 0; i < 400; i++)
		random_op();
	close_all();
	umount();
	host_save(file_in_folder("good", 0), disk.image, (size_t)disk.blocks * PAGE_SIZE);
	base = host_load(file_in_folder("good", 0), &size);
	while (host_seconds() < end && died < 3) {
		int child;

		random_state = (seed + n) * 0x9e3779b97f4a7c15UL + 7;
		rnd(9);
		if (host_fork() == 0) {
			host_limit(20);
			if (!io_errors)
				damage(base, size / PAGE_SIZE);
			use_bad_disk(base, size / PAGE_SIZE, io_errors);
			host_exit(0);
		}
		if (host_wait(&child)) {
			died++;
			host_printf("# died with seed %lu\n", seed + n);
		}
		n++;
	}
	fuzzed += n;
	result(!died, io_errors ? "%lu disks with failing requests end in errors, no panic, no hang" :
				  "%lu damaged disks end in errors, no panic, no hang", n);
	host_free(base);
}

static unsigned long number(const char *s)
{
	unsigned long n = 0;

	while (*s >= '0' && *s <= '9')
		n = n * 10 + *s++ - '0';
	return n;
}

int main(int argc, char **argv)
{
	double seconds;
	unsigned long seed;

	if (argc < 5)
		return 2;
	folder = argv[2];
	seconds = number(argv[3]);
	seed = number(argv[4]);
	verbose = argc > 5;
	random_state = seed + 1;
	if (strcmp(argv[1], "crash") == 0) {
		result(big_file(), "a file with holes in all three trees comes and goes");
		result(big_directory(), "a directory of 1200 names comes and goes");
		test_orders();
		test_crashes(seed, seconds);
	} else {
		test_bad_disks(seed, seconds / 2, false);
		test_bad_disks(seed, seconds / 2, true);
	}
	host_printf("%d passed, %d failed\n", passed_tests, failed_tests);
	host_flush();
	return failed_tests != 0;
}
