/* Regular files: opening, reading, writing, positions, sizes, holes, big files, descriptors, disk
 * space. */
#include <sys/sendfile.h>
#include <sys/uio.h>
#include <sys/statfs.h>

#include "ut.h"

static long size_of(int fd)
{
	struct stat st;

	expect_eq(fstat(fd, &st), 0);
	return st.st_size;
}

TEST(open_flags, "O_CREAT, O_EXCL, O_TRUNC, O_DIRECTORY and the access modes do what they say")
{
	char c;
	int fd;

	expect_errno(open("f", O_RDWR), ENOENT);
	fd = open("f", O_CREAT | O_EXCL | O_RDWR, 0640);
	expect(fd >= 0, "errno %d", errno);
	expect_eq(write(fd, "hello", 5), 5);
	close(fd);
	expect_errno(open("f", O_CREAT | O_EXCL | O_RDWR, 0640), EEXIST);
	expect_errno(open("f", O_RDONLY | O_DIRECTORY), ENOTDIR);
	expect_errno(open(".", O_WRONLY), EISDIR);
	expect_errno(open(".", O_RDWR), EISDIR);
	expect_errno(open("f/x", O_RDONLY), ENOTDIR);
	expect_errno(open("f/x", O_CREAT | O_RDWR, 0644), ENOTDIR);
	expect_errno(open("none/x", O_CREAT | O_RDWR, 0644), ENOENT);
	expect_errno(open("", O_RDONLY), ENOENT);

	fd = open("f", O_RDONLY);
	expect_errno(write(fd, "x", 1), EBADF);
	expect_errno(ftruncate(fd, 0), EINVAL);
	expect_eq(size_of(fd), 5);
	close(fd);
	fd = open("f", O_WRONLY);
	expect_errno(read(fd, &c, 1), EBADF);
	close(fd);
	fd = open("f", O_WRONLY | O_TRUNC);
	expect_eq(size_of(fd), 0);
	close(fd);
	fd = open("f", O_CREAT | O_RDWR, 0644);
	expect_eq(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDWR);
	close(fd);

	struct stat st;

	expect_eq(stat("f", &st), 0);
	expect_eq(st.st_mode, S_IFREG | 0640);
	expect_eq(st.st_nlink, 1);
}

TEST(file_positions,
     "lseek sets, moves and asks; positions before 0 are refused, behind the end are fine")
{
	int fd = open("f", O_CREAT | O_RDWR, 0644), p[2];
	char c;

	expect_eq(write(fd, "0123456789", 10), 10);
	expect_eq(lseek(fd, 0, SEEK_CUR), 10);
	expect_eq(lseek(fd, -3, SEEK_END), 7);
	expect_eq(read(fd, &c, 1), 1);
	expect_eq(c, '7');
	expect_eq(lseek(fd, -8, SEEK_CUR), 0);
	expect_errno(lseek(fd, -1, SEEK_SET), EINVAL);
	expect_errno(lseek(fd, -1, SEEK_CUR), EINVAL);
	expect_errno(lseek(fd, -11, SEEK_END), EINVAL);
	expect_errno(lseek(fd, 0, 99), EINVAL);
	expect_eq(lseek(fd, 0, SEEK_CUR), 0);
	expect_eq(lseek(fd, 1000, SEEK_SET), 1000);
	expect_eq(read(fd, &c, 1), 0);
	expect_eq(size_of(fd), 10);
	close(fd);
	expect_errno(lseek(fd, 0, SEEK_SET), EBADF);
	expect_eq(pipe(p), 0);
	expect_errno(lseek(p[0], 0, SEEK_SET), ESPIPE);
	expect_errno(pread(p[0], &c, 1, 0), ESPIPE);
	close(p[0]);
	close(p[1]);
}

TEST(file_append, "O_APPEND writes at the end, whoever moved the position or the end")
{
	int a = open("f", O_CREAT | O_WRONLY | O_APPEND, 0644), b = open("f", O_RDWR);
	char text[64];

	expect_eq(write(a, "one", 3), 3);
	expect_eq(lseek(b, 0, SEEK_END), 3);
	expect_eq(write(b, "two", 3), 3);
	expect_eq(lseek(a, 0, SEEK_SET), 0);
	expect_eq(write(a, "three", 5), 5);
	expect_eq(get_file("f", text, sizeof(text)), 11);
	expect(!strcmp(text, "onetwothree"), "the file holds '%s'", text);
	close(a);
	close(b);
}

