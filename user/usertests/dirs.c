/* Names: directories, links, renaming, looking up, and many processes changing one directory at
 * once. */
#include "ut.h"

static void touch(const char *path)
{
	put_file(path, path, strlen(path));
}

static long links_of(const char *path)
{
	struct stat st;

	expect_eq(lstat(path, &st), 0);
	return st.st_nlink;
}

static long inode_of(const char *path)
{
	struct stat st;

	expect_eq(lstat(path, &st), 0);
	return st.st_ino;
}

TEST(dir_make_remove, "mkdir and rmdir work only on what they should, and count links")
{
	expect_eq(mkdir("d", 0755), 0);
	expect_eq(links_of("d"), 2);
	expect_eq(mkdir("d/e", 0755), 0);
	expect_eq(links_of("d"), 3);
	expect_errno(mkdir("d", 0755), EEXIST);
	expect_errno(mkdir("d/e/", 0755), EEXIST);
	expect_errno(mkdir("/", 0755), EEXIST);
	expect_errno(mkdir("x/y", 0755), ENOENT);
	expect_errno(mkdir("", 0755), ENOENT);
	touch("f");
	expect_errno(mkdir("f", 0755), EEXIST);
	expect_errno(mkdir("f/x", 0755), ENOTDIR);
	expect_errno(rmdir("d"), ENOTEMPTY);
	expect_errno(rmdir("f"), ENOTDIR);
	expect_errno(rmdir("none"), ENOENT);
	expect_errno(rmdir("d/e/."), EINVAL);
	expect(rmdir("d/e/..") < 0 && (errno == ENOTEMPTY || errno == EINVAL), "errno %d", errno);
	expect(rmdir("/") < 0 && errno == EBUSY, "errno %d", errno);
	expect(unlink("d") < 0 && (errno == EISDIR || errno == EPERM), "errno %d", errno);
	expect_eq(rmdir("d/e"), 0);
	expect_eq(links_of("d"), 2);
	expect_eq(rmdir("d"), 0);
	expect_errno(syscall(SYS_unlinkat, AT_FDCWD, "f", 4), EINVAL);
	expect_errno(syscall(SYS_unlinkat, 77, "f", 0), EBADF);
}

TEST(dir_relative, "the *at calls start at a directory descriptor, absolute paths ignore it")
{
	int dir, file, fd;
	struct stat st;

	expect_eq(mkdir("d", 0755), 0);
	dir = open("d", O_RDONLY | O_DIRECTORY);
	fd = openat(dir, "f", O_CREAT | O_RDWR, 0644);
	expect(fd >= 0, "errno %d", errno);
	expect_eq(stat("d/f", &st), 0);
	expect_eq(mkdirat(dir, "sub", 0755), 0);
	expect_eq(fstatat(dir, "sub", &st, 0), 0);
	expect(S_ISDIR(st.st_mode), "mode %o", st.st_mode);
	expect_eq(syscall(SYS_linkat, dir, "f", AT_FDCWD, "g", 0), 0);
	expect_eq(syscall(SYS_renameat2, AT_FDCWD, "g", dir, "h", 0), 0);
	expect_eq(syscall(SYS_symlinkat, "f", dir, "s"), 0);
	expect_eq(count_entries("d"), 4);
	expect_eq(fstatat(dir, "/", &st, 0), 0);
	expect_eq(fstatat(dir, "", &st, AT_EMPTY_PATH), 0);
	expect_eq(st.st_ino, inode_of("d"));
	expect_errno(fstatat(dir, "", &st, 0), ENOENT);
	file = open("d/f", O_RDONLY);
	expect_errno(openat(file, "x", O_RDONLY), ENOTDIR);
	expect_errno(openat(99, "x", O_RDONLY), EBADF);
	expect_eq(unlinkat(dir, "s", 0), 0);
	expect_eq(unlinkat(dir, "h", 0), 0);
	expect_eq(unlinkat(dir, "sub", AT_REMOVEDIR), 0);
	expect_errno(unlinkat(dir, "f", AT_REMOVEDIR), ENOTDIR);
	close(dir);
	close(file);
	close(fd);
}

