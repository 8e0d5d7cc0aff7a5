/*
 * Buffered streams.
 *
 * A stream holds one buffer that is either full of input (pos..end unread) or of output (0..pos not
 * yet written); `writing` says which. Turning from one to the other first gives the file position
 * back to the kernel. stdout is line-buffered on a terminal and fully buffered elsewhere; that is
 * found out at its first use, so a program that prints nothing asks nothing. stderr is flushed at
 * the end of every call, so that a message leaves in one write.
 *
 * Every stream has a lock around each public call. fork copies a lock that another thread may hold;
 * a child of a threaded program should exec or _exit.
 */
#include "printf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <thread.h>
#include <unistd.h>

enum { MODE_UNKNOWN = -1 };

struct __file {
	int	fd;
	int	mode;			/* _IOFBF, _IOLBF, _IONBF or MODE_UNKNOWN */
	int	readable, writable, append;
	int	writing;
	int	eof, error;
	lock_t	lock;
	size_t	pos, end;
	char	*buf;			/* BUFSIZ bytes, allocated at first use */
	struct __file *next;		/* all streams, under streams_lock */
};

static struct __file stdin_file = { .fd = 0, .readable = 1 };
static struct __file stdout_file = {
	.fd = 1, .writable = 1, .mode = MODE_UNKNOWN, .next = &stdin_file};
static struct __file stderr_file = { .fd = 2, .writable = 1, .mode = _IONBF, .next = &stdout_file };

#undef stdin
#undef stdout
#undef stderr
FILE *const stdin = &stdin_file;
FILE *const stdout = &stdout_file;
FILE *const stderr = &stderr_file;

static struct __file *streams = &stderr_file;
static lock_t streams_lock;

/* the buffer: all of these are called with the stream's lock held */

static int ready_buffer(FILE *file)
{
	static char std_bufs[3][BUFSIZ];	/* so that messages need no memory */

	if (file->buf)
		return 0;
	if (file == stdin || file == stdout || file == stderr)
		file->buf = std_bufs[file == stdin ? 0 : file == stdout ? 1 : 2];
	else
		file->buf = malloc(BUFSIZ);
	if (!file->buf)
		file->error = 1;
	return file->buf ? 0 : -1;
}

