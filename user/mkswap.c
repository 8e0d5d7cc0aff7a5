/*
 * mkswap: make a device a swap area. The header is Linux's, version 1: its fields at byte 1024 of the
 * first page, the signature in that page's last ten bytes. What lay before is overwritten with zeros.
 */
#include <err.h>
#include <fcntl.h>
#include <prog.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

static const char help[] =
	"usage: mkswap [-f] [-L LABEL] DEVICE\n"
	"Make DEVICE (or a file) a swap area. What it holds is lost. -f: even if it is in use; -L: a name.\n";

#define HEADER_AT	1024
#define SIGNATURE	"SWAPSPACE2"
#define MIN_PAGES	10

struct swap_header {
	uint32_t	version;
	uint32_t	last_page;
	uint32_t	nr_badpages;
	uint8_t		uuid[16];
	char		label[16];
};

/* Is it the first word of a line of this file? */
static bool listed(const char *path, const char *device)
{
	FILE *file = fopen(path, "r");
	size_t n = strlen(device);
	bool found = false;
	char line[512];

	if (!file)
		return false;
	while (!found && fgets(line, sizeof(line), file))
		found = !strncmp(line, device, n) && strchr(" \t", line[n]);
	fclose(file);
	return found;
}

static void refuse_if_in_use(const char *device)
{
	if (listed("/proc/mounts", device))
		errx(1, "error: %s is mounted; will not make swapspace", device);
	if (listed("/proc/swaps", device))
		errx(1, "error: %s is an active swap area; will not make swapspace", device);
}

/* A random version-4 UUID, also as text. */
static void make_uuid(uint8_t uuid[16], char text[37])
{
	char *at = text;

	if (getrandom(uuid, 16, 0) != 16)
		err(1, "getrandom");
	uuid[6] = (uuid[6] & 0x0f) | 0x40;
	uuid[8] = (uuid[8] & 0x3f) | 0x80;
	for (int i = 0; i < 16; i++)
		at += sprintf(at, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", uuid[i]);
}

/* "32 MiB", "1.5 GiB": to one digit, as util-linux prints sizes. */
static void human(unsigned long bytes, char *text, size_t size)
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB" };
	unsigned long whole = bytes, tenths = 0;
	unsigned int unit = 0;

	for (; whole >= 1024 && unit < 4; unit++) {
		tenths = (whole % 1024 * 10 + 512) / 1024;
		whole /= 1024;
	}
	if (tenths == 10) {
		whole++;
		tenths = 0;
	}
	if (tenths)
		snprintf(text, size, "%lu.%lu %s", whole, tenths, units[unit]);
	else
		snprintf(text, size, "%lu %s", whole, units[unit]);
}

static void write_header(int fd, const char *device, unsigned long pages, const char *label)
{
	static union {
		char			bytes[4096];
		struct {
			char			before[HEADER_AT];
			struct swap_header	header;
		};
	} page;
	char uuid[37], size[32];
	unsigned long usable = (pages - 1) * sizeof(page);

	page.header.version = 1;
	page.header.last_page = (uint32_t)(pages - 1);
	make_uuid(page.header.uuid, uuid);
	memcpy(page.header.label, label, strnlen(label, sizeof(page.header.label)));
	memcpy(page.bytes + sizeof(page) - strlen(SIGNATURE), SIGNATURE, strlen(SIGNATURE));
	human(usable, size, sizeof(size));
	printf("Setting up swapspace version 1, size = %s (%lu bytes)\n", size, usable);
	if (*label)
		printf("LABEL=%s, UUID=%s\n", label, uuid);
	else
		printf("no label, UUID=%s\n", uuid);
	if (pwrite(fd, page.bytes, sizeof(page), 0) != (ssize_t)sizeof(page) || fsync(fd) < 0)
		err(1, "%s: unable to write signature page", device);
}

int main(int argc, char **argv)
{
	const char *device, *label = "";
	bool force = false;
	unsigned long pages;
	int option, fd;
	off_t size;

	prog_init(argc, argv, help);
	while ((option = getopt(argc, argv, "fL:")) != -1) {
		if (option == 'f')
			force = true;
		else if (option == 'L')
			label = optarg;
		else
			usage();
	}
	if (argc - optind != 1)
		usage();
	if (strlen(label) > 16)
		errx(1, "error: label is too long (16 bytes at most)");
	device = argv[optind];
	if (!force)
		refuse_if_in_use(device);
	fd = open(device, O_RDWR);
	if (fd < 0)
		err(1, "cannot open %s", device);
	size = lseek(fd, 0, SEEK_END);
	if (size < 0)
		err(1, "cannot determine size of %s", device);
	pages = (unsigned long)size / 4096;
	if (pages < MIN_PAGES)
		errx(1, "error: swap area needs to be at least %d KiB", MIN_PAGES * 4);
	if (pages > UINT32_MAX) {
		warnx("warning: truncating swap area to %lu KiB", UINT32_MAX * 4UL);
		pages = UINT32_MAX;
	}
	write_header(fd, device, pages, label);
	return finish(0);
}