TEST(dir_working, "chdir, fchdir and getcwd agree, also through .. and after renames and removal")
{
	char start[300], here[300], want[330], small[4];
	int dir;

	expect(getcwd(start, sizeof(start)) != NULL, "errno %d", errno);
	expect_eq(mkdir("a", 0755), 0);
	expect_eq(mkdir("a/b", 0755), 0);
	expect_eq(chdir("a/b"), 0);
	snprintf(want, sizeof(want), "%s/a/b", start);
	expect(getcwd(here, sizeof(here)) && !strcmp(here, want), "in %s, not %s", here, want);
	expect(getcwd(small, sizeof(small)) == NULL && errno == ERANGE, "errno %d", errno);
	expect_errno(syscall(SYS_getcwd, here, 0), ERANGE);
	expect_eq(syscall(SYS_getcwd, here, sizeof(here)), strlen(want) + 1);
	expect_eq(rename("../../a", "../../z"), 0);
	snprintf(want, sizeof(want), "%s/z/b", start);
	expect(getcwd(here, sizeof(here)) && !strcmp(here, want), "in %s, not %s", here, want);
	expect_eq(chdir("../.././z/../z"), 0);
	dir = open("..", O_RDONLY);
	expect_eq(rmdir("b"), 0);
	expect_eq(fchdir(dir), 0);
	expect(getcwd(here, sizeof(here)) && !strcmp(here, start), "in %s", here);
	expect_errno(chdir("none"), ENOENT);
	touch("f");
	expect_errno(chdir("f"), ENOTDIR);
	expect_errno(fchdir(99), EBADF);
	close(dir);
	dir = open("f", O_RDONLY);
	expect_errno(fchdir(dir), ENOTDIR);
	close(dir);

	expect_eq(chdir("z"), 0);
	expect_eq(rmdir("../z"), 0);
	expect_errno(open("new", O_CREAT | O_RDWR, 0644), ENOENT);
	expect_errno(mkdir("new", 0755), ENOENT);
	expect(getcwd(here, sizeof(here)) == NULL && errno == ENOENT, "errno %d", errno);
	expect_eq(chdir("/"), 0);
	expect(getcwd(here, sizeof(here)) && !strcmp(here, "/"), "in %s", here);
	expect_eq(chdir(".."), 0);
	expect(getcwd(here, sizeof(here)) && !strcmp(here, "/"), ".. of / is %s", here);
	expect_eq(chdir(start), 0);
}

TEST(dir_list, "getdents64 gives every name once, with its type and inode, in pieces of any size")
{
	static const unsigned short sizes[] = {24, 64, 300, 4096};
	uint64_t buffer[512];
	char name[32];
	int fd;

	for (int i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		touch(name);
	}
	expect_eq(mkdir("sub", 0755), 0);
	expect_eq(symlink("n1", "link"), 0);
	fd = open(".", O_RDONLY | O_DIRECTORY);
	for (size_t s = 0; s < ARRAY_SIZE(sizes); s++) {
		int seen[100] = {0}, others = 0;
		long n;

		lseek(fd, 0, SEEK_SET);
		while ((n = syscall(SYS_getdents64, fd, buffer, sizes[s])) > 0) {
			for (long at = 0; at < n;) {
				char *r = (char *)buffer + at;
				unsigned short length = *(unsigned short *)(r + 16);
				unsigned char type = r[18];

				expect(length >= 20 && length % 8 == 0 && at + length <= n,
				       "record of %d bytes", length);
				if (r[19] == 'n')
					seen[atoi(r + 20)]++;
				else
					others++;
				if (!strcmp(r + 19, "sub"))
					expect_eq(type, 4);
				if (!strcmp(r + 19, "link"))
					expect_eq(type, 10);
				if (!strcmp(r + 19, "n7"))
					expect_eq(*(uint64_t *)r, inode_of("n7"));
				at += length;
			}
		}
		expect(n == 0 || (n == -1 && errno == EINVAL && sizes[s] == 24),
		       "buffer of %d: %ld, errno %d", sizes[s], n, errno);
		if (n < 0)
			continue;
		expect_eq(others, 4);
		for (int i = 0; i < 100; i++)
			expect_eq(seen[i], 1);
	}
	lseek(fd, 0, SEEK_SET);
	expect_errno(syscall(SYS_getdents64, fd, buffer, 4), EINVAL);
	close(fd);
	fd = open("n1", O_RDONLY);
	expect_errno(syscall(SYS_getdents64, fd, buffer, sizeof(buffer)), ENOTDIR);
	expect_errno(syscall(SYS_getdents64, 99, buffer, sizeof(buffer)), EBADF);
	close(fd);
	fd = open(".", O_RDONLY);
	expect_errno(read(fd, buffer, 10), EISDIR);
	close(fd);
}

