#include "model.h"
#include "fs/internal.h"
#include "lib/string.h"

struct name names[MAX_NAMES];
bool moving_directory;
char last_op[600];
u32 laziness;
static bool anything_goes;
static struct {
	struct file *file;
	struct body *body;
} opened[MAX_OPEN];

bool complain(const char *fmt, ...)
{
	va_list args;

	if (anything_goes)
		return true;
	host_printf("# ");
	va_start(args, fmt);
	host_vprintf(fmt, args);
	va_end(args);
	host_printf("\n#   after: %s; kernel's last line: %s\n", last_op, last_log);
	return false;
}

static struct body *new_body(umode_t type)
{
	struct body *body = host_alloc(sizeof(*body));

	body->type = type;
	body->names = 1;
	return body;
}

void model_reset(void)
{
	memset(names, 0, sizeof(names));
	names[0].used = true;
	names[0].body = new_body(S_IFDIR);
}

static void path_of(int n, char *buf, size_t size)
{
	char up[512];

	if (n == 0) {
		buf[0] = 0;
		return;
	}
	path_of(names[n].parent, up, sizeof(up));
	host_snprintf(buf, size, "%s/%s", up, names[n].text);
}

static void break_promise(struct body *body)
{
	host_free(body->promised);
	body->promised = NULL;
}

static void promise(int n)
{
	struct body *body = names[n].body;

	break_promise(body);
	body->promised = host_alloc(body->size + 1);
	body->promised_size = body->size;
	memcpy(body->promised, body->data, body->size);
	path_of(n, body->promised_path, sizeof(body->promised_path));
}

static void drop_body(struct body *body)
{
	if (body->names || body->opens)
		return;
	break_promise(body);
	host_free(body->data);
	host_free(body);
}

static int pick(bool (*want)(const struct name *))
{
	int found = -1, seen = 0;

	for (int i = 0; i < MAX_NAMES; i++)
		if (names[i].used && want(&names[i]) && rnd(++seen) == 0)
			found = i;
	return found;
}

static bool any_dir(const struct name *n) { return S_ISDIR(n->body->type); }
static bool any_file(const struct name *n) { return S_ISREG(n->body->type); }
static bool not_root(const struct name *n) { return n != names; }
static bool not_dir(const struct name *n) { return !S_ISDIR(n->body->type); }
static bool sub_dir(const struct name *n) { return S_ISDIR(n->body->type) && n != names; }

static bool has_children(int n)
{
	for (int i = 1; i < MAX_NAMES; i++)
		if (names[i].used && names[i].parent == n)
			return true;
	return false;
}

static int find_name(int parent, const char *text)
{
	for (int i = 1; i < MAX_NAMES; i++)
		if (names[i].used && names[i].parent == parent && strcmp(names[i].text, text) == 0)
			return i;
	return -1;
}

static int depth_of(int n)
{
	return n ? 1 + depth_of(names[n].parent) : 0;
}

/* A free slot with a random name in a random directory; sometimes a name that was there before. */
static int new_name(void)
{
	int slot = 1, parent = pick(any_dir);
	unsigned int len = rnd(20) == 0 ? 100 + rnd(155) : 0;

	while (slot < MAX_NAMES && names[slot].used)
		slot++;
	if (slot == MAX_NAMES || depth_of(parent) > 5)
		return -1;
	host_snprintf(names[slot].text, sizeof(names[slot].text), "n%u", rnd(rnd(2) ? 8 : 2000));
	for (unsigned int i = strlen(names[slot].text); i < len && depth_of(parent) < 1; i++) {
		names[slot].text[i] = 'x';
		names[slot].text[i + 1] = 0;
	}
	if (find_name(parent, names[slot].text) > 0)
		return -1;
	names[slot].parent = parent;
	return slot;
}

static bool expect(int got, int want, const char *what, const char *path)
{
	if (got == want || got == -ENOSPC || anything_goes)
		return true;
	return complain("%s %s: %d, expected %d", what, path, got, want);
}