static int write_all(int fd, const char *data, size_t length)
{
	while (length) {
		ssize_t n = write(fd, data, length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -1;
		data += n;
		length -= (size_t)n;
	}
	return 0;
}

/* Write out pending output, or give unread input back to the file position. */
static int flush_locked(FILE *file)
{
	int failed = 0;

	if (file->writing) {
		failed = write_all(file->fd, file->buf, file->pos);
		if (failed)
			file->error = 1;
	} else if (file->pos < file->end) {
		lseek(file->fd, -(off_t)(file->end - file->pos), SEEK_CUR);
	}
	file->pos = file->end = 0;
	file->writing = 0;
	return failed;
}

static int start_writing(FILE *file)
{
	if (!file->writable) {
		errno = EBADF;
		file->error = 1;
		return -1;
	}
	if (ready_buffer(file))
		return -1;
	if (file->mode == MODE_UNKNOWN) {
		int saved = errno;

		file->mode = isatty(file->fd) ? _IOLBF : _IOFBF;
		errno = saved;
	}
	if (!file->writing) {
		flush_locked(file);
		file->writing = 1;
	}
	return 0;
}

static int put_locked(FILE *file, const char *data, size_t length)
{
	if (start_writing(file))
		return -1;
	while (length) {
		size_t n = BUFSIZ - file->pos;

		if (n > length)
			n = length;
		memcpy(file->buf + file->pos, data, n);
		file->pos += n;
		data += n;
		length -= n;
		if (file->pos == BUFSIZ) {
			if (flush_locked(file))
				return -1;
			file->writing = 1;
		}
	}
	return 0;
}

/* The end of a public output call: flush what the mode does not let linger. */
static int end_put(FILE *file)
{
	if (!file->writing || !file->pos)
		return 0;
	if (file->mode == _IONBF || (file->mode == _IOLBF && memchr(file->buf, '\n', file->pos)))
		return flush_locked(file);
	return 0;
}

/* Make at least one byte readable; -1 at the end or on an error. */
static int fill(FILE *file)
{
	ssize_t n;

	if (!file->readable) {
		errno = EBADF;
		file->error = 1;
		return -1;
	}
	if (ready_buffer(file))
		return -1;
	if (file->writing && flush_locked(file))
		return -1;
	if (file == stdin && stdout->writing && stdout->mode == _IOLBF)
		fflush(stdout);
	n = read(file->fd, file->buf, BUFSIZ);
	file->pos = 0;
	file->end = n > 0 ? (size_t)n : 0;
	if (n > 0)
		return 0;
	if (n == 0)
		file->eof = 1;
	else
		file->error = 1;
	return -1;
}

static int get_locked(FILE *file)
{
	if ((file->writing || file->pos >= file->end) && fill(file))
		return EOF;
	return (unsigned char)file->buf[file->pos++];
}

/* opening and closing */

FILE *fdopen(int fd, const char *mode)
{
	FILE *file = calloc(1, sizeof(*file));

	if (!file)
		return NULL;
	file->fd = fd;
	file->readable = *mode == 'r' || strchr(mode, '+');
	file->writable = *mode != 'r' || strchr(mode, '+');
	lock_acquire(&streams_lock);
	file->next = streams;
	streams = file;
	lock_release(&streams_lock);
	return file;
}

FILE *fopen(const char *path, const char *mode)
{
	int flags = strchr(mode, '+') ? O_RDWR : *mode == 'r' ? O_RDONLY : O_WRONLY;
	FILE *file;
	int fd;

	if (!strchr("rwa", *mode)) {
		errno = EINVAL;
		return NULL;
	}
	if (*mode != 'r')
		flags |= O_CREAT | (*mode == 'w' ? O_TRUNC : O_APPEND);
	if (strchr(mode, 'e'))
		flags |= O_CLOEXEC;
	if (strchr(mode, 'x'))
		flags |= O_EXCL;
	fd = open(path, flags, 0666);
	if (fd < 0)
		return NULL;
	file = fdopen(fd, mode);
	if (!file)
		close(fd);
	return file;
}

int fclose(FILE *file)
{
	int failed = fflush(file);

	lock_acquire(&streams_lock);
	for (struct __file **link = &streams; *link; link = &(*link)->next) {
		if (*link == file) {
			*link = file->next;
			break;
		}
	}
	lock_release(&streams_lock);
	if (close(file->fd) < 0)
		failed = EOF;
	if (file != stdin && file != stdout && file != stderr) {
		free(file->buf);
		free(file);
	}
	return failed;
}

int fflush(FILE *file)
{
	int failed = 0;

	if (file) {
		lock_acquire(&file->lock);
		failed = flush_locked(file);
		lock_release(&file->lock);
		return failed ? EOF : 0;
	}
	lock_acquire(&streams_lock);
	for (file = streams; file; file = file->next)
		if (fflush(file))
			failed = EOF;
	lock_release(&streams_lock);
	return failed;
}

int setvbuf(FILE *file, char *buf, int mode, size_t size)
{
	(void)buf;
	(void)size;
	file->mode = mode;
	return 0;
}

int fileno(FILE *file)		{ return file->fd; }
int feof(FILE *file)		{ return file->eof; }
int ferror(FILE *file)		{ return file->error; }
void clearerr(FILE *file)	{ file->eof = file->error = 0; }
void rewind(FILE *file)		{ fseek(file, 0, SEEK_SET); }

int fseek(FILE *file, long offset, int whence)
{
	int failed;

	lock_acquire(&file->lock);
	failed = flush_locked(file) || lseek(file->fd, offset, whence) < 0;
	file->eof = 0;
	lock_release(&file->lock);
	return failed ? -1 : 0;
}

long ftell(FILE *file)
{
	long at;

	lock_acquire(&file->lock);
	at = lseek(file->fd, 0, SEEK_CUR);
	if (at >= 0)
		at += file->writing ? (long)file->pos : -(long)(file->end - file->pos);
	lock_release(&file->lock);
	return at;
}

/* input */

size_t fread(void *buf, size_t size, size_t count, FILE *file)
{
	size_t total = size * count, done = 0;

	lock_acquire(&file->lock);
	while (done < total) {
		size_t n;

		if ((file->writing || file->pos >= file->end) && fill(file))
			break;
		n = file->end - file->pos;
		if (n > total - done)
			n = total - done;
		memcpy((char *)buf + done, file->buf + file->pos, n);
		file->pos += n;
		done += n;
	}
	lock_release(&file->lock);
	return size ? done / size : 0;
}

int fgetc(FILE *file)
{
	int c;

	lock_acquire(&file->lock);
	c = get_locked(file);
	lock_release(&file->lock);
	return c;
}

int getc(FILE *file)	{ return fgetc(file); }
int getchar(void)	{ return fgetc(stdin); }

int ungetc(int c, FILE *file)
{
	int kept = EOF;

	lock_acquire(&file->lock);
	if (c != EOF && !file->writing && file->pos > 0) {
		file->buf[--file->pos] = (char)c;
		file->eof = 0;
		kept = c;
	}
	lock_release(&file->lock);
	return kept;
}

char *fgets(char *buf, int size, FILE *file)
{
	int n = 0, c = 0;

	lock_acquire(&file->lock);
	while (n < size - 1 && c != '\n' && (c = get_locked(file)) != EOF)
		buf[n++] = (char)c;
	lock_release(&file->lock);
	if (n == 0)
		return NULL;
	buf[n] = '\0';
	return buf;
}

ssize_t getdelim(char **line, size_t *size, int delimiter, FILE *file)
{
	size_t n = 0;
	int c = EOF;

	lock_acquire(&file->lock);
	do {
		if (!*line || n + 2 > *size) {
			size_t want = *line && *size ? *size * 2 : 128;
			char *grown = realloc(*line, want);

			if (!grown)
				break;
			*line = grown;
			*size = want;
		}
		c = get_locked(file);
		if (c != EOF)
			(*line)[n++] = (char)c;
	} while (c != EOF && c != delimiter);
	lock_release(&file->lock);
	if (n == 0)
		return -1;
	(*line)[n] = '\0';
	return (ssize_t)n;
}

ssize_t getline(char **line, size_t *size, FILE *file)
{
	return getdelim(line, size, '\n', file);
}

/* output */

size_t fwrite(const void *buf, size_t size, size_t count, FILE *file)
{
	int failed;

	lock_acquire(&file->lock);
	failed = put_locked(file, buf, size * count) || end_put(file);
	lock_release(&file->lock);
	return failed ? 0 : count;
}

int fputs(const char *s, FILE *file)
{
	size_t length = strlen(s);

	return fwrite(s, 1, length, file) < length ? EOF : 0;
}

int fputc(int c, FILE *file)
{
	char byte = (char)c;

	return fwrite(&byte, 1, 1, file) < 1 ? EOF : (unsigned char)c;
}

int putc(int c, FILE *file)	{ return fputc(c, file); }
int putchar(int c)		{ return fputc(c, stdout); }

int puts(const char *s)
{
	return printf("%s\n", s) < 0 ? EOF : 0;
}

static void put_stream(void *context, const char *text, size_t length)
{
	put_locked(context, text, length);
}

int vfprintf(FILE *file, const char *format, va_list args)
{
	int had_error, count;

	lock_acquire(&file->lock);
	had_error = file->error;
	file->error = 0;
	count = __format(put_stream, file, format, args);
	end_put(file);
	if (file->error)
		count = -1;
	file->error |= had_error;
	lock_release(&file->lock);
	return count;
}

int vprintf(const char *format, va_list args)
{
	return vfprintf(stdout, format, args);
}

struct memory {
	char	*buf;
	size_t	size, used;
};

static void put_memory(void *context, const char *text, size_t length)
{
	struct memory *memory = context;

	if (memory->used < memory->size) {
		size_t room = memory->size - memory->used;

		memcpy(memory->buf + memory->used, text, length < room ? length : room);
	}
	memory->used += length;
}

int vsnprintf(char *buf, size_t size, const char *format, va_list args)
{
	struct memory memory = { buf, size, 0 };
	int count = __format(put_memory, &memory, format, args);

	if (size)
		buf[memory.used < size ? memory.used : size - 1] = '\0';
	return count;
}

int vasprintf(char **string, const char *format, va_list args)
{
	int length = vsnprintf(NULL, 0, format, args);

	*string = malloc((size_t)length + 1);
	return *string ? vsnprintf(*string, (size_t)length + 1, format, args) : -1;
}

int vdprintf(int fd, const char *format, va_list args)
{
	char buf[512];
	int count = vsnprintf(buf, sizeof(buf), format, args);

	if (count >= (int)sizeof(buf))
		count = (int)sizeof(buf) - 1;
	return write_all(fd, buf, (size_t)count) ? -1 : count;
}

#define FORWARD(call)				\
	({					\
		va_list args;			\
		int count;			\
						\
		va_start(args, format);		\
		count = call;			\
		va_end(args);			\
		count;				\
	})

int printf(const char *format, ...)
{
	return FORWARD(vfprintf(stdout, format, args));
}

int fprintf(FILE *file, const char *format, ...)
{
	return FORWARD(vfprintf(file, format, args));
}

int dprintf(int fd, const char *format, ...)
{
	return FORWARD(vdprintf(fd, format, args));
}

int sprintf(char *buf, const char *format, ...)
{
	return FORWARD(vsnprintf(buf, 0x7fffffff, format, args));
}

int snprintf(char *buf, size_t size, const char *format, ...)
{
	return FORWARD(vsnprintf(buf, size, format, args));
}

int asprintf(char **string, const char *format, ...)
{
	return FORWARD(vasprintf(string, format, args));
}

void perror(const char *prefix)
{
	int saved = errno;

	if (prefix && *prefix)
		fprintf(stderr, "%s: %s\n", prefix, strerror(saved));
	else
		fprintf(stderr, "%s\n", strerror(saved));
}
