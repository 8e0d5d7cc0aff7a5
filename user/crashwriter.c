/*
 * crashwriter: changes a directory without end, and says what is certainly on disk.
 *
 * The host kills the machine at any moment, then looks at the disk. For that it needs to know what
 * was promised: after each successful fsync of a file that will not change any more, one line
 *
 *	synced PATH SIZE HASH
 *
 * goes to the console in one write, and before such a file is removed, the line "gone PATH". So at
 * every moment each path reported synced and not reported gone must exist with that very content.
 * (A file reported gone may still exist.) The directory is "/crash" if no other is given. A new run
 * takes back, and removes, what an earlier one left there.
 *
 * A file can be checked from its content alone, too: its first line is "crashwriter PATH SIZE CRC",
 * where CRC is that of the bytes after that line; those follow from PATH, SIZE and the run's seed.
 * HASH in the printed line is the CRC of the whole file. Both are CRC-32 as in zlib, in hexadecimal.
 *
 * Between the promises it does everything else that must not spoil them: files that are never
 * synced, renames of finished files before they are synced, appends, truncations, hard links, new
 * directories whose whole chain fsync has to make durable, removal of all of it. The space in use
 * stays below about 24 MiB.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SLOTS  40			     /* small synced files kept at a time */
#define BIGS   2			     /* large ones */
#define BIG    ((4UL << 20) + (200UL << 10)) /* reaches double indirect blocks */
#define NOISE  12			     /* names of files that are never promised */
#define HEADER 96			     /* upper limit of the first line */

struct kept {
	char path[64];
};

static struct kept small[SLOTS], big[BIGS];
static unsigned long state, generation;
static const char *directory = "/crash";
static unsigned char block[64 * 1024];

static unsigned long next(void)
{
	unsigned long z = state += 0x9e3779b97f4a7c15UL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9UL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebUL;
	return z ^ (z >> 31);
}

static unsigned long below(unsigned long n)
{
	return next() % n;
}

static void die(const char *what, const char *path)
{
	printf("crashwriter: %s %s: errno %d\n", what, path, errno);
	fflush(stdout);
	_exit(1);
}

/* One write per line: the console shows a line whole or not at all. */
static void tell(const char *line)
{
	if (write(1, line, strlen(line)) < 0)
		_exit(1);
}

/* Continues a CRC-32; begin with 0. */
static unsigned int crc32(unsigned int crc, const void *data, size_t size)
{
	static unsigned int table[256];
	const unsigned char *p = data;

	if (!table[1]) {
		for (unsigned int i = 0; i < 256; i++) {
			unsigned int value = i;

			for (int bit = 0; bit < 8; bit++)
				value = value >> 1 ^ (value & 1 ? 0xedb88320U : 0);
			table[i] = value;
		}
	}
	crc = ~crc;
	while (size--)
		crc = table[(crc ^ *p++) & 0xff] ^ crc >> 8;
	return ~crc;
}

/* The generator of a file's body: a stream of 8-byte words that its key begins. */
static void fill(unsigned char *at, size_t size, unsigned long *word)
{
	for (size_t i = 0; i < size; i++) {
		if (i % 8 == 0)
			*word = *word * 6364136223846793005UL + 1442695040888963407UL;
		at[i] = *word >> (i % 8 * 8);
	}
}

static unsigned long key_of(const char *path, unsigned long size)
{
	char text[HEADER];

	snprintf(text, sizeof(text), "%s %lu", path, size);
	return generation << 32 | crc32(0, text, strlen(text));
}

static unsigned int body_crc(unsigned long key, unsigned long body)
{
	unsigned long word = key;
	unsigned int crc = 0;

	while (body > 0) {
		size_t n = body < sizeof(block) ? body : sizeof(block);

		fill(block, n, &word);
		crc = crc32(crc, block, n);
		body -= n;
	}
	return crc;
}

static void write_all(int fd, const void *data, size_t size, const char *path)
{
	const char *p = data;

	while (size > 0) {
		ssize_t n = write(fd, p, size);

		if (n <= 0)
			die("writing", path);
		p += n;
		size -= n;
	}
}

/*
 * Writes a whole file under `temporary` whose first line names `path`, so that it may be renamed
 * there. Gives the descriptor, still open and not yet synced, and the CRC of the whole. Some files
 * are written from the back or in pieces with gaps filled later: order of allocation should vary.
 */
static int compose(const char *temporary, const char *path, unsigned long size, unsigned int *crc)
{
	int fd = open(temporary, O_CREAT | O_TRUNC | O_RDWR, 0644);
	unsigned long key = key_of(path, size), word = key, body;
	char header[HEADER];
	int n;

	if (fd < 0)
		die("creating", temporary);
	/* The header's length does not depend on the CRC: 8 digits always. */
	n = snprintf(header, sizeof(header), "crashwriter %s %lu %08x\n", path, size, 0);
	body = size - n;
	snprintf(header, sizeof(header), "crashwriter %s %lu %08x\n", path, size,
		 body_crc(key, body));
	if (below(3) == 0) {
		if (ftruncate(fd, size) < 0)
			die("growing", temporary);
		if (size > 8192 && pwrite(fd, "x", 1, size - 1) != 1)
			die("writing the end of", temporary);
	}
	*crc = crc32(0, header, n);
	write_all(fd, header, n, temporary);
	while (body > 0) {
		size_t chunk = body < sizeof(block) ? body : sizeof(block);

		fill(block, chunk, &word);
		*crc = crc32(*crc, block, chunk);
		write_all(fd, block, chunk, temporary);
		body -= chunk;
	}
	return fd;
}