TEST(file_append_races, "four processes appending to one file lose no record")
{
	enum { WRITERS = 4, RECORDS = 40, LENGTH = 100 };
	static char text[WRITERS * RECORDS * LENGTH + 1];
	pid_t pids[WRITERS];
	int seen[WRITERS] = {0};

	put_file("f", "", 0);
	for (int w = 0; w < WRITERS; w++) {
		pids[w] = xfork();
		if (pids[w] == 0) {
			int fd = open("f", O_WRONLY | O_APPEND);
			char record[LENGTH];

			memset(record, 'a' + w, sizeof(record));
			for (int i = 0; i < RECORDS; i++)
				expect_eq(write(fd, record, LENGTH), LENGTH);
			_exit(0);
		}
	}
	for (int w = 0; w < WRITERS; w++)
		expect_exit(pids[w], 0);
	expect_eq(get_file("f", text, sizeof(text)), WRITERS * RECORDS * LENGTH);
	for (int i = 0; i < WRITERS * RECORDS; i++) {
		char *record = text + i * LENGTH;

		for (int k = 1; k < LENGTH; k++)
			expect(record[k] == record[0], "record %d is torn at byte %d", i, k);
		seen[record[0] - 'a']++;
	}
	for (int w = 0; w < WRITERS; w++)
		expect_eq(seen[w], RECORDS);
}

TEST(file_pread_pwrite, "pread and pwrite use their own position and leave the file's alone")
{
	int fd = open("f", O_CREAT | O_RDWR, 0644);
	char text[8] = "";

	expect_eq(write(fd, "abcdef", 6), 6);
	expect_eq(pwrite(fd, "XY", 2, 2), 2);
	expect_eq(pread(fd, text, 4, 1), 4);
	expect(!strcmp(text, "bXYe"), "read '%s'", text);
	expect_eq(lseek(fd, 0, SEEK_CUR), 6);
	expect_errno(pread(fd, text, 1, -1), EINVAL);
	expect_errno(pwrite(fd, text, 1, -1), EINVAL);
	expect_eq(pread(fd, text, 1, 6), 0);
	close(fd);
	expect_errno(pread(fd, text, 1, 0), EBADF);
	expect_errno(pwrite(-1, text, 1, 0), EBADF);
}

TEST(file_vectors, "readv and writev gather and scatter in order, also across odd lengths and zero")
{
	char a[3], b[5], c[4];
	struct iovec out[4] = {{"abc", 3}, {"", 0}, {"defgh", 5}, {"ij", 2}};
	struct iovec in[3] = {{a, 3}, {b, 5}, {c, 4}};
	int fd = open("f", O_CREAT | O_RDWR, 0644);

	expect_eq(writev(fd, out, 4), 10);
	lseek(fd, 0, SEEK_SET);
	expect_eq(readv(fd, in, 3), 10);
	expect(!memcmp(a, "abc", 3) && !memcmp(b, "defgh", 5) && !memcmp(c, "ij", 2),
	       "wrong bytes");
	expect_eq(readv(fd, in, 3), 0);
	expect_eq(writev(fd, out, 0), 0);
	expect_errno(readv(-1, in, 3), EBADF);
	close(fd);
}

TEST(file_holes, "a hole reads as zeros, uses no blocks, and keeps its neighbours")
{
	static char buffer[3 * PAGE];
	int fd = open("f", O_CREAT | O_RDWR, 0644);
	const off_t far = 6 << 20;
	struct stat st;

	expect_eq(pwrite(fd, "A", 1, 0), 1);
	expect_eq(pwrite(fd, "Z", 1, far), 1);
	expect_eq(size_of(fd), far + 1);
	for (off_t at = PAGE; at < far; at += 1 << 20) {
		expect_eq(pread(fd, buffer, sizeof(buffer), at), sizeof(buffer));
		for (size_t i = 0; i < sizeof(buffer); i++)
			expect(buffer[i] == 0, "byte %ld is %d", (long)(at + i), buffer[i]);
	}
	expect_eq(pread(fd, buffer, 10, far), 1);
	expect_eq(buffer[0], 'Z');
	expect_eq(fsync(fd), 0);
	expect_eq(fstat(fd, &st), 0);
	expect(st.st_blocks < 200, "a sparse file uses %ld sectors", (long)st.st_blocks);
	expect_eq(pwrite(fd, "M", 1, far / 2), 1);
	expect_eq(pread(fd, buffer, 2 * PAGE, far / 2 - 5), 2 * PAGE);
	for (size_t i = 0; i < 2 * PAGE; i++)
		expect(buffer[i] == (i == 5 ? 'M' : 0), "byte %lu is %d", (unsigned long)i,
		       buffer[i]);
	close(fd);
}