static void note(const char *what, const char *a, const char *b)
{
	host_snprintf(last_op, sizeof(last_op), "%s %s %s", what, a, b);
	if (verbose)
		host_printf("# op: %s\n", last_op);
}

/* ---- operations ----------------------------------------------------------------------- */

static bool op_create(void)
{
	int slot = new_name(), err;
	char path[600];
	struct file *file;

	if (slot < 0)
		return true;
	path_of(slot, path, sizeof(path));
	note("create", path, "");
	file = vfs_open(NULL, path, O_RDWR | O_CREAT | O_EXCL, 0644);
	err = IS_ERR(file) ? PTR_ERR(file) : 0;
	if (!err) {
		file_put(file);
		names[slot].used = true;
		names[slot].body = new_body(S_IFREG);
	}
	return expect(err, 0, "create", path);
}

static bool op_mkdir(void)
{
	int slot = new_name(), err;
	char path[600];

	if (slot < 0)
		return true;
	path_of(slot, path, sizeof(path));
	note("mkdir", path, "");
	err = vfs_mkdir(NULL, path, 0755);
	if (!err) {
		names[slot].used = true;
		names[slot].body = new_body(S_IFDIR);
	}
	return expect(err, 0, "mkdir", path);
}

static bool op_symlink(void)
{
	int slot = new_name(), err;
	char path[600], text[3000];
	unsigned int len = rnd(2) ? 1 + rnd(70) : 1 + rnd(2900);

	if (slot < 0)
		return true;
	for (unsigned int i = 0; i < len; i++)
		text[i] = 'a' + i % 26;
	text[len] = 0;
	path_of(slot, path, sizeof(path));
	note("symlink", path, "");
	err = vfs_symlink(text, NULL, path);
	if (!err) {
		names[slot].used = true;
		names[slot].body = new_body(S_IFLNK);
		names[slot].body->size = len;
		names[slot].body->data = host_alloc(len + 1);
		memcpy(names[slot].body->data, text, len + 1);
	}
	return expect(err, 0, "symlink", path);
}

static void resize(struct body *body, size_t size)
{
	char *data = host_alloc(size + 1);

	memcpy(data, body->data, min(size, body->size));
	host_free(body->data);
	body->data = data;
	body->size = size;
}

static loff_t random_offset(const struct body *body)
{
	switch (rnd(8)) {
	case 0: return rnd(20 * 4096);
	case 1: return rnd(200) ? rnd(60 * 4096) : 4243456 + rnd(400 * 4096);	/* double indirect */
	case 2: return 0;
	default: return body->size ? body->size - rnd(min(body->size, (size_t)5000)) : 0;
	}
}

static bool write_to(struct file *file, struct body *body, const char *path)
{
	static char buf[120000];
	loff_t pos = random_offset(body), at = pos;
	size_t len = rnd(3) ? 1 + rnd(6000) : 1 + rnd(sizeof(buf));
	struct iov_iter it;
	ssize_t n;

	for (size_t i = 0; i < len; i++)
		buf[i] = 1 + (pos + i * 7 + random_state) % 255;
	note("write", path, "");
	break_promise(body);
	iov_iter_init_one(&it, NULL, false, false, buf, len);
	n = vfs_write(file, &it, &at);
	if (n < 0)
		return expect(n, 0, "write", path);
	if ((size_t)n < len && n % PAGE_SIZE != (PAGE_SIZE - pos % PAGE_SIZE) % PAGE_SIZE &&
	    (pos + n) % PAGE_SIZE)
		return complain("write %s: %ld of %lu", path, (long)n, (unsigned long)len);
	if (pos + (size_t)n > body->size)
		resize(body, pos + n);
	memcpy(body->data + pos, buf, n);
	return true;
}