TEST(dir_names, "a name may have 255 bytes, a path 4095; one more is ENAMETOOLONG")
{
	static char path[5000];
	char name[300];

	memset(name, 'n', sizeof(name));
	name[256] = 0;
	expect_errno(open(name, O_CREAT | O_RDWR, 0644), ENAMETOOLONG);
	expect_errno(mkdir(name, 0755), ENAMETOOLONG);
	expect_errno(access(name, F_OK), ENAMETOOLONG);
	name[255] = 0;
	touch(name);
	expect_eq(access(name, F_OK), 0);
	expect_eq(count_entries("."), 1);
	expect_eq(unlink(name), 0);

	for (int i = 0; i < 2500; i++)
		memcpy(path + 2 * i, "./", 2);
	path[4095] = 0;
	expect_eq(access(path, F_OK), 0);
	memcpy(path + 4095, "/", 1);
	path[4096] = 0;
	expect_errno(access(path, F_OK), ENAMETOOLONG);
}

TEST(dir_deep, "a directory chain of 60 levels can be made, entered, used and removed")
{
	char here[1000], start[300];

	expect(getcwd(start, sizeof(start)) != NULL, "errno %d", errno);
	for (int i = 0; i < 60; i++) {
		expect_eq(mkdir("deeper", 0755), 0);
		expect_eq(chdir("deeper"), 0);
	}
	touch("bottom");
	expect(getcwd(here, sizeof(here)) && strlen(here) == strlen(start) + 60 * 7,
	       "getcwd gave %d bytes", (int)strlen(here));
	expect_eq(chdir(start), 0);
	expect_eq(chdir(here), 0);
	expect_eq(unlink("bottom"), 0);
	for (int i = 0; i < 60; i++) {
		expect_eq(chdir(".."), 0);
		expect_eq(rmdir("deeper"), 0);
	}
}

TEST(link_hard, "hard links are one file: same inode, same content, gone with the last name")
{
	char text[16];

	touch("a");
	expect_eq(link("a", "b"), 0);
	expect_eq(inode_of("a"), inode_of("b"));
	expect_eq(links_of("a"), 2);
	put_file("b", "changed", 7);
	expect_eq(get_file("a", text, sizeof(text)), 7);
	expect_eq(unlink("a"), 0);
	expect_eq(links_of("b"), 1);
	expect_eq(get_file("b", text, sizeof(text)), 7);
	expect_errno(link("b", "b"), EEXIST);
	expect_errno(link("none", "c"), ENOENT);
	expect_errno(link("b", "none/c"), ENOENT);
	expect_eq(mkdir("d", 0755), 0);
	expect_errno(link("d", "e"), EPERM);
	expect_errno(link("b", "d"), EEXIST);
	expect_errno(syscall(SYS_linkat, AT_FDCWD, "b", AT_FDCWD, "c", 0x4000), EINVAL);
}