TEST(file_truncate, "truncate and ftruncate shrink, grow with zeros, and forget what was cut off")
{
	static char buffer[3 * PAGE];
	int fd = open("f", O_CREAT | O_RDWR, 0644);

	memset(buffer, 'x', sizeof(buffer));
	expect_eq(write(fd, buffer, sizeof(buffer)), sizeof(buffer));
	expect_eq(ftruncate(fd, 5000), 0);
	expect_eq(size_of(fd), 5000);
	expect_eq(ftruncate(fd, 3 * PAGE), 0);
	expect_eq(pread(fd, buffer, sizeof(buffer), 0), 3 * PAGE);
	for (size_t i = 0; i < sizeof(buffer); i++)
		expect(buffer[i] == (i < 5000 ? 'x' : 0), "byte %lu is %d", (unsigned long)i,
		       buffer[i]);
	expect_eq(truncate("f", 7), 0);
	expect_eq(size_of(fd), 7);
	expect_eq(truncate("f", 0), 0);
	expect_eq(pread(fd, buffer, 1, 0), 0);
	expect_errno(truncate("f", -1), EINVAL);
	expect_errno(ftruncate(fd, -1), EINVAL);
	expect_errno(truncate(".", 0), EISDIR);
	expect_errno(truncate("none", 0), ENOENT);
	close(fd);
	expect_errno(ftruncate(fd, 0), EBADF);
}

TEST(file_big,
     "a file reaches through single and double indirect blocks and gives all of them back")
{
	enum { CHUNK = 16 * 4096 };
	static unsigned char buffer[CHUNK];
	const long chunks =
		5 * 1024 * 1024 / CHUNK + 1; /* 12 + 1024 blocks end at 4 MiB + 48 KiB */
	int fd = open("f", O_CREAT | O_RDWR, 0644);
	struct stat st;

	for (long c = 0; c < chunks; c++) {
		for (size_t i = 0; i < CHUNK; i += 64)
			buffer[i] = pattern(i, c);
		expect_eq(write(fd, buffer, CHUNK), CHUNK);
	}
	expect_eq(fsync(fd), 0);
	expect_eq(fstat(fd, &st), 0);
	expect_eq(st.st_size, chunks * CHUNK);
	expect(st.st_blocks >= chunks * CHUNK / 512, "only %ld sectors", (long)st.st_blocks);
	for (long c = chunks - 1; c >= 0; c -= 3) {
		expect_eq(pread(fd, buffer, CHUNK, c * CHUNK), CHUNK);
		for (size_t i = 0; i < CHUNK; i += 64)
			expect(buffer[i] == pattern(i, c), "chunk %ld byte %lu", c,
			       (unsigned long)i);
	}
	expect_eq(ftruncate(fd, 4096 * 20), 0);
	expect_eq(pread(fd, buffer, CHUNK, 0), CHUNK);
	expect_eq(buffer[64], pattern(64, 0));
	expect_eq(fsync(fd), 0);
	expect_eq(fstat(fd, &st), 0);
	expect(st.st_blocks <= 25 * 8, "%ld sectors after the cut", (long)st.st_blocks);
	close(fd);
}

TEST(file_size_limit, "a file cannot grow beyond what its blocks can address")
{
	int fd = open("f", O_CREAT | O_RDWR, 0644);
	ssize_t n;

	n = pwrite(fd, "x", 1, LONG_MAX - 1);
	expect(n == -1 && (errno == EFBIG || errno == EINVAL), "got %zd, errno %d", n, errno);
	if (!foreign_kernel) {
		n = pwrite(fd, "x", 1, 1L << 45);
		expect(n == -1 && errno == EFBIG, "got %zd, errno %d", n, errno);
		expect_errno(ftruncate(fd, 1L << 45), EFBIG);
	}
	expect_eq(size_of(fd), 0);
	close(fd);
}