static bool op_write(void)
{
	int n = pick(any_file);
	struct file *file;
	char path[600];
	bool ok;

	if (n < 0)
		return true;
	path_of(n, path, sizeof(path));
	file = vfs_open(NULL, path, O_RDWR, 0);
	if (IS_ERR(file))
		return complain("open %s: %ld", path, PTR_ERR(file));
	ok = write_to(file, names[n].body, path);
	file_put(file);
	return ok;
}

/* A write through a shared mapping, of one page within the size. */
static bool op_mmap(void)
{
	int n = pick(any_file), err;
	struct address_space *mapping;
	struct dentry *dentry;
	struct body *body;
	struct page *page;
	char path[600];
	size_t at;

	if (n < 0 || !names[n].body->size)
		return true;
	body = names[n].body;
	path_of(n, path, sizeof(path));
	note("mmap", path, "");
	dentry = path_lookup(NULL, path, 0);
	if (IS_ERR(dentry))
		return complain("lookup %s: %ld", path, PTR_ERR(dentry));
	if (!S_ISREG(dentry->inode->mode)) {
		dput(dentry);
		return complain("%s is no file", path);
	}
	break_promise(body);
	mapping = &dentry->inode->mapping;
	at = rnd(body->size);
	page = read_cache_page(mapping, at / PAGE_SIZE);
	if (IS_ERR(page)) {
		dput(dentry);
		return complain("read %s: %ld", path, PTR_ERR(page));
	}
	lock_page(page);
	err = mapping->ops->page_mkwrite(mapping, page);
	if (!err) {
		((char *)page_address(page))[at % PAGE_SIZE] = 'm';
		body->data[at] = 'm';
		set_page_dirty(page);
	}
	unlock_page(page);
	put_page(page);
	dput(dentry);
	return expect(err, 0, "mmap", path);
}

static bool op_truncate(void)
{
	int n = pick(any_file), err;
	struct dentry *dentry;
	struct body *body;
	char path[600];
	size_t size;

	if (n < 0)
		return true;
	body = names[n].body;
	size = rnd(4) == 0 ? 0 : rnd(3) ? rnd(body->size + 1) : body->size + rnd(10000);
	path_of(n, path, sizeof(path));
	note("truncate", path, "");
	dentry = path_lookup(NULL, path, 0);
	if (IS_ERR(dentry))
		return complain("lookup %s: %ld", path, PTR_ERR(dentry));
	break_promise(body);
	err = vfs_truncate(dentry->inode, size);
	dput(dentry);
	if (!err)
		resize(body, size);
	return expect(err, 0, "truncate", path);
}

static bool op_unlink(void)
{
	int n = pick(not_dir), err;
	struct body *body;
	char path[600];

	if (n < 0)
		return true;
	body = names[n].body;
	path_of(n, path, sizeof(path));
	note("unlink", path, "");
	break_promise(body);
	err = vfs_unlink(NULL, path, false);
	if (!err) {
		names[n].used = false;
		body->names--;
		drop_body(body);
	}
	return expect(err, 0, "unlink", path);
}

static bool op_rmdir(void)
{
	int n = pick(sub_dir), err;
	bool full;
	char path[600];

	if (n < 0)
		return true;
	full = has_children(n);
	path_of(n, path, sizeof(path));
	note("rmdir", path, "");
	err = vfs_unlink(NULL, path, true);
	if (!err && !full) {
		names[n].used = false;
		names[n].body->names--;
		drop_body(names[n].body);
	}
	return expect(err, full ? -ENOTEMPTY : 0, "rmdir", path);
}

static bool op_link(void)
{
	int from = pick(not_dir), slot = new_name(), err;
	char path[600], to[600];
	struct dentry *dentry;

	if (slot < 0 || from < 0)
		return true;
	path_of(from, path, sizeof(path));
	path_of(slot, to, sizeof(to));
	note("link", path, to);
	dentry = path_lookup(NULL, path, 0);
	if (IS_ERR(dentry))
		return complain("lookup %s: %ld", path, PTR_ERR(dentry));
	err = vfs_link(dentry, NULL, to);
	dput(dentry);
	if (!err) {
		names[slot].used = true;
		names[slot].body = names[from].body;
		names[slot].body->names++;
	}
	return expect(err, 0, "link", to);
}

