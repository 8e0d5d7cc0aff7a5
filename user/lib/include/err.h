/*
 * One-line messages on stderr: "program: message: strerror(errno)"; the x forms without strerror.
 */
#ifndef _ERR_H
#define _ERR_H

#define __printf_err(f, a) __attribute__((format(printf, f, a)))

void warn(const char *format, ...) __printf_err(1, 2);
void warnx(const char *format, ...) __printf_err(1, 2);
_Noreturn void err(int status, const char *format, ...) __printf_err(2, 3);
_Noreturn void errx(int status, const char *format, ...) __printf_err(2, 3);

#endif