TEST(file_unlinked_open, "an unlinked file lives on until its last descriptor is closed")
{
	int fd = open("f", O_CREAT | O_RDWR, 0644);
	char text[8] = "";
	struct stat st;

	expect_eq(write(fd, "alive", 5), 5);
	expect_eq(unlink("f"), 0);
	expect_errno(open("f", O_RDONLY), ENOENT);
	expect_eq(pread(fd, text, 8, 0), 5);
	expect(!strcmp(text, "alive"), "read '%s'", text);
	expect_eq(fstat(fd, &st), 0);
	expect_eq(st.st_nlink, 0);
	expect_eq(ftruncate(fd, 100000), 0);
	expect_eq(pwrite(fd, "more", 4, 50000), 4);
	expect_eq(fsync(fd), 0);
	close(fd);
}

TEST(file_dup, "dup, dup3 and F_DUPFD share one position and replace or choose descriptors")
{
	int fd = open("f", O_CREAT | O_RDWR, 0644), copy = dup(fd);
	char c;

	expect_eq(write(fd, "abc", 3), 3);
	expect_eq(lseek(copy, 1, SEEK_SET), 1);
	expect_eq(read(fd, &c, 1), 1);
	expect_eq(c, 'b');
	expect_eq(dup3(fd, 40, O_CLOEXEC), 40);
	expect_eq(fcntl(40, F_GETFD), FD_CLOEXEC);
	expect_eq(fcntl(40, F_SETFD, 0), 0);
	expect_eq(fcntl(40, F_GETFD), 0);
	expect_eq(fcntl(fd, F_DUPFD, 45), 45);
	expect_eq(fcntl(fd, F_DUPFD_CLOEXEC, 45), 46);
	expect_eq(fcntl(46, F_GETFD), FD_CLOEXEC);
	expect_errno(dup3(fd, fd, 0), EINVAL);
	expect_errno(dup3(fd, 41, 12345), EINVAL);
	expect_errno(dup3(99, 41, 0), EBADF);
	expect_errno(dup(99), EBADF);
	expect_errno(dup3(fd, -1, 0), EBADF);
	expect_errno(dup3(fd, 1 << 30, 0), EBADF);
	expect_errno(fcntl(fd, F_DUPFD, -1), EINVAL);
	expect_errno(fcntl(99, F_GETFD), EBADF);
	expect_errno(fcntl(fd, 9999), EINVAL);
	expect_eq(dup2(fd, 40), 40);
	close(fd);
	expect_eq(pread(40, &c, 1, 2), 1);
	expect_eq(c, 'c');
	expect_errno(close(fd), EBADF);
	expect_errno(close(-1), EBADF);
	expect_errno(close(1 << 30), EBADF);
}

TEST(file_status_flags,
     "F_SETFL changes O_APPEND and O_NONBLOCK for all copies, never the access mode")
{
	int fd = open("f", O_CREAT | O_RDONLY, 0644), copy = dup(fd);

	expect_eq(fcntl(fd, F_SETFL, O_APPEND | O_NONBLOCK | O_RDWR), 0);
	expect_eq(fcntl(copy, F_GETFL) & (O_ACCMODE | O_APPEND | O_NONBLOCK),
		  O_RDONLY | O_APPEND | O_NONBLOCK);
	expect_errno(write(copy, "x", 1), EBADF);
	expect_eq(fcntl(copy, F_SETFL, 0), 0);
	expect_eq(fcntl(fd, F_GETFL) & (O_APPEND | O_NONBLOCK), 0);
	close(fd);
	close(copy);
}

TEST(file_sendfile,
     "sendfile copies between files and into a pipe, with and without its own offset")
{
	static char text[20000], back[20000];
	int in = open("in", O_CREAT | O_RDWR, 0644), out = open("out", O_CREAT | O_RDWR, 0644),
	    p[2];
	off_t from = 100;

	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = pattern(i, 3);
	expect_eq(write(in, text, sizeof(text)), sizeof(text));
	lseek(in, 0, SEEK_SET);
	expect_eq(sendfile(out, in, &from, 9000), 9000);
	expect_eq(from, 9100);
	expect_eq(lseek(in, 0, SEEK_CUR), 0);
	expect_eq(pread(out, back, sizeof(back), 0), 9000);
	expect(!memcmp(back, text + 100, 9000), "other bytes arrived");
	expect_eq(sendfile(out, in, NULL, 1 << 20), 20000);
	expect_eq(lseek(in, 0, SEEK_CUR), 20000);
	expect_eq(sendfile(out, in, NULL, 10), 0);
	expect_eq(pipe(p), 0);
	from = 0;
	expect_eq(sendfile(p[1], in, &from, 1000), 1000);
	expect_eq(read(p[0], back, sizeof(back)), 1000);
	expect(!memcmp(back, text, 1000), "other bytes came through the pipe");
	expect_errno(sendfile(out, -1, NULL, 1), EBADF);
	expect_errno(sendfile(-1, in, NULL, 1), EBADF);
	close(p[0]);
	close(p[1]);
	close(in);
	close(out);
}