TEST(link_symbolic, "symbolic links are followed where they should be, and only there")
{
	char text[64];
	struct stat st;

	expect_eq(mkdir("d", 0755), 0);
	touch("d/f");
	expect_eq(symlink("d/f", "s"), 0);
	expect_eq(symlink("nowhere", "dangling"), 0);
	expect_eq(symlink("d", "sd"), 0);
	expect_eq(stat("s", &st), 0);
	expect(S_ISREG(st.st_mode), "mode %o", st.st_mode);
	expect_eq(lstat("s", &st), 0);
	expect(S_ISLNK(st.st_mode) && st.st_size == 3, "mode %o size %ld", st.st_mode,
	       (long)st.st_size);
	expect_eq(readlink("s", text, sizeof(text)), 3);
	expect_eq(readlink("s", text, 2), 2);
	expect_errno(readlink("s", text, 0), EINVAL);
	expect_errno(readlink("d", text, 10), EINVAL);
	expect_errno(readlink("none", text, 10), ENOENT);
	expect_errno(stat("dangling", &st), ENOENT);
	expect_errno(open("dangling", O_CREAT | O_EXCL | O_RDWR, 0644), EEXIST);
	expect_errno(open("s", O_RDONLY | O_NOFOLLOW), ELOOP);
	expect_errno(symlink("x", "s"), EEXIST);
	expect_errno(symlink("", "empty"), ENOENT);
	expect_eq(access("sd/f", F_OK), 0);
	expect_eq(stat("sd/", &st), 0);
	expect(S_ISDIR(st.st_mode), "sd/ has mode %o", st.st_mode);
	expect_errno(rmdir("sd"), ENOTDIR);
	expect_eq(chdir("sd"), 0);
	expect_eq(access("../s", F_OK), 0);
	expect_eq(chdir(".."), 0);
	close(open("dangling", O_CREAT | O_RDWR, 0644));
	expect_eq(access("nowhere", F_OK), 0);
	expect_eq(unlink("s"), 0);
	expect_eq(access("d/f", F_OK), 0);
	expect_eq(syscall(SYS_linkat, AT_FDCWD, "sd", AT_FDCWD, "hl", 0), 0);
	expect_eq(lstat("hl", &st), 0);
	expect(S_ISLNK(st.st_mode) && st.st_nlink == 2, "mode %o", st.st_mode);
}

TEST(link_loops, "chains of symbolic links end in ELOOP, long targets survive")
{
	static char target[2000], back[2000];
	char name[16], to[16];
	int i;

	expect_eq(symlink("b", "a"), 0);
	expect_eq(symlink("a", "b"), 0);
	expect_errno(open("a", O_RDONLY), ELOOP);
	expect_errno(access("a/x", F_OK), ELOOP);
	expect_eq(symlink("self/x", "self"), 0);
	expect_errno(mkdir("self/y", 0755), ELOOP);
	touch("l0");
	for (i = 1; i <= 50; i++) {
		snprintf(name, sizeof(name), "l%d", i);
		snprintf(to, sizeof(to), "l%d", i - 1);
		expect_eq(symlink(to, name), 0);
	}
	expect_eq(access("l8", F_OK), 0);
	expect_errno(access("l50", F_OK), ELOOP);
	memset(target, 't', sizeof(target));
	target[1500] = 0;
	expect_eq(symlink(target, "long"), 0);
	expect_eq(readlink("long", back, sizeof(back)), 1500);
	expect(!memcmp(target, back, 1500), "another target came back");
	target[59] = 0;
	expect_eq(symlink(target, "l59"), 0);
	target[59] = 't';
	target[60] = 0;
	expect_eq(symlink(target, "l60"), 0);
	expect_eq(readlink("l59", back, sizeof(back)), 59);
	expect_eq(readlink("l60", back, sizeof(back)), 60);
}

