/* stdio on files: modes, buffering, seeking, pushing back, scanning, temporary files. */
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"

#define NAME "stdiofile.tmp"

static void write_and_seek(void)
{
	FILE *f = fopen(NAME, "w+");
	char line[64];

	check(f, "fopen w+");
	for (int i = 0; i < 2000; i++)
		check(fprintf(f, "line %04d\n", i) == 10, "fprintf at %d", i);
	check(ftell(f) == 20000, "position is %ld", ftell(f));
	check(fseek(f, 10 * 1234, SEEK_SET) == 0, "fseek");
	check(fgets(line, sizeof(line), f) && !strcmp(line, "line 1234\n"), "read '%s'", line);
	check(fseek(f, -10, SEEK_END) == 0 && fgets(line, sizeof(line), f), "last line");
	check(!strcmp(line, "line 1999\n"), "last line is '%s'", line);
	check(fgets(line, sizeof(line), f) == NULL && feof(f), "no end of file");
	rewind(f);
	check(fputs("LINE", f) >= 0 && fseek(f, 0, SEEK_SET) == 0, "overwriting");
	check(fgets(line, sizeof(line), f) && !strcmp(line, "LINE 0000\n"), "first is '%s'", line);
	check(ungetc('x', f) == 'x' && fgetc(f) == 'x', "ungetc");
	check(fclose(f) == 0, "fclose");
}

static void append_and_scan(void)
{
	struct stat st;
	FILE *f = fopen(NAME, "a");
	int number, n = 0;

	check(f && fputs("line 2000\n", f) >= 0 && fclose(f) == 0, "append");
	check(stat(NAME, &st) == 0 && st.st_size == 20010, "size is %ld", (long)st.st_size);
	f = fopen(NAME, "r");
	check(f, "fopen r");
	while (fscanf(f, "%*s %d", &number) == 1) {
		check(number == n, "line %d holds %d", n, number);
		n++;
	}
	check(n == 2001, "%d lines", n);
	fclose(f);
}

static void lines_and_blocks(void)
{
	static unsigned char block[10000], back[10000];
	size_t room = 0;
	char *line = NULL;
	FILE *f = fopen(NAME, "wb+");

	check(f, "fopen wb+");
	for (size_t i = 0; i < sizeof(block); i++)
		block[i] = i * 7;
	check(fwrite(block, 1, sizeof(block), f) == sizeof(block), "fwrite");
	rewind(f);
	check(fread(back, 100, 100, f) == 100 && !memcmp(block, back, sizeof(block)), "fread");
	check(ftruncate(fileno(f), 0) == 0, "ftruncate");
	rewind(f);
	for (int i = 0; i < 3000; i++)
		fputc(i == 2999 ? '\n' : 'a', f);
	rewind(f);
	check(getline(&line, &room, f) == 3000, "getline");
	free(line);
	check(setvbuf(f, NULL, _IONBF, 0) == 0 && fputc('!', f) == '!', "unbuffered");
	check(fclose(f) == 0, "fclose");
	check(fopen("does/not/exist", "r") == NULL && errno == ENOENT, "opened what is not there");
	check(fopen("/", "w") == NULL && errno == EISDIR, "opened a directory for writing");
}

static void names(void)
{
	FILE *f = tmpfile();

	check(f && fputs("x", f) >= 0 && fclose(f) == 0, "tmpfile");
	check(rename(NAME, NAME "2") == 0 && access(NAME, F_OK) < 0, "rename");
	check(remove(NAME "2") == 0 && access(NAME "2", F_OK) < 0, "remove");

	char template[] = "tmp-XXXXXX";
	int fd = mkstemp(template);

	check(fd >= 0, "mkstemp");
	f = fdopen(fd, "w");
	check(f && fprintf(f, "%d", 5) == 1 && fclose(f) == 0 && unlink(template) == 0, "fdopen");

	char *text = NULL;
	size_t size = 0;

	f = open_memstream(&text, &size);
	check(f && fprintf(f, "%s", "in memory") == 9 && fclose(f) == 0, "open_memstream");
	check(size == 9 && !strcmp(text, "in memory"), "text is '%s'", text);
	free(text);
}

int main(void)
{
	write_and_seek();
	append_and_scan();
	lines_and_blocks();
	names();
	return done("stdiofile");
}
