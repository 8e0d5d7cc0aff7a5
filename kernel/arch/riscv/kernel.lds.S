/*
 * The kernel's image: text read-only and executable, rodata read-only, data and bss writable, each on
 * pages of its own. mm/vm maps them so once it builds the final tables. The raw image begins
 * at _text with the Linux Image header and must be loaded at a multiple of 2 MiB.
 */
#include "arch/layout.h"

OUTPUT_ARCH(riscv)
ENTRY(_start)

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
		*(.rodata .rodata.* .srodata .srodata.*)
		. = ALIGN(8);
		__initcall_start = .;
		KEEP(*(SORT_BY_NAME(.initcalls*)))
		__initcall_end = .;
		. = ALIGN(8);
		__start___ex_table = .;
		KEEP(*(__ex_table))
		__stop___ex_table = .;
		. = ALIGN(8);
		__ctors_start = .;		/* KASAN: redzones of globals */
		KEEP(*(.init_array .init_array.*))
		__ctors_end = .;
	} :rodata
	.ksyms : ALIGN(8) {
		KEEP(*(.ksyms))
	} :rodata
	. = ALIGN(PAGE_SIZE);
	_erodata = .;

	_data = .;
	.data : {
		*(.data .data.* .sdata .sdata.*)
		. = ALIGN(PAGE_SIZE);
	} :data
	_edata = .;

	_bss = .;
	.bss (NOLOAD) : {
		. = ALIGN(64);
		__per_cpu_start = .;
		KEEP(*(.bss..percpu))
		. = ALIGN(64);
		__per_cpu_end = .;
		*(.bss .bss.* .sbss .sbss.* COMMON)
		. = ALIGN(PAGE_SIZE);
	} :data
	_ebss = .;
	_end = .;

	/DISCARD/ : {
		*(.note .note.* .comment .eh_frame .eh_frame_hdr .interp .dynamic)
	}
}
