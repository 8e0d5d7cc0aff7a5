/*
 * Buffered files. The whole printf family except floating point. Each stream has its own lock, so
 * threads may print to one stream; a line printed by one call stays whole.
 */
#ifndef _STDIO_H
#define _STDIO_H

#include <stdarg.h>
#include <stddef.h>
#include <sys/types.h>

#define EOF		(-1)
#define BUFSIZ		4096
#define FILENAME_MAX	4096
#define _IOFBF		0
#define _IOLBF		1
#define _IONBF		2
#ifndef SEEK_SET
#define SEEK_SET	0
#define SEEK_CUR	1
#define SEEK_END	2
#endif

typedef struct __file FILE;
extern FILE *const stdin;
extern FILE *const stdout;
extern FILE *const stderr;
#define stdin	stdin
#define stdout	stdout
#define stderr	stderr

#define __printf(f, a) __attribute__((format(printf, f, a)))

FILE *fopen(const char *path, const char *mode);
FILE *fdopen(int fd, const char *mode);
int fclose(FILE *file);
int fflush(FILE *file);			/* NULL: every stream */
int setvbuf(FILE *file, char *buf, int mode, size_t size);	/* buf is ignored */
int fileno(FILE *file);
int feof(FILE *file);
int ferror(FILE *file);
void clearerr(FILE *file);
int fseek(FILE *file, long offset, int whence);
long ftell(FILE *file);
void rewind(FILE *file);

size_t fread(void *buf, size_t size, size_t count, FILE *file);
size_t fwrite(const void *buf, size_t size, size_t count, FILE *file);
int fgetc(FILE *file);
int getc(FILE *file);
int getchar(void);
int ungetc(int c, FILE *file);		/* one character */
char *fgets(char *buf, int size, FILE *file);
ssize_t getline(char **line, size_t *size, FILE *file);
ssize_t getdelim(char **line, size_t *size, int delimiter, FILE *file);
int fputc(int c, FILE *file);
int putc(int c, FILE *file);
int putchar(int c);
int fputs(const char *s, FILE *file);
int puts(const char *s);

int printf(const char *format, ...) __printf(1, 2);
int fprintf(FILE *file, const char *format, ...) __printf(2, 3);
int dprintf(int fd, const char *format, ...) __printf(2, 3);
int sprintf(char *buf, const char *format, ...) __printf(2, 3);
int snprintf(char *buf, size_t size, const char *format, ...) __printf(3, 4);
int asprintf(char **string, const char *format, ...) __printf(2, 3);
int vprintf(const char *format, va_list args) __printf(1, 0);
int vfprintf(FILE *file, const char *format, va_list args) __printf(2, 0);
int vdprintf(int fd, const char *format, va_list args) __printf(2, 0);
int vsnprintf(char *buf, size_t size, const char *format, va_list args) __printf(3, 0);
int vasprintf(char **string, const char *format, va_list args) __printf(2, 0);

void perror(const char *prefix);
int remove(const char *path);
int rename(const char *from, const char *to);
int renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned int flags);

#endif
