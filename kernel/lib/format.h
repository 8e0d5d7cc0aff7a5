/*
 * printf into a buffer.
 *
 * Conversions: %d %i %u %x %X %o %c %s %p %%, with the flags "-+ 0#", a width,
 * a precision ("*" for either) and the sizes hh h l ll z t j. %pS prints a code
 * address as symbol+offset/size, %ps as symbol alone. No floating point, no %n.
 * %p prints 16 hex digits. An unknown conversion is copied as it stands.
 */
#pragma once

#include "lib/compiler.h"
#include "lib/types.h"

/*
 * Write at most @size bytes including the terminator (nothing when @size is 0).
 * Returns the length the whole text has, which may exceed what was written.
 */
int vsnprintf(char *buf, size_t size, const char *fmt, va_list args) __printf(3, 0);
int snprintf(char *buf, size_t size, const char *fmt, ...) __printf(3, 4);

/* The same, but return the length that is in the buffer. */
int vscnprintf(char *buf, size_t size, const char *fmt, va_list args) __printf(3, 0);
int scnprintf(char *buf, size_t size, const char *fmt, ...) __printf(3, 4);

/*
 * How %pS finds a name; base sets it once the symbol table is known. Returns the
 * symbol that holds @addr, with the distance from its start and its size (0 when
 * unknown), or NULL. Must be callable from any context, a panic included.
 */
typedef const char *(*format_symbol_fn)(unsigned long addr, unsigned long *offset,
					unsigned long *size);
extern format_symbol_fn format_symbol_hook;