static bool is_below(int n, int top)
{
	for (; n; n = names[n].parent)
		if (n == top)
			return true;
	return top == 0;
}

static int rename_error(int from, int to, int parent)
{
	bool dir = S_ISDIR(names[from].body->type);

	if (dir && is_below(parent, from))
		return -EINVAL;
	if (to < 0)
		return 0;
	if (is_below(names[from].parent, to))
		return -ENOTEMPTY;
	if (names[to].body == names[from].body)
		return 0;
	if (dir != S_ISDIR(names[to].body->type))
		return dir ? -ENOTDIR : -EISDIR;
	return dir && has_children(to) ? -ENOTEMPTY : 0;
}

static bool op_rename(void)
{
	int from = pick(not_root), to = rnd(2) ? pick(not_root) : -1, slot = -1, err, want;
	char path[600], new_path[600], text[256];
	int parent;

	if (from < 0)
		return true;
	if (to < 0) {
		slot = new_name();
		if (slot < 0)
			return true;
	}
	parent = names[to < 0 ? slot : to].parent;
	strscpy(text, names[to < 0 ? slot : to].text, sizeof(text));
	path_of(from, path, sizeof(path));
	path_of(to < 0 ? slot : to, new_path, sizeof(new_path));
	note("rename", path, new_path);
	for (int i = 0; i < MAX_NAMES; i++)
		if (names[i].used && (is_below(i, from) || i == to))
			break_promise(names[i].body);
	want = rename_error(from, to, parent);
	moving_directory = S_ISDIR(names[from].body->type);
	err = vfs_rename(NULL, path, NULL, new_path, 0);
	moving_directory = false;
	if (!err && !want && (to < 0 || names[to].body != names[from].body)) {
		if (to >= 0) {
			names[to].used = false;
			names[to].body->names--;
			drop_body(names[to].body);
		}
		names[from].parent = parent;
		strscpy(names[from].text, text, sizeof(text));
	}
	return expect(err, want, "rename", new_path);
}

static bool op_fsync(void)
{
	int n = pick(any_file), err;
	struct file *file;
	char path[600];

	if (n < 0)
		return true;
	path_of(n, path, sizeof(path));
	note("fsync", path, "");
	file = vfs_open(NULL, path, O_RDONLY, 0);
	if (IS_ERR(file))
		return complain("open %s: %ld", path, PTR_ERR(file));
	err = vfs_fsync(file, false);
	file_put(file);
	if (!err)
		promise(n);
	return expect(err, 0, "fsync", path);
}

static bool op_sync(void)
{
	note("sync", "", "");
	sync_all();
	for (int i = 0; i < MAX_NAMES; i++)
		if (names[i].used && any_file(&names[i]))
			promise(i);
	return true;
}

/* What the flusher does, whole or in part. */
static bool op_flush(void)
{
	struct super_block *sb = root_dentry->sb;

	note("flush", "", "");
	if (rnd(2))
		write_dirty_inodes(sb);
	if (rnd(2))
		sb->ops->sync_fs(sb, false);
	return true;
}

static bool op_drop(void)
{
	note("drop caches", "", "");
	for (int i = 0; i < 3; i++) {
		dcache_shrink(1000);
		icache_shrink(1000);
	}
	disk_forget();
	return true;
}

