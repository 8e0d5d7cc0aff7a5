/* Directory streams over getdents64. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

struct __dir {
	int	fd;
	int	at;
	int	filled;
	char	buf[4096] __attribute__((aligned(8)));
};

DIR *fdopendir(int fd)
{
	DIR *dir = malloc(sizeof(*dir));

	if (!dir)
		return NULL;
	dir->fd = fd;
	dir->at = dir->filled = 0;
	return dir;
}

DIR *opendir(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir;

	if (fd < 0)
		return NULL;
	dir = fdopendir(fd);
	if (!dir)
		close(fd);
	return dir;
}

struct dirent *readdir(DIR *dir)
{
	struct dirent *entry;

	if (dir->at >= dir->filled) {
		dir->filled = (int)getdents64(dir->fd, dir->buf, sizeof(dir->buf));
		dir->at = 0;
		if (dir->filled <= 0) {
			dir->filled = 0;
			return NULL;
		}
	}
	entry = (struct dirent *)(dir->buf + dir->at);
	dir->at += entry->d_reclen;
	return entry;
}

void rewinddir(DIR *dir)
{
	lseek(dir->fd, 0, SEEK_SET);
	dir->at = dir->filled = 0;
}

int dirfd(DIR *dir)
{
	return dir->fd;
}

int closedir(DIR *dir)
{
	int fd = dir->fd;

	free(dir);
	return close(fd);
}
