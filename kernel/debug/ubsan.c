/*
 * UBSAN=1: what the C standard leaves undefined, reported where it happens.
 *
 * The compiler puts a test in front of each shift, array index, division and so on, and calls one of the
 * functions below when it fails, with a description of the place and the values (gcc's and clang's
 * ABI of -fsanitize=undefined). Each place is reported once: its column is overwritten with SEEN. What
 * the hardware does goes on. Signed overflow is not tested: the kernel is compiled with -fwrapv, which
 * defines it.
 */
#include "base/panic.h"
#include "lib/compiler.h"
#include "lib/format.h"

#define SEEN	0x80000000U

struct location {
	const char *file;
	u32 line, column;
};

struct type {
	u16 kind;			/* 0: integer; 1: floating point */
	u16 info;			/* bit 0: signed; the rest: log2 of its bits */
	char name[];			/* in quotes */
};

struct data {				/* what all begin with */
	struct location at;
};

struct shift_data {
	struct location at;
	const struct type *left, *right;
};

struct bounds_data {
	struct location at;
	const struct type *array, *index;
};

struct type_data {
	struct location at;
	const struct type *type;
};

struct mismatch_data {
	struct location at;
	const struct type *type;
	u8 log_alignment, kind;
};

static bool begin(struct location *at, const char *what)
{
	if (__atomic_fetch_or(&at->column, SEEN, __ATOMIC_RELAXED) & SEEN)
		return false;
	pr_err("================================================================================\n");
	pr_err("UBSAN: %s in %s:%u:%u\n", what, at->file, at->line, at->column & ~SEEN);
	return true;
}

static void end(void)
{
	dump_stack();
	pr_err("================================================================================\n");
}

/* A value of at most 64 bits is passed in the word itself. */
static const char *value_text(char *buf, size_t size, const struct type *type, unsigned long value)
{
	unsigned int bits = 1U << (type->info >> 1);

	if (type->kind || bits > 64)
		snprintf(buf, size, "(%s)", type->name);
	else if (type->info & 1)
		snprintf(buf, size, "%ld", (long)(value << (64 - bits)) >> (64 - bits));
	else
		snprintf(buf, size, "%lu", value);
	return buf;
}

#define HANDLER(name, ...)				\
	void __ubsan_handle_##name(__VA_ARGS__);	\
	void __ubsan_handle_##name(__VA_ARGS__)

HANDLER(shift_out_of_bounds, struct shift_data *data, unsigned long left, unsigned long right)
{
	char l[24], r[24];

	if (!begin(&data->at, "shift-out-of-bounds"))
		return;
	pr_err("shift of %s, a %s, by %s\n", value_text(l, sizeof(l), data->left, left),
	       data->left->name, value_text(r, sizeof(r), data->right, right));
	end();
}

HANDLER(out_of_bounds, struct bounds_data *data, unsigned long index)
{
	char text[24];

	if (!begin(&data->at, "array-index-out-of-bounds"))
		return;
	pr_err("index %s is out of range for type %s\n",
	       value_text(text, sizeof(text), data->index, index), data->array->name);
	end();
}

HANDLER(divrem_overflow, struct type_data *data, unsigned long left, unsigned long right)
{
	char l[24], r[24];

	if (!begin(&data->at, "division-overflow"))
		return;
	pr_err("division of %s by %s\n", value_text(l, sizeof(l), data->type, left),
	       value_text(r, sizeof(r), data->type, right));
	end();
}

HANDLER(load_invalid_value, struct type_data *data, unsigned long value)
{
	char text[24];

	if (!begin(&data->at, "invalid-load"))
		return;
	pr_err("load of value %s, which a %s cannot have\n",
	       value_text(text, sizeof(text), data->type, value), data->type->name);
	end();
}

HANDLER(type_mismatch_v1, struct mismatch_data *data, unsigned long pointer)
{
	static const char *const kinds[] = {
		"load of", "store to", "reference to", "member access within", "member call on",
		"constructor call on", "downcast of", "downcast of", "upcast of", "cast to virtual base of",
		"dynamic operation on"
	};
	const char *kind = data->kind < ARRAY_SIZE(kinds) ? kinds[data->kind] : "use of";

	if (!begin(&data->at, !pointer ? "null-ptr-deref" : "object-size-mismatch"))
		return;
	pr_err("%s address %016lx as a %s\n", kind, pointer, data->type->name);
	end();
}

HANDLER(vla_bound_not_positive, struct type_data *data, unsigned long bound)
{
	char text[24];

	if (!begin(&data->at, "vla-bound-not-positive"))
		return;
	pr_err("length %s of an array\n", value_text(text, sizeof(text), data->type, bound));
	end();
}

HANDLER(builtin_unreachable, struct data *data)
{
	begin(&data->at, "unreachable code");
	panic("UBSAN: code was reached that cannot be");
}

HANDLER(missing_return, struct data *data)
{
	begin(&data->at, "missing return");
	panic("UBSAN: a function that must return a value did not");
}