static bool op_open(void)
{
	int n = pick(any_file), i = rnd(MAX_OPEN);
	struct body *body;
	char path[600];

	if (opened[i].file) {
		body = opened[i].body;
		if (rnd(3))
			return write_to(opened[i].file, body, "(open)");
		note("close", "", "");
		file_put(opened[i].file);
		opened[i].file = NULL;
		body->opens--;
		drop_body(body);
		return true;
	}
	if (n < 0)
		return true;
	path_of(n, path, sizeof(path));
	note("open", path, "");
	opened[i].file = vfs_open(NULL, path, O_RDWR, 0);
	if (IS_ERR(opened[i].file)) {
		complain("open %s: %ld", path, PTR_ERR(opened[i].file));
		opened[i].file = NULL;
		return anything_goes;
	}
	opened[i].body = names[n].body;
	names[n].body->opens++;
	return true;
}

bool close_all(void)
{
	for (int i = 0; i < MAX_OPEN; i++) {
		if (!opened[i].file)
			continue;
		file_put(opened[i].file);
		opened[i].file = NULL;
		opened[i].body->opens--;
		drop_body(opened[i].body);
	}
	return true;
}

bool random_op(void)
{
	static bool (*const ops[])(void) = {
		op_create, op_create, op_create, op_mkdir, op_symlink, op_write, op_write, op_write,
		op_mmap, op_truncate, op_unlink, op_unlink, op_rmdir, op_link, op_rename, op_rename,
		op_fsync, op_sync, op_flush, op_flush, op_drop, op_open, op_open,
	};

	for (;;) {
		bool (*op)(void) = ops[rnd(ARRAY_SIZE(ops))];

		/* In some runs batches grow large, for nobody asks for a commit. */
		if (rnd(100) < laziness && (op == op_fsync || op == op_sync || op == op_flush))
			continue;
		return op();
	}
}

bool random_op_unchecked(void)
{
	anything_goes = true;
	return random_op();
}

/* ---- looking -------------------------------------------------------------------------- */

static bool same_contents(const char *path, const char *want, size_t size, const char *what)
{
	struct file *file = vfs_open(NULL, path, O_RDONLY, 0);
	static char buf[65536];
	loff_t pos = 0;

	if (IS_ERR(file))
		return complain("%s %s: cannot open: %ld", what, path, PTR_ERR(file));
	if ((size_t)file->inode->size != size) {
		complain("%s %s: size %ld, expected %lu", what, path, (long)file->inode->size,
			 (unsigned long)size);
		file_put(file);
		return false;
	}
	while ((size_t)pos < size) {
		size_t at = pos;
		ssize_t n = kernel_read(file, buf, sizeof(buf), &pos);

		if (n <= 0 || memcmp(buf, want + at, n) != 0) {
			size_t bad = 0;

			while (n > 0 && buf[bad] == want[at + bad])
				bad++;
			complain("%s %s: differs at %lu of %lu (read %ld): %d, expected %d", what, path,
				 (unsigned long)(at + bad), (unsigned long)size, (long)n, buf[bad],
				 want[at + bad]);
			file_put(file);
			return false;
		}
	}
	file_put(file);
	return true;
}

struct counter {
	struct dir_context ctx;
	unsigned int n;
};

static bool count_entry(struct dir_context *ctx, const char *name, int len, ino_t ino,
			unsigned int type)
{
	(void)ino, (void)type;
	if (!(name[0] == '.' && len <= 2) && !(len == 10 && memcmp(name, "lost+found", 10) == 0))
		container_of(ctx, struct counter, ctx)->n++;
	return true;
}

static bool check_dir(int n, const char *path)
{
	struct file *file = vfs_open(NULL, *path ? path : "/", O_RDONLY, 0);
	struct counter counter = { .ctx.actor = count_entry };
	unsigned int want = 0, subdirs = 0;
	int err;

	if (IS_ERR(file))
		return complain("%s: cannot open: %ld", path, PTR_ERR(file));
	for (int i = 1; i < MAX_NAMES; i++) {
		if (names[i].used && names[i].parent == n) {
			want++;
			subdirs += any_dir(&names[i]);
		}
	}
	err = vfs_readdir(file, &counter.ctx);
	if (!err && file->inode->nlink != subdirs + (n ? 2 : 3))
		err = complain("%s: link count %u, expected %u", path, file->inode->nlink, subdirs + 2);
	file_put(file);
	if (err < 0 || counter.n != want)
		return complain("%s: %u entries, expected %u (%d)", path, counter.n, want, err);
	return true;
}

