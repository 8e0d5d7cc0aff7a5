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

void symbols_init(void)
{
	format_symbol_hook = symbol_lookup;
}
