/*
 * The pairs of changes that ordering.c lists, one by one: every state of the disk that a crash in the
 * middle could leave, not a random one. New inodes are made to lie in different pages of the table, so
 * that the order within a step matters.
 */
#include "orders.h"
#include "fs/ext2/ext2.h"
#include "fs/internal.h"
#include "lib/string.h"

static unsigned long states, bad_states;
static const char *current;

static void one_state(u32 subset)
{
	const char *image = file_in_folder("order", 0), *log = file_in_folder("order-fsck", 0);
	char *data = host_alloc((size_t)disk.blocks * PAGE_SIZE);
	int status;

	memcpy(data, disk.image, (size_t)disk.blocks * PAGE_SIZE);
	for (unsigned int i = 0; i < disk.nr_flight; i++)
		if (subset >> i & 1)
			memcpy(data + disk.flight[i].bio->sector / 8 * PAGE_SIZE, disk.flight[i].data,
			       PAGE_SIZE);
	host_save(image, data, (size_t)disk.blocks * PAGE_SIZE);
	host_free(data);
	states++;
	status = fsck(image, "-fp", log);
	if (status > 1 && bad_states++ < 3) {
		host_printf("# %s: e2fsck -fp exits %d\n", current, status);
		host_show(log, 6);
	}
}

static bool is_data(unsigned int n)
{
	return disk.flight[n].bio->pages[0]->mapping->ops == &ext2_aops;
}

/*
 * All subsets of the metadata in flight that have the newest; those without were seen before. New data
 * is not pointed to yet, so it makes no difference.
 */
static void every_state(void)
{
	unsigned int newest = disk.nr_flight - 1, older[MAX_FLIGHT], n = 0;

	if (moving_directory || is_data(newest))
		return;
	for (unsigned int i = 0; i < newest; i++)
		if (!is_data(i))
			older[n++] = i;
	if (n > 5) {			/* too many: all the pairs will do */
		for (unsigned int i = 0; i < n; i++)
			one_state(1U << newest | 1U << older[i]);
		return;
	}
	for (u32 choice = 0; choice < 1U << n; choice++) {
		u32 subset = 1U << newest;

		for (unsigned int i = 0; i < n; i++)
			subset |= (choice >> i & 1) << older[i];
		one_state(subset);
	}
}

static void must(int err)
{
	if (err)
		panic("%s: %d\n", current, err);
}

static void make_file(const char *path, unsigned int size)
{
	struct file *file = vfs_open(NULL, path, O_RDWR | O_CREAT | O_EXCL, 0644);
	static char buf[60000];
	struct iov_iter it;
	loff_t pos = 0;

	must(IS_ERR(file) ? PTR_ERR(file) : 0);
	memset(buf, path[1], sizeof(buf));
	iov_iter_init_one(&it, NULL, false, false, buf, size);
	must(vfs_write(file, &it, &pos) == (ssize_t)size ? 0 : -EIO);
	file_put(file);
}

static unsigned long ino_of(const char *path)
{
	struct dentry *dentry = path_lookup(NULL, path, 0);
	unsigned long ino;

	must(IS_ERR(dentry) ? PTR_ERR(dentry) : 0);
	ino = dentry->inode->ino;
	dput(dentry);
	return ino;
}

/* The next inode will be the last in its page of the table (at any rate with 256-byte inodes). */
static void fill_table_page(const char *prefix)
{
	char path[40];
	unsigned long ino;
	int i = 0;

	do {
		host_snprintf(path, sizeof(path), "/%s%d", prefix, i++);
		make_file(path, 10);
		ino = ino_of(path);
	} while (ino % 16 != 15);
}

static void some_data(void)
{
	write_dirty_inodes(root_dentry->sb);
	disk_idle();
}

/* ---- the pairs ------------------------------------------------------------------------- */

static void new_dir_new_child(void)
{
	must(vfs_mkdir(NULL, "/d", 0755));
	make_file("/d/f", 5000);
	some_data();
	must(vfs_mkdir(NULL, "/d/e", 0755));
	make_file("/d/e/g", 5000);
	some_data();
}

static void child_and_dir_go(void)
{
	new_dir_new_child();
	sync_all();
	must(vfs_unlink(NULL, "/d/e/g", false));
	must(vfs_unlink(NULL, "/d/e", true));
	must(vfs_unlink(NULL, "/d/f", false));
	must(vfs_unlink(NULL, "/d", true));
}

static void removed_and_made_again(void)
{
	make_file("/f", 9000);
	sync_all();
	fill_table_page("y");
	must(vfs_unlink(NULL, "/f", false));
	make_file("/f", 7000);
	some_data();
	must(vfs_rename(NULL, "/f", NULL, "/g", 0));
	make_file("/f", 100);
	some_data();
}

static void new_file_over_old(void)
{
	make_file("/f", 9000);
	sync_all();
	fill_table_page("y");
	make_file("/f.new", 7000);
	some_data();
	must(vfs_rename(NULL, "/f.new", NULL, "/f", 0));
}