TEST(file_times_modes, "utimensat, chmod, chown, umask and access are kept in the inode")
{
	struct timespec times[2] = {{1000, 0}, {2000, 0}};
	struct stat st;

	put_file("f", "x", 1);
	expect_eq(utimensat(AT_FDCWD, "f", times, 0), 0);
	expect_eq(stat("f", &st), 0);
	expect_eq(st.st_atime, 1000);
	expect_eq(st.st_mtime, 2000);
	times[0].tv_nsec = UTIME_OMIT;
	times[1].tv_sec = 3000;
	expect_eq(utimensat(AT_FDCWD, "f", times, 0), 0);
	expect_eq(stat("f", &st), 0);
	expect_eq(st.st_atime, 1000);
	expect_eq(st.st_mtime, 3000);
	times[1].tv_nsec = 2000000000;
	expect_errno(utimensat(AT_FDCWD, "f", times, 0), EINVAL);
	expect_eq(utimensat(AT_FDCWD, "f", NULL, 0), 0);
	expect_eq(stat("f", &st), 0);
	expect(st.st_mtime != 3000, "the time did not become now");

	expect_eq(chmod("f", 0751), 0);
	expect_eq(stat("f", &st), 0);
	expect_eq(st.st_mode, S_IFREG | 0751);
	expect_eq(syscall(SYS_fchownat, AT_FDCWD, "f", 12, 34, 0), 0);
	expect_eq(stat("f", &st), 0);
	expect_eq(st.st_uid, 12);
	expect_eq(st.st_gid, 34);
	expect_eq(syscall(SYS_fchownat, AT_FDCWD, "f", -1, -1, 0), 0);
	expect_eq(stat("f", &st), 0);
	expect_eq(st.st_uid, 12);
	expect_errno(chmod("none", 0644), ENOENT);
	expect_errno(syscall(SYS_fchownat, AT_FDCWD, "none", 0, 0, 0), ENOENT);
	expect_eq(access("f", R_OK | W_OK | X_OK), 0);
	expect_errno(access("none", F_OK), ENOENT);
	expect_errno(access("f", 64), EINVAL);

	mode_t old = umask(077);

	close(open("g", O_CREAT | O_RDWR, 0666));
	expect_eq(mkdir("d", 0777), 0);
	expect_eq(umask(old), 077);
	expect_eq(stat("g", &st), 0);
	expect_eq(st.st_mode & 0777, 0600);
	expect_eq(stat("d", &st), 0);
	expect_eq(st.st_mode & 0777, 0700);
}

TEST(file_sync, "sync, fsync and fdatasync succeed on files and directories, not on nonsense")
{
	int fd = open("f", O_CREAT | O_RDWR, 0644), dir = open(".", O_RDONLY), p[2];

	expect_eq(write(fd, "x", 1), 1);
	expect_eq(fsync(fd), 0);
	expect_eq(fdatasync(fd), 0);
	expect_eq(fsync(dir), 0);
	sync();
	expect_errno(fsync(-1), EBADF);
	expect_errno(fdatasync(77), EBADF);
	expect_eq(pipe(p), 0);
	expect_errno(fsync(p[0]), EINVAL);
	close(p[0]);
	close(p[1]);
	close(fd);
	close(dir);
}

TEST(file_descriptor_limit, "descriptors run out with EMFILE and come back when closed")
{
	static int fds[70000];
	int n = 0, fd, p[2];

	while (n < 70000 && (fds[n] = open("/dev/null", O_RDWR)) >= 0)
		n++;
	expect(n < 70000 && errno == EMFILE, "%d descriptors, errno %d", n, errno);
	expect_errno(dup(0), EMFILE);
	expect_errno(pipe(p), EMFILE);
	expect_errno(fcntl(0, F_DUPFD, 0), EMFILE);
	expect_errno(open("new", O_CREAT | O_RDWR, 0644), EMFILE);
	close(fds[n / 2]);
	expect_errno(pipe(p), EMFILE);
	fd = open("/dev/null", O_RDWR);
	expect_eq(fd, fds[n / 2]);
	for (int i = 0; i < n; i++)
		close(fds[i]);
	expect_eq(open("/dev/null", O_RDWR), fds[0]);
}

