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

const char *symbol_lookup(unsigned long addr, unsigned long *offset, unsigned long *size)
{
	unsigned long text = (unsigned long)_text, end = (unsigned long)_etext;
	u64 lo = 0, hi = ksyms_count;
	u32 want = addr - text;

	if (addr < text || addr >= end || !hi || ksyms_addrs[0] > want)
		return NULL;
	while (hi - lo > 1) {	/* addrs[lo] <= want < addrs[hi] */
		u64 mid = lo + (hi - lo) / 2;

		if (ksyms_addrs[mid] <= want)
			lo = mid;
		else
			hi = mid;
	}
	if (hi < ksyms_count && text + ksyms_addrs[hi] < end)
		end = text + ksyms_addrs[hi];
	if (offset)
		*offset = want - ksyms_addrs[lo];
	if (size)
		*size = end - text - ksyms_addrs[lo];
	return ksyms_names + ksyms_name_off[lo];
}

bool line_lookup(unsigned long addr, const char **file, unsigned int *line)
{
	u64 lo = 0, hi = klines_count;
	u32 want = addr - (unsigned long)_text;

	if (!hi || addr < (unsigned long)_text || addr >= (unsigned long)_etext || klines_addrs[0] > want)
		return false;
	while (hi - lo > 1) {
		u64 mid = lo + (hi - lo) / 2;

		if (klines_addrs[mid] <= want)
			lo = mid;
		else
			hi = mid;
	}
	*line = klines_at[lo] & 0xffff;
	*file = klines_files + klines_file_off[klines_at[lo] >> 16];
	return *line != 0;
}

void symbols_init(void)
{
	format_symbol_hook = symbol_lookup;
}