static void old_file_over_old(void)
{
	must(vfs_mkdir(NULL, "/d", 0755));
	make_file("/f", 9000);
	fill_table_page("y");
	make_file("/d/f", 9000);
	sync_all();
	must(vfs_rename(NULL, "/f", NULL, "/d/f", 0));
	must(vfs_rename(NULL, "/d/f", NULL, "/d/g", 0));
}

static void moved_then_dir_goes(void)
{
	must(vfs_mkdir(NULL, "/d", 0755));
	fill_table_page("y");
	make_file("/d/f", 9000);
	sync_all();
	must(vfs_rename(NULL, "/d/f", NULL, "/f", 0));
	must(vfs_unlink(NULL, "/d", true));
}

static void blocks_change_hands(void)
{
	make_file("/a", 55000);
	make_file("/b", 100);
	sync_all();
	must(vfs_unlink(NULL, "/a", false));
	make_file("/c", 60000);
	some_data();
	must(vfs_unlink(NULL, "/b", false));
	make_file("/e", 60000);
	some_data();
}

static void inodes_change_hands(void)
{
	make_file("/a", 5000);
	must(vfs_mkdir(NULL, "/d", 0755));
	sync_all();
	must(vfs_unlink(NULL, "/a", false));
	must(vfs_unlink(NULL, "/d", true));
	must(vfs_mkdir(NULL, "/e", 0755));
	make_file("/e/g", 5000);
	some_data();
}

static void directory_grows(void)
{
	char path[300];

	must(vfs_mkdir(NULL, "/d", 0755));
	for (int i = 0; i < 25; i++) {
		host_snprintf(path, sizeof(path), "/d/%0240d", i);
		make_file(path, 10);
		if (i == 13)
			sync_all();
	}
	some_data();
}

/* The name comes again in another page of its directory. */
static void name_changes_page(void)
{
	char path[300], last[300];

	must(vfs_mkdir(NULL, "/d", 0755));
	for (int i = 0; i < 20; i++) {
		host_snprintf(path, sizeof(path), "/d/%0240d", i);
		make_file(path, 10);
	}
	strscpy(last, path, sizeof(last));
	host_snprintf(path, sizeof(path), "/d/%0240d", 3);
	must(vfs_unlink(NULL, path, false));
	sync_all();
	must(vfs_unlink(NULL, last, false));
	make_file(last, 5000);
	some_data();
}

/* The number of a removed file is the first to be free, and is wanted for a directory. */
static void inode_becomes_directory(void)
{
	must(vfs_mkdir(NULL, "/d", 0755));
	fill_table_page("y");
	make_file("/d/a", 5000);
	sync_all();
	must(vfs_unlink(NULL, "/d/a", false));
	must(vfs_mkdir(NULL, "/b", 0755));
}

static void new_file_over_far_one(void)
{
	must(vfs_mkdir(NULL, "/d", 0755));
	make_file("/f", 9000);
	sync_all();
	make_file("/d/f", 7000);
	some_data();
	must(vfs_rename(NULL, "/d/f", NULL, "/f", 0));
}

static void links_and_symlinks(void)
{
	char text[500];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = 0;
	make_file("/f", 5000);
	some_data();
	fill_table_page("y");
	must(vfs_symlink(text, NULL, "/long"));
	must(vfs_symlink("short", NULL, "/short"));
	sync_all();
	must(vfs_unlink(NULL, "/long", false));
	must(vfs_unlink(NULL, "/short", false));
}

static const struct {
	const char *what;
	void (*run)(void);
} orders[] = {
	{ "a new directory and a new file in it", new_dir_new_child },
	{ "a file and then its directory go", child_and_dir_go },
	{ "a name goes and comes again", removed_and_made_again },
	{ "a new file replaces an old one", new_file_over_old },
	{ "an old file replaces another and moves on", old_file_over_old },
	{ "a file moves out of a directory that goes", moved_then_dir_goes },
	{ "blocks of a removed file are wanted", blocks_change_hands },
	{ "inodes of removed files are wanted", inodes_change_hands },
	{ "a directory grows", directory_grows },
	{ "a name comes again in another page", name_changes_page },
	{ "the inode of a removed file is wanted for a directory", inode_becomes_directory },
	{ "a new file replaces one in another directory", new_file_over_far_one },
	{ "symlinks, long and short", links_and_symlinks },
};

void test_orders(void)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(orders); i++) {
		current = orders[i].what;
		states = bad_states = 0;
		if (!make_image(800, 800, 512) || mount(false)) {
			result(false, "%s: no disk", current);
			continue;
		}
		fill_table_page("x");
		sync_all();
		disk.crash_hook = every_state;
		orders[i].run();
		root_dentry->sb->ops->sync_fs(root_dentry->sb, false);
		disk.crash_hook = NULL;
		umount();
		result(!bad_states, "%s: all %lu states mended", current, states);
	}
}
