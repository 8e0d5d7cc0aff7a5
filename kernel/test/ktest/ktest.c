/* What the runners in the kernel and on the host share: a test's failures, its memory. */
#include "test/ktest/calls.h"
#include "test/ktest/ktest.h"
#include "lib/atomic.h"
#include "lib/format.h"
#include "lib/string.h"

#define MAX_FAILURES	8	/* reported of one test */
#define LINE_SIZE	400
#define MAX_ALLOCS	64

struct ktest_state ktest_state;
unsigned long ktest_unlocks;
_Static_assert(MAX_FAILURES * LINE_SIZE < sizeof(ktest_state.reasons.text),
	       "every reported failure has room");

static void *allocs[MAX_ALLOCS];
static unsigned int nr_allocs;

/* Lines of different CPUs do not mix: each takes its room first. */
static void add_line(struct ktest_text *t, const char *line, unsigned int len)
{
	unsigned int at = READ_ONCE(t->used);

	do {
		if (at + len >= sizeof(t->text))
			return;
	} while (!__atomic_compare_exchange_n(&t->used, &at, at + len, false, __ATOMIC_RELAXED,
					      __ATOMIC_RELAXED));
	memcpy(t->text + at, line, len);
}

void ktest_fail(const char *file, int line, const char *fmt, ...)
{
	char text[LINE_SIZE];
	unsigned int len;
	va_list args;

	ktest_calls_failed();
	if (__atomic_fetch_add(&ktest_state.failures, 1, __ATOMIC_RELAXED) >= MAX_FAILURES)
		return;
	len = line ? snprintf(text, sizeof(text), "%s:%d: ", file, line) :
		     snprintf(text, sizeof(text), "%s: ", file);
	len = min(len, LINE_SIZE - 2U);
	va_start(args, fmt);
	len = min(len + vsnprintf(text + len, sizeof(text) - len, fmt, args), LINE_SIZE - 2U);
	va_end(args);
	text[len++] = '\n';
	add_line(&ktest_state.reasons, text, len);
}

bool ktest_compare(long a, const char *op, long b, const char *a_text, const char *b_text,
		   const char *file, int line)
{
	bool holds = op[0] == '=' ? a == b : op[0] == '!' ? a != b : op[0] == '<' ? a <= b : a >= b;

	if (!holds)
		ktest_fail(file, line, "%s: actual %ld (%#lx), expected %s%s (%ld, %#lx)", a_text,
			   a, (unsigned long)a, op[0] == '=' ? "" : op, b_text, b,
			   (unsigned long)b);
	return holds;
}

void ktest_note(const char *fmt, ...)
{
	char text[LINE_SIZE];
	unsigned int len;
	va_list args;

	va_start(args, fmt);
	len = min(vsnprintf(text, sizeof(text), fmt, args), LINE_SIZE - 2);
	va_end(args);
	while (len && text[len - 1] == '\n')
		len--;
	text[len++] = '\n';
	add_line(&ktest_state.notes, text, len);
}

unsigned int ktest_note_mark(void)
{
	return ktest_state.notes.used;
}

void ktest_forget_notes(unsigned int mark)
{
	ktest_state.notes.used = mark;
}

bool ktest_failed(void)
{
	return READ_ONCE(ktest_state.failures) != 0;
}

void *ktest_alloc_dirty(unsigned long size)
{
	void *p = nr_allocs < MAX_ALLOCS ? ktest_map(size) : NULL;

	if (!p) {
		ktest_fail(__FILE__, __LINE__, "the harness has no %lu bytes left", size);
		ktest_abort();
	}
	allocs[nr_allocs++] = p;
	return p;
}

void *ktest_alloc(unsigned long size)
{
	return memset(ktest_alloc_dirty(size), 0, size);
}

unsigned int ktest_mark(void)
{
	return nr_allocs;
}

void ktest_release(unsigned int mark)
{
	while (nr_allocs > mark)
		ktest_unmap(allocs[--nr_allocs]);
}

void ktest_forget(void)
{
	ktest_unlocks = 0;
	ktest_release(0);
	memset(&ktest_state, 0, sizeof(ktest_state));
}

static void report(struct ktest_text *t, void (*line)(const char *text))
{
	char *p = t->text, *end;

	p[t->used] = '\0';
	for (; *p && (end = strchr(p, '\n')) != NULL; p = end + 1) {
		*end = '\0';
		line(p);
	}
}

void ktest_report(void (*line)(const char *text))
{
	report(&ktest_state.reasons, line);
	report(&ktest_state.notes, line);
}