/* Syncs a finished file and makes the promise. */
static void promise(int fd, const char *path, unsigned long size, unsigned int crc)
{
	char line[300];

	if (fsync(fd) < 0)
		die("syncing", path);
	if (close(fd) < 0)
		die("closing", path);
	snprintf(line, sizeof(line), "synced %s/%s %lu %08x\n", directory, path, size, crc);
	tell(line);
}

/* Takes a promise back, then the file. Its directories go too when nothing else is in them. */
static void withdraw(struct kept *kept)
{
	char line[300], *slash;

	if (!kept->path[0])
		return;
	snprintf(line, sizeof(line), "gone %s/%s\n", directory, kept->path);
	tell(line);
	if (unlink(kept->path) < 0)
		die("removing", kept->path);
	while ((slash = strrchr(kept->path, '/'))) {
		*slash = 0;
		if (rmdir(kept->path) < 0)
			break;
	}
	kept->path[0] = 0;
}

static void make_directory(const char *path)
{
	if (mkdir(path, 0755) < 0 && errno != EEXIST)
		die("making", path);
}

/* A name no file had before, now and then deep in new directories. */
static void choose_path(char *path, size_t room, const char *prefix)
{
	size_t n = 0;

	generation++;
	for (unsigned long levels = below(3) ? 0 : 1 + below(5); levels > 0; levels--) {
		n += snprintf(path + n, room - n, "%sd%lu", n ? "/" : "", below(3));
		make_directory(path);
	}
	snprintf(path + n, room - n, "%s%s%lu", n ? "/" : "", prefix, generation);
}

/* One promised file: created in place, or under another name and renamed before the sync. */
static void make_synced(struct kept *kept, unsigned long size, const char *prefix)
{
	unsigned int crc;
	char path[64];
	int fd;

	withdraw(kept);
	choose_path(path, sizeof(path), prefix);
	if (below(2)) {
		fd = compose(path, path, size, &crc);
	} else {
		fd = compose("temporary", path, size, &crc);
		if (below(4) == 0 && fsync(fd) < 0)
			die("syncing", "temporary");
		if (rename("temporary", path) < 0)
			die("renaming to", path);
	}
	strcpy(kept->path, path);
	promise(fd, path, size, crc);
}

/* A change that nobody relies on; each may fail when an earlier one removed what it needs. */
static void noise(void)
{
	char a[24], b[24];
	int fd;

	snprintf(a, sizeof(a), "n%lu", below(NOISE));
	snprintf(b, sizeof(b), "%sn%lu", below(3) ? "" : "noise/", below(NOISE));
	switch (below(9)) {
	case 0:
	case 1:
		fd = open(a, O_CREAT | O_WRONLY | O_APPEND, 0644);
		if (fd < 0)
			return;
		memset(block, 'n', 20000);
		if (lseek(fd, 0, SEEK_END) < 300000)
			write_all(fd, block, 1 + below(20000), a);
		close(fd);
		break;
	case 2: unlink(a); break;
	case 3: rename(a, b); break;
	case 4: link(a, b); break;
	case 5: truncate(a, below(100000)); break;
	case 6:
		if (mkdir("noise", 0755) == 0 || below(4))
			break;
		rename("noise", "noise2");
		rmdir("noise2");
		break;
	case 7:
		unlink(b);
		symlink(a, b);
		break;
	default:
		fd = open(a, O_RDWR);
		if (fd >= 0) {
			pwrite(fd, "hole", 4, below(250000));
			if (below(4) == 0)
				fsync(fd);
			close(fd);
		}
	}
}

/*
 * Removes what an earlier run left in a directory, so that runs on one disk do not fill it.
 * Whatever it had promised is taken back first.
 */
static void clear(const char *path, int depth)
{
	char name[300], line[600];
	struct dirent *entry;
	DIR *dir = opendir(path);

	if (!dir)
		die("reading", path);
	while ((entry = readdir(dir))) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		snprintf(name, sizeof(name), "%s%s%s", depth ? path : "", depth ? "/" : "",
			 entry->d_name);
		if (entry->d_type == DT_DIR) {
			clear(name, depth + 1);
			if (rmdir(name) < 0)
				die("removing", name);
			continue;
		}
		snprintf(line, sizeof(line), "gone %s/%s\n", directory, name);
		tell(line);
		if (unlink(name) < 0)
			die("removing", name);
	}
	closedir(dir);
}

int main(int argc, char **argv)
{
	unsigned long limit = 0;
	int option;

	state = 1;
	opterr = 0;
	while ((option = getopt(argc, argv, "s:d:n:")) != -1) {
		if (option == 's') {
			state = strtoul(optarg, NULL, 0);
		} else if (option == 'd') {
			directory = optarg;
		} else if (option == 'n') {
			limit = strtoul(optarg, NULL, 0);
		} else {
			printf("usage: crashwriter [-s SEED] [-d DIRECTORY] [-n ROUNDS]\n");
			return 2;
		}
	}
	generation = state << 20 & 0xffffffffffUL;
	if (mkdir(directory, 0755) < 0 && errno != EEXIST)
		die("making", directory);
	if (chdir(directory) < 0)
		die("entering", directory);
	clear(".", 0);
	for (unsigned long round = 0; !limit || round < limit; round++) {
		for (unsigned long n = below(12); n > 0; n--)
			noise();
		if (below(25) == 0)
			make_synced(&big[below(BIGS)], BIG + below(300000), "big");
		else if (below(6) == 0)
			make_synced(&small[below(SLOTS)], 40000 + below(60000), "middle");
		else
			make_synced(&small[below(SLOTS)], HEADER + below(9000), "small");
		if (below(60) == 0)
			sync();
		if (below(10) == 0)
			withdraw(&small[below(SLOTS)]);
	}
	return 0;
}