TEST(rename_files, "rename moves, replaces atomically, and keeps two names of one file")
{
	char text[16];

	touch("a");
	expect_eq(rename("a", "b"), 0);
	expect_errno(access("a", F_OK), ENOENT);
	put_file("c", "new", 3);
	expect_eq(rename("c", "b"), 0);
	expect_eq(get_file("b", text, sizeof(text)), 3);
	expect_eq(count_entries("."), 1);
	expect_eq(rename("b", "b"), 0);
	expect_eq(link("b", "h"), 0);
	expect_eq(rename("b", "h"), 0);
	expect_eq(count_entries("."), 2);
	expect_eq(mkdir("d", 0755), 0);
	expect_eq(rename("b", "d/b"), 0);
	expect_eq(count_entries("d"), 1);
	expect_errno(rename("none", "x"), ENOENT);
	expect_errno(rename("h", "d"), EISDIR);
	expect_errno(rename("h", "none/x"), ENOENT);
	expect_errno(rename("h/x", "y"), ENOTDIR);
	put_file("p", "p", 1);
	expect_errno(syscall(SYS_renameat2, AT_FDCWD, "p", AT_FDCWD, "h", 1), EEXIST);
	expect_eq(syscall(SYS_renameat2, AT_FDCWD, "p", AT_FDCWD, "q", 1), 0);
	expect_errno(syscall(SYS_renameat2, AT_FDCWD, "q", AT_FDCWD, "h", 0x80), EINVAL);
	expect_eq(symlink("d", "s"), 0);
	expect_eq(rename("s", "t"), 0);
	expect_eq(readlink("t", text, sizeof(text)), 1);
}

TEST(rename_directories,
     "directories rename over empty ones only, never into themselves, and .. follows")
{
	struct stat st;

	expect_eq(mkdir("a", 0755), 0);
	expect_eq(mkdir("a/b", 0755), 0);
	expect_eq(mkdir("c", 0755), 0);
	touch("f");
	expect_errno(rename("a", "a/b/x"), EINVAL);
	expect_errno(rename("a", "a/x"), EINVAL);
	expect_errno(rename("a", "f"), ENOTDIR);
	touch("c/full");
	expect_errno(rename("a", "c"), ENOTEMPTY);
	expect_errno(rename("a/b", "a"), ENOTEMPTY);
	expect(rename("a/.", "x") < 0 && (errno == EBUSY || errno == EINVAL), "errno %d", errno);
	expect(rename("a/..", "x") < 0 && (errno == EBUSY || errno == EINVAL), "errno %d", errno);
	expect_eq(rename("a/b", "c/b"), 0);
	expect_eq(links_of("a"), 2);
	expect_eq(links_of("c"), 3);
	expect_eq(stat("c/b/..", &st), 0);
	expect_eq(st.st_ino, inode_of("c"));
	expect_eq(mkdir("empty", 0755), 0);
	expect_eq(rename("c", "empty"), 0);
	expect_eq(count_entries("empty"), 2);
	expect_eq(stat("empty/b/..", &st), 0);
	expect_eq(st.st_ino, inode_of("empty"));
}

TEST(rename_is_atomic, "while a file is replaced by rename, every reader finds a whole one")
{
	pid_t pid;
	char text[32];
	int status;

	put_file("target", "generation", 10);
	pid = xfork();
	if (pid == 0) {
		for (int i = 0; i < 150; i++) {
			put_file("temp", "generation", 10);
			expect_eq(rename("temp", "target"), 0);
		}
		_exit(0);
	}
	do {
		int fd = open("target", O_RDONLY);

		expect(fd >= 0, "the name was missing, errno %d", errno);
		expect_eq(read(fd, text, sizeof(text)), 10);
		expect(!memcmp(text, "generation", 10), "other content");
		close(fd);
	} while (waitpid(pid, &status, WNOHANG) == 0);
	expect_eq(status, 0);
}

/* Runs fn(worker) in `n` processes and demands that all succeed. */
static void at_once(int n, void (*fn)(int worker))
{
	pid_t pids[8];

	for (int i = 0; i < n; i++) {
		pids[i] = xfork();
		if (pids[i] == 0) {
			fn(i);
			_exit(0);
		}
	}
	for (int i = 0; i < n; i++)
		expect_exit(pids[i], 0);
}

static void create_and_unlink(int worker)
{
	char name[16];

	for (int i = 0; i < 60; i++) {
		int fd;

		snprintf(name, sizeof(name), "w%d-%d", worker, i % 7);
		fd = open(name, O_CREAT | O_RDWR | O_EXCL, 0644);
		expect(fd >= 0, "creating %s: errno %d", name, errno);
		expect_eq(write(fd, name, 4), 4);
		close(fd);
		expect_eq(unlink(name), 0);
	}
}

