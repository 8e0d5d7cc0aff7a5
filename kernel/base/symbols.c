/*
 * Names for code addresses. tools/ksyms makes the table between the two links of the kernel: sorted
 * offsets from _text, and for each the place of its name. A symbol reaches up to the next one.
 */
#include "base/panic.h"
#include "arch/layout.h"
#include "lib/format.h"

extern const u64 ksyms_count;
extern const u32 ksyms_addrs[], ksyms_name_off[];
extern const char ksyms_names[];
/* Source lines, the same way: sorted offsets, and file << 16 | line. Empty in plain builds. */
extern const u64 klines_count;
extern const u32 klines_addrs[], klines_at[], klines_file_off[];
extern const char klines_files[];

/* The last of @n sorted offsets that is not above that of @addr; -1: none, or @addr is not in the text. */
static long find(const u32 *offsets, u64 n, unsigned long addr)
{
	unsigned long text = (unsigned long)_text;
	u64 lo = 0, hi = n;
	u32 want = addr - text;

	if (addr < text || addr >= (unsigned long)_etext || !n || offsets[0] > want)
		return -1;
	while (hi - lo > 1) {	/* offsets[lo] <= want < offsets[hi] */
		u64 mid = lo + (hi - lo) / 2;

		if (offsets[mid] <= want)
			lo = mid;
		else
			hi = mid;
	}
	return lo;
}

const char *symbol_lookup(unsigned long addr, unsigned long *offset, unsigned long *size)
{
	unsigned long text = (unsigned long)_text, end = (unsigned long)_etext;
	long at = find(ksyms_addrs, ksyms_count, addr);

	if (at < 0)
		return NULL;
	if ((u64)at + 1 < ksyms_count && text + ksyms_addrs[at + 1] < end)
		end = text + ksyms_addrs[at + 1];
	if (offset)
		*offset = addr - text - ksyms_addrs[at];
	if (size)
		*size = end - text - ksyms_addrs[at];
	return ksyms_names + ksyms_name_off[at];
}

bool line_lookup(unsigned long addr, const char **file, unsigned int *line)
{
	long at = find(klines_addrs, klines_count, addr);

	if (at < 0)
		return false;
	*line = klines_at[at] & 0xffff;
	*file = klines_files + klines_file_off[klines_at[at] >> 16];
	return *line != 0;
}

void symbols_init(void)
{
	format_symbol_hook = symbol_lookup;
}
