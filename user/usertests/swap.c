/*
 * swapon and swapoff, on a RAM disk that the boot argument ramdisk=SIZE makes, and what a page that was
 * swapped out comes back as. A machine without that disk, or that swaps to it already, skips what needs it.
 */
#include <sys/ioctl.h>
#include <sys/swap.h>
#include <sys/sysinfo.h>

#include "ut.h"

#define DISK "/dev/ram1"

/* Linux's header, version 1, as it lies on the first page. */
union swap_header {
	unsigned char bytes[PAGE];
	struct {
		char before[1024];
		uint32_t version, last_page, nr_badpages;
		unsigned char uuid[16];
		char label[16];
		uint32_t padding[117];
		uint32_t badpages[];
	};
};

static union swap_header header;
static char text[8192];

/* A good header for @pages pages, in `header`. */
static void make_header(long pages)
{
	memset(&header, 0, sizeof(header));
	header.version = 1;
	header.last_page = pages - 1;
	memcpy(header.bytes + PAGE - 10, "SWAPSPACE2", 10);
}

static void put_header(void)
{
	int fd = open(DISK, O_WRONLY);

	expect(fd >= 0, "errno %d", errno);
	expect_eq(pwrite(fd, &header, PAGE, 0), PAGE);
	expect_eq(fsync(fd), 0);
	close(fd);
}

/* The disk's line of /proc/swaps, split into five words: how many there were, 0 without a line. */
static int swaps_line(char words[5][64])
{
	get_file("/proc/swaps", text, sizeof(text));
	expect(!strncmp(text, "Filename\t", 9), "heading: '%.30s'", text);
	for (char *line = text; (line = strchr(line, '\n')) && *++line;) {
		int n = 0;

		if (strncmp(line, DISK, strlen(DISK)))
			continue;
		for (char *at = line; n < 5 && *at && *at != '\n'; n++) {
			size_t length = strcspn(at, " \t\n");

			snprintf(words[n], 64, "%.*s", (int)length, at);
			at += length;
			at += strspn(at, " \t");
		}
		return n;
	}
	return 0;
}

/* The number of the disk's pages; or skips the case. */
static long disk_pages(void)
{
	char words[5][64];
	int fd;
	off_t size;

	if (foreign_kernel)
		skip("swap areas of another kernel are left alone");
	fd = open(DISK, O_RDONLY);
	if (fd < 0)
		skip("there is no " DISK ": boot with ramdisk=8M");
	size = lseek(fd, 0, SEEK_END);
	close(fd);
	expect(size >= (off_t)(64 * PAGE), DISK " has %ld bytes", (long)size);
	if (swaps_line(words))
		skip(DISK " is in use");
	return size / PAGE;
}

static long status_kb(const char *field)
{
	char *at;

	get_file("/proc/self/status", text, sizeof(text));
	at = strstr(text, field);
	expect(at, "no %s in /proc/self/status", field);
	return strtol(at + strlen(field), NULL, 10);
}

TEST(swapon_refuses, "swapon and swapoff refuse what is no swap area, each with its own error")
{
	char words[5][64];
	int before;

	if (foreign_kernel)
		skip("needs a kernel of our own");
	before = swaps_line(words);
	expect_errno(swapon("nosuch", 0), ENOENT);
	expect_errno(swapoff("nosuch"), ENOENT);
	expect_errno(swapon("/", 0), ENOTBLK);
	expect_errno(swapon("/dev/null", 0), ENOTBLK);
	expect_errno(syscall(SYS_swapon, NULL, 0), EFAULT);
	expect_errno(syscall(SYS_swapoff, NULL), EFAULT);
	expect_errno(syscall(SYS_swapon, page_end(), 0), EFAULT);
	put_file("plain", "x", 1);
	expect(swapon("plain", 0) == -1 && (errno == ENOTBLK || errno == EINVAL), "errno %d", errno);
	expect(swapoff("plain") == -1 && (errno == ENOTBLK || errno == EINVAL), "errno %d", errno);
	expect_eq(swaps_line(words), before);
}

TEST(swapon_header, "swapon takes only a header that is right in every field")
{
	long pages = disk_pages();
	char words[5][64];

	make_header(pages);
	memcpy(header.bytes + PAGE - 10, "SWAPSPACE1", 10);
	put_header();
	expect_errno(swapon(DISK, 0), EINVAL);
	memset(&header, 0, sizeof(header));
	put_header();
	expect_errno(swapon(DISK, 0), EINVAL);
	make_header(pages);
	header.version = 2;
	put_header();
	expect_errno(swapon(DISK, 0), EINVAL);
	make_header(pages);
	header.last_page = 0;
	put_header();
	expect_errno(swapon(DISK, 0), EINVAL);
	header.last_page = pages;		/* the disk's last is pages - 1 */
	put_header();
	expect_errno(swapon(DISK, 0), EINVAL);
	make_header(pages);
	header.nr_badpages = 638;		/* 637 fit */
	put_header();
	expect_errno(swapon(DISK, 0), EINVAL);
	make_header(pages);
	header.nr_badpages = 1;
	header.badpages[0] = pages;
	put_header();
	expect_errno(swapon(DISK, 0), EINVAL);
	header.badpages[0] = 0;
	put_header();
	expect_errno(swapon(DISK, 0), EINVAL);
	make_header(pages);
	put_header();
	expect_errno(swapon(DISK, 0x40000000), EINVAL);
	expect_eq(swaps_line(words), 0);
	expect_errno(swapoff(DISK), EINVAL);
}

static unsigned long total_swap(void)
{
	struct sysinfo info;

	expect_eq(sysinfo(&info), 0);
	return info.totalswap * info.mem_unit;
}