static bool check_name(int n)
{
	struct body *body = names[n].body;
	struct dentry *dentry;
	char path[600], text[4096];
	ssize_t len;

	path_of(n, path, sizeof(path));
	if (S_ISDIR(body->type))
		return check_dir(n, path);
	dentry = path_lookup(NULL, path, 0);
	if (IS_ERR(dentry))
		return complain("%s: cannot find: %ld", path, PTR_ERR(dentry));
	if ((int)dentry->inode->nlink != body->names)
		return complain("%s: link count %u, expected %d", path, dentry->inode->nlink,
				body->names);
	if (S_ISLNK(body->type)) {
		len = vfs_readlink(dentry, text, sizeof(text));
		if (len != (ssize_t)body->size || memcmp(text, body->data, len) != 0)
			return complain("%s: wrong text (%ld)", path, (long)len);
		dput(dentry);
		return true;
	}
	dput(dentry);
	return same_contents(path, body->data, body->size, "file");
}

bool check_tree(void)
{
	for (int i = 0; i < MAX_NAMES; i++)
		if (names[i].used && !check_name(i))
			return false;
	return true;
}

bool check_promises(void)
{
	for (int i = 0; i < MAX_NAMES; i++) {
		struct body *body = names[i].body;

		if (names[i].used && body->promised &&
		    !same_contents(body->promised_path, body->promised, body->promised_size,
				   "fsynced"))
			return false;
	}
	return true;
}

struct lister {
	struct dir_context ctx;
	char *text;
	size_t used;
};

static bool list_entry_name(struct dir_context *ctx, const char *name, int len, ino_t ino,
			    unsigned int type)
{
	struct lister *l = container_of(ctx, struct lister, ctx);

	(void)ino, (void)type;
	if (l->used + len + 2 > 16384)
		return false;
	memcpy(l->text + l->used, name, len);
	l->used += len;
	l->text[l->used++] = 0;
	return true;
}

static void read_file(struct file *file)
{
	static char buf[8192];
	loff_t size = file->inode->size;
	struct kstat st;

	(void)st;
	for (int i = 0; i < 12; i++) {
		loff_t pos = i < 4 ? i * 8192 : (loff_t)((u64)size / 8 * (i - 4));

		kernel_read(file, buf, sizeof(buf), &pos);
	}
}

void walk_tree(const char *path, int depth)
{
	struct file *file = vfs_open(NULL, path, O_RDONLY, 0);
	struct lister lister = { .ctx.actor = list_entry_name };
	char child[700], text[4096];
	struct dentry *dentry;

	if (IS_ERR(file)) {
		dentry = path_lookup(NULL, path, 0);
		if (IS_ERR(dentry))
			return;
		if (S_ISLNK(dentry->inode->mode))
			vfs_readlink(dentry, text, sizeof(text));
		dput(dentry);
		return;
	}
	if (!S_ISDIR(file->inode->mode)) {
		if (S_ISREG(file->inode->mode))
			read_file(file);
		file_put(file);
		return;
	}
	lister.text = host_alloc(16384 + 2);
	vfs_readdir(file, &lister.ctx);
	file_put(file);
	for (size_t at = 0; at < lister.used && depth < 6; at += strlen(lister.text + at) + 1) {
		const char *name = lister.text + at;

		if (!*name || strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || strchr(name, '/'))
			continue;
		host_snprintf(child, sizeof(child), "%s/%s", depth ? path : "", name);
		walk_tree(child, depth + 1);
	}
	host_free(lister.text);
}