TEST(names_created_at_once,
     "processes creating and removing their own names in one directory do not disturb")
{
	at_once(4, create_and_unlink);
	expect_eq(count_entries("."), 0);
}

static void fight_for_one_name(int worker)
{
	(void)worker;
	for (int i = 0; i < 80; i++) {
		int fd = open("same", O_CREAT | O_RDWR | (i & 1 ? O_EXCL : 0), 0644);

		if (fd >= 0)
			close(fd);
		else
			expect(errno == EEXIST || errno == ENOENT, "open: errno %d", errno);
		if (unlink("same") < 0)
			expect_eq(errno, ENOENT);
		if (link("keep", "other") < 0)
			expect_eq(errno, EEXIST);
		if (unlink("other") < 0)
			expect_eq(errno, ENOENT);
	}
}

TEST(names_contended,
     "processes creating, linking and removing the same name get an order, not damage")
{
	touch("keep");
	at_once(4, fight_for_one_name);
	unlink("same");
	expect_eq(count_entries("."), 1);
	expect_eq(links_of("keep"), 1);
}

static void swap_names(int worker)
{
	static const char *const names[] = {"x/f", "y/f", "x/g", "y/g"};

	for (int i = 0; i < 60; i++) {
		if (rename(names[(worker + i) % 4], names[(worker * 3 + i + 1) % 4]) < 0)
			expect_eq(errno, ENOENT);
	}
}

static void move_directories(int worker)
{
	for (int i = 0; i < 40; i++) {
		if (worker & 1) {
			if (rename("x/d", "y/d") < 0)
				expect(errno == ENOENT || errno == EINVAL, "errno %d", errno);
			if (rename("y/e", "x/d/e") < 0)
				expect(errno == ENOENT || errno == EINVAL, "errno %d", errno);
		} else {
			if (rename("y/d", "x/d") < 0)
				expect(errno == ENOENT || errno == EINVAL, "errno %d", errno);
			if (rename("x/d/e", "y/e") < 0)
				expect(errno == ENOENT || errno == EINVAL, "errno %d", errno);
		}
	}
}

TEST(renames_at_once, "crossing renames between directories neither lose a file nor deadlock")
{
	int total;

	expect_eq(mkdir("x", 0755), 0);
	expect_eq(mkdir("y", 0755), 0);
	touch("x/f");
	at_once(4, swap_names);
	total = count_entries("x") + count_entries("y");
	expect_eq(total, 1);
}

TEST(directories_renamed_at_once, "moving directories into and out of each other makes no cycle")
{
	expect_eq(mkdir("x", 0755), 0);
	expect_eq(mkdir("y", 0755), 0);
	expect_eq(mkdir("x/d", 0755), 0);
	expect_eq(mkdir("y/e", 0755), 0);
	at_once(4, move_directories);
	int found = !access("x/d", F_OK) + !access("y/d", F_OK);

	expect_eq(found, 1);
	found = !access("y/e", F_OK) + !access("x/d/e", F_OK) + !access("y/d/e", F_OK);
	expect_eq(found, 1);
}

TEST(rmdir_races, "creating in a directory that others remove either works or says ENOENT")
{
	pid_t pid = xfork();
	int made = 0;

	if (pid == 0) {
		for (int i = 0; i < 150; i++) {
			if (mkdir("d", 0755) < 0)
				expect_eq(errno, EEXIST);
			if (rmdir("d") < 0)
				expect(errno == ENOTEMPTY || errno == ENOENT, "errno %d", errno);
		}
		_exit(0);
	}
	for (int i = 0; i < 150; i++) {
		int fd = open("d/f", O_CREAT | O_RDWR, 0644);

		if (fd < 0) {
			expect_eq(errno, ENOENT);
			continue;
		}
		made++;
		close(fd);
		expect_eq(unlink("d/f"), 0);
	}
	expect_exit(pid, 0);
	if (rmdir("d") < 0)
		expect_eq(errno, ENOENT);
	expect_eq(count_entries("."), 0);
}
