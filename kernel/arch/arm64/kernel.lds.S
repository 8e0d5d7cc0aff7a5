/*
 * The image. Each boundary lies on a page, so that text, constants and data get their own
 * permissions. The boot tables come after .bss: they are in use when .bss is cleared. Loaded as it
 * is linked, in one piece; image_size in its header tells the boot loader how much memory to keep
 * free.
 */
#include "arch/layout.h"

OUTPUT_ARCH(aarch64)
ENTRY(_text)

PHDRS
{
	text PT_LOAD FLAGS(5);
	rodata PT_LOAD FLAGS(4);
	data PT_LOAD FLAGS(6);
}

SECTIONS
{
	. = KERNEL_LINK_ADDR;
	_text = .;
	.text : {
		*(.head.text)
		*(.text .text.*)
	} :text
	. = ALIGN(PAGE_SIZE);
	_etext = .;

	_rodata = .;
	.rodata : {
		*(.rodata .rodata.*)
		*(.got .got.plt)
		. = ALIGN(8);
		__ex_table_start = .;
		KEEP(*(__ex_table))
		__ex_table_end = .;
		. = ALIGN(8);
		__initcall_start = .;
		KEEP(*(SORT(.initcalls.*)))
		__initcall_end = .;
		. = ALIGN(8);
		__ctors_start = .;		/* KASAN: redzones of globals */
		KEEP(*(.init_array .init_array.*))
		__ctors_end = .;
		KEEP(*(.ksyms))
	} :rodata
	. = ALIGN(PAGE_SIZE);
	_erodata = .;

	_data = .;
	.data : {
		*(.data .data.*)
		. = ALIGN(PAGE_SIZE);
	} :data
	_edata = .;

	_bss = .;
	.bss (NOLOAD) : {
		. = ALIGN(64);
		__per_cpu_start = .;
		*(.bss..percpu)
		. = ALIGN(64);
		__per_cpu_end = .;
		*(.bss .bss.* COMMON)
		. = ALIGN(PAGE_SIZE);
	} :data
	_ebss = .;
	.boot_tables (NOLOAD) : {
		*(.boot_tables)
	} :data
	. = ALIGN(PAGE_SIZE);
	_end = .;
	image_size = ABSOLUTE(_end - _text);

	/DISCARD/ : {
		*(.comment .note .note.* .eh_frame .eh_frame_hdr)
		*(.interp .dynamic .dynsym .dynstr .hash .gnu.hash)
	}
}
