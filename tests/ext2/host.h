/* Between the tests, which see the kernel's headers, and host.c, which sees the host's. */
#pragma once
#include <stddef.h>
#include <stdbool.h>

void *host_alloc(size_t size);
void host_free(void *p);
int host_printf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
int host_vprintf(const char *fmt, __builtin_va_list args);
int host_snprintf(char *buf, size_t size, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void host_flush(void);
void host_abort(void) __attribute__((noreturn));
void host_exit(int status) __attribute__((noreturn));	/* without cleaning up: for children */
void *host_load(const char *path, size_t *size);
void host_save(const char *path, const void *data, size_t size);
int host_run(const char *log, const char *const *argv);	/* exit status; output to the file @log */
void host_show(const char *path, int lines);
/* In the child 0, in the parent the number of the child. */
int host_fork(void);
int host_wait(int *child);	/* exit status of some child */
double host_seconds(void);
void host_remove(const char *path);
void host_limit(unsigned int seconds);	/* of this process: then it dies */
