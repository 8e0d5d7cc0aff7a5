/* The formatter that the printf family shares. */
#ifndef _LIB_PRINTF_H
#define _LIB_PRINTF_H

#include <stdarg.h>
#include <stddef.h>

/*
 * Format into put(context, text, length), in pieces. Conversions d i u x X o c s p n % with flags
 * "-+ #0", width, precision (also *), and lengths hh h l ll z j t; %m is strerror(errno). Anything
 * else is copied as it stands. Returns the number of bytes put.
 */
int __format(void (*put)(void *context, const char *text, size_t length), void *context,
	     const char *format, va_list args);

#endif