TEST(disk_full, "a full disk is ENOSPC; what was written stays, and unlink gives the space back")
{
	static char buffer[64 * 1024];
	struct statfs fs, after;
	long written = 0;
	ssize_t n = 0;
	int fd;

	expect_eq(statfs(".", &fs), 0);
	if (foreign_kernel || fs.f_bfree * fs.f_bsize > 256L << 20)
		skip("the disk is too large to be filled");
	memset(buffer, 'f', sizeof(buffer));
	put_file("before", "precious", 8);
	fd = open("big", O_CREAT | O_RDWR, 0644);
	while ((n = write(fd, buffer, sizeof(buffer))) > 0)
		written += n;
	expect(n == -1 && errno == ENOSPC, "after %ld bytes: %zd, errno %d", written, n, errno);
	expect_eq(size_of(fd), written);
	int other = open("other", O_CREAT | O_RDWR, 0644);

	if (other >= 0) {
		while ((n = write(other, buffer, sizeof(buffer))) > 0)
			;
		expect_eq(errno, ENOSPC);
	} else {
		expect_eq(errno, ENOSPC);
	}
	n = mkdir("dir", 0755);
	expect(n == 0 || errno == ENOSPC, "mkdir: errno %d", errno);
	expect_eq(get_file("before", buffer, sizeof(buffer)), 8);
	expect(!memcmp(buffer, "precious", 8), "an older file was damaged");
	close(fd);
	close(other);
	unlink("big");
	unlink("other");
	rmdir("dir");
	sync();
	expect_eq(statfs(".", &after), 0);
	expect(after.f_bfree + 8 >= fs.f_bfree, "%ld blocks free, before %ld", (long)after.f_bfree,
	       (long)fs.f_bfree);
	put_file("after", "fits again", 10);
}

TEST(disk_inodes, "creating and removing many files gives every inode back")
{
	struct statfs before, after;
	char name[32];

	expect_eq(statfs(".", &before), 0);
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < 120; i++) {
			snprintf(name, sizeof(name), "file-with-some-name-%d", i);
			put_file(name, name, strlen(name));
		}
		expect_eq(count_entries("."), 120);
		for (int i = 119; i >= 0; i--) {
			snprintf(name, sizeof(name), "file-with-some-name-%d", i);
			expect_eq(unlink(name), 0);
		}
		expect_eq(count_entries("."), 0);
	}
	sync();
	expect_eq(statfs(".", &after), 0);
	if (!foreign_kernel)
		expect_eq(after.f_ffree, before.f_ffree);
	expect(after.f_bsize > 0 && after.f_namelen >= 200, "statfs: bsize %ld, namelen %ld",
	       (long)after.f_bsize, (long)after.f_namelen);
}

TEST(file_cache_coherent, "what one process writes another reads at once, through any descriptor")
{
	int fd = open("f", O_CREAT | O_RDWR, 0644), up[2], down[2];
	char c, token = 't';
	pid_t pid;

	expect_eq(pipe(up), 0);
	expect_eq(pipe(down), 0);
	pid = xfork();
	if (pid == 0) {
		int own = open("f", O_RDWR);

		for (int i = 0; i < 50; i++) {
			expect_eq(read(down[0], &token, 1), 1);
			expect_eq(pread(own, &c, 1, i * 1000), 1);
			expect_eq(c, 'A' + i % 26);
			expect_eq(pwrite(own, "z", 1, i * 1000), 1);
			expect_eq(write(up[1], &token, 1), 1);
		}
		_exit(0);
	}
	for (int i = 0; i < 50; i++) {
		c = 'A' + i % 26;
		expect_eq(pwrite(fd, &c, 1, i * 1000), 1);
		expect_eq(write(down[1], &token, 1), 1);
		expect_eq(read(up[0], &token, 1), 1);
		expect_eq(pread(fd, &c, 1, i * 1000), 1);
		expect_eq(c, 'z');
	}
	expect_exit(pid, 0);
	close(fd);
}