TEST(swapon_swapoff, "a swap area is listed and counted while it is in use, once, and not afterwards")
{
	long pages = disk_pages(), total = meminfo_kb("SwapTotal"), unused = meminfo_kb("SwapFree");
	unsigned long bytes = total_swap();
	char words[5][64];

	make_header(pages);
	header.nr_badpages = 2;			/* one of them twice */
	header.badpages[0] = header.badpages[1] = 7;
	put_header();
	expect_eq(swapon(DISK, SWAP_FLAG_PREFER | 1234), 0);
	expect_errno(swapon(DISK, 0), EBUSY);
	expect_eq(swaps_line(words), 5);
	expect(!strcmp(words[0], DISK) && !strcmp(words[1], "partition"), "'%s' '%s'", words[0], words[1]);
	expect_eq(strtol(words[2], NULL, 10), (pages - 2) * 4);
	expect_eq(strtol(words[3], NULL, 10), 0);
	expect_eq(strtol(words[4], NULL, 10), 1234);
	expect_eq(meminfo_kb("SwapTotal") - total, (pages - 2) * 4);
	expect_eq(meminfo_kb("SwapFree") - unused, (pages - 2) * 4);
	expect_eq(total_swap() - bytes, (pages - 2) * PAGE);
	expect_eq(swapoff(DISK), 0);
	expect_errno(swapoff(DISK), EINVAL);
	expect_eq(swaps_line(words), 0);
	expect_eq(meminfo_kb("SwapTotal"), total);
	expect_eq(total_swap(), bytes);
	/* Without a priority, the first area gets a negative one: the same each time that it comes. */
	make_header(pages);
	put_header();
	for (long i = 0, first = 0; i < 3; i++) {
		expect_eq(swapon(DISK, 0), 0);
		expect_eq(swaps_line(words), 5);
		if (!i)
			first = strtol(words[4], NULL, 10);
		expect(first < 0, "priority %s", words[4]);
		expect_eq(strtol(words[4], NULL, 10), first);
		expect_eq(strtol(words[2], NULL, 10), (pages - 1) * 4);
		expect_eq(swapoff(DISK), 0);
	}
}

/* Fills memory, a MiB at a time, until half of the swap area is used, then says so and waits to be killed. */
static void hog(int say, long total)
{
	for (long mib = 0; mib < 4096; mib++) {
		char *p = map_pages(256);

		for (int i = 0; i < 256; i++)
			p[i * PAGE] = 1;
		if (meminfo_kb("SwapFree") < total / 2)
			break;
	}
	(void)!write(say, "x", 1);
	for (;;)
		pause();
}

#define KEPT  512			/* pages whose contents are looked after */
#define WORDS (PAGE / sizeof(uint64_t))	/* of each */

static uint64_t value_of(size_t page, size_t word, unsigned int key)
{
	return (page * 1000 + key) * 0x9e3779b97f4a7c15UL + word;
}

static void fill(uint64_t *p, unsigned int key)
{
	for (size_t page = 0; page < KEPT; page++)
		for (size_t i = 0; i < WORDS; i++)
			p[page * WORDS + i] = value_of(page, i, key);
}

/* The first `pages` of them. */
static int intact(const uint64_t *p, size_t pages, unsigned int key)
{
	for (size_t page = 0; page < pages; page++)
		for (size_t i = 0; i < WORDS; i++)
			if (p[page * WORDS + i] != value_of(page, i, key))
				return 0;
	return 1;
}

/* Makes the machine short of memory until pages of this process are on the disk. The hog's pid. */
static pid_t press_out(void)
{
	long total = meminfo_kb("SwapTotal");
	int p[2];
	pid_t pid;
	char c;

	expect_eq(pipe(p), 0);
	pid = xfork();
	if (pid == 0) {
		close(p[0]);
		hog(p[1], total);
	}
	close(p[1]);
	expect_eq(read(p[0], &c, 1), 1);
	close(p[0]);
	return pid;
}

TEST(swap_contents, "pages that were swapped out come back as they were: by touch, to a child, by swapoff")
{
	long pages = disk_pages(), total = meminfo_kb("SwapTotal");
	uint64_t *p;
	pid_t hogs, pid;

	if (access("/proc/self/oom_score_adj", F_OK) < 0)
		skip("this stage does not swap");
	if (meminfo_kb("MemTotal") > 600 * 1024)
		skip("the machine has too much memory to use it up");
	make_header(pages);
	put_header();
	expect_eq(swapon(DISK, 0), 0);
	p = (uint64_t *)map_pages(KEPT);
	fill(p, 1);
	expect_eq(status_kb("VmSwap:"), 0);
	hogs = press_out();
	expect(status_kb("VmSwap:") > 0, "nothing of this process is on the disk");
	expect(meminfo_kb("SwapFree") < meminfo_kb("SwapTotal"), "no swap is in use");
	/* There is hardly room for what is on the disk: an error, but nobody's death. */
	if (swapoff(DISK) == 0)
		expect_eq(swapon(DISK, 0), 0);
	else
		expect_eq(errno, ENOMEM);
	expect_eq(waitpid(hogs, NULL, WNOHANG), 0);
	kill(hogs, SIGKILL);
	expect_killed(hogs, SIGKILL);
	pid = xfork();
	if (pid == 0) {				/* the child's entries lead to the same slots */
		if (!intact(p, KEPT, 1))
			_exit(1);
		fill(p, 77);
		_exit(intact(p, KEPT, 77) ? 0 : 2);
	}
	expect_exit(pid, 0);
	expect(intact(p, KEPT / 2, 1), "a page came back with other contents");
	expect_eq(swapoff(DISK), 0);
	expect_eq(status_kb("VmSwap:"), 0);
	expect_eq(meminfo_kb("SwapTotal"), total);
	expect(intact(p, KEPT, 1), "swapoff changed a page");
}
