/* Reading directories. */
#ifndef _DIRENT_H
#define _DIRENT_H

#include <sys/types.h>

#define DT_UNKNOWN	0
#define DT_FIFO		1
#define DT_CHR		2
#define DT_DIR		4
#define DT_BLK		6
#define DT_REG		8
#define DT_LNK		10
#define DT_SOCK		12

struct dirent {			/* the kernel's struct linux_dirent64 */
	ino_t		d_ino;
	off_t		d_off;
	unsigned short	d_reclen;
	unsigned char	d_type;
	char		d_name[256];
};

typedef struct __dir DIR;

/* As in POSIX. readdir: NULL at the end (errno untouched) or on failure (errno set). */
DIR *opendir(const char *path);
DIR *fdopendir(int fd);
struct dirent *readdir(DIR *dir);
void rewinddir(DIR *dir);
int dirfd(DIR *dir);
int closedir(DIR *dir);

/* The system call: bytes of struct dirent records stored in buf, 0 at the end, or -1 with errno. */
ssize_t getdents64(int fd, void *buf, size_t size);

#endif
