/* Directories as glibc reads them: opendir, scandir, nftw, glob, realpath, getcwd, links, statvfs.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <glob.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "check.h"

static int seen_files, seen_dirs;

static int visit(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)ftw;
	if (type == FTW_DP) {
		seen_dirs++;
		check(rmdir(path) == 0, "rmdir %s", path);
	} else {
		seen_files++;
		check(unlink(path) == 0, "unlink %s", path);
	}
	return 0;
}

static void touch(const char *path)
{
	int fd = open(path, O_CREAT | O_EXCL | O_WRONLY, 0644);

	check(fd >= 0 && close(fd) == 0, "cannot create %s", path);
}

static int no_dots(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static void scan(void)
{
	struct dirent **list;
	char name[32];
	DIR *dir;
	int n = 0;

	for (int i = 0; i < 150; i++) {
		snprintf(name, sizeof(name), "d/file%03d", i);
		touch(name);
	}
	dir = opendir("d");
	check(dir, "opendir");
	while (readdir(dir))
		n++;
	check(n == 153, "readdir gave %d entries, with . and .. and sub", n);
	rewinddir(dir);
	check(readdir(dir) != NULL && dirfd(dir) >= 0, "rewinddir");
	check(closedir(dir) == 0, "closedir");

	n = scandir("d", &list, no_dots, alphasort);
	check(n == 151 && !strcmp(list[0]->d_name, "file000") && !strcmp(list[150]->d_name, "sub"),
	      "scandir gave %d entries", n);
	check(list[0]->d_type == DT_REG && list[150]->d_type == DT_DIR, "types %d and %d",
	      list[0]->d_type, list[150]->d_type);
	for (int i = 0; i < n; i++)
		free(list[i]);
	free(list);

	glob_t found;

	check(glob("d/file01?", 0, NULL, &found) == 0 && found.gl_pathc == 10, "glob");
	check(!strcmp(found.gl_pathv[9], "d/file019"), "glob's last is %s", found.gl_pathv[9]);
	globfree(&found);
}

static void links(void)
{
	char here[PATH_MAX], real[PATH_MAX], want[PATH_MAX + 16], target[64];
	struct stat a, b;
	ssize_t n;

	check(symlink("../d/file000", "d/sym") == 0, "symlink");
	n = readlink("d/sym", target, sizeof(target));
	check(n == 12 && !memcmp(target, "../d/file000", 12), "readlink gave %zd", n);
	check(link("d/file001", "d/hard") == 0 && stat("d/hard", &a) == 0, "link");
	check(stat("d/file001", &b) == 0 && a.st_ino == b.st_ino && a.st_nlink == 2, "nlink %lu",
	      (unsigned long)a.st_nlink);
	check(lstat("d/sym", &a) == 0 && S_ISLNK(a.st_mode), "mode %o", a.st_mode);
	check(getcwd(here, sizeof(here)) && realpath("d/sub/../sym", real), "realpath");
	snprintf(want, sizeof(want), "%s%s", strcmp(here, "/") ? here : "", "/d/file000");
	check(!strcmp(real, want), "realpath gave %s, not %s", real, want);
	check(chmod("d/file001", 0600) == 0 && stat("d/file001", &b) == 0 &&
		      (b.st_mode & 07777) == 0600,
	      "mode %o", b.st_mode);
}

int main(void)
{
	struct statvfs vfs;
	char here[PATH_MAX], back[PATH_MAX];

	check(mkdir("dirs.tmp", 0755) == 0 && getcwd(here, sizeof(here)), "mkdir");
	check(chdir("dirs.tmp") == 0, "chdir");
	check(mkdir("d", 0755) == 0 && mkdir("d/sub", 0755) == 0, "mkdir");
	check(mkdir("d", 0755) < 0 && errno == EEXIST, "made it twice");
	touch("d/sub/deep");
	scan();
	links();
	check(statvfs(".", &vfs) == 0 && vfs.f_bsize > 0 && vfs.f_namemax >= 14, "statvfs");
	check(rmdir("d") < 0 && errno == ENOTEMPTY, "removed a full directory");
	check(nftw("d", visit, 8, FTW_DEPTH | FTW_PHYS) == 0, "nftw");
	check(seen_files == 153 && seen_dirs == 2, "%d files, %d dirs", seen_files, seen_dirs);
	check(chdir("..") == 0 && rmdir("dirs.tmp") == 0, "leaving");
	check(getcwd(back, sizeof(back)) && !strcmp(here, back), "back in %s", back);
	return done("dirs");
}
