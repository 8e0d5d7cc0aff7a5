/*
 * Loading a program: ELF64, static (at its addresses, or position-independent without interpreter).
 *
 * The file is hostile. Every number in it is checked before use: sizes against the file, addresses
 * against user space, and each mapping is made where nothing is mapped yet, so that segments
 * that overlap are refused by the mapping itself.
 */
#include "proc/internal.h"
#include "lib/elf.h"
#include "lib/string.h"
#include "mm/fault/fault.h"
#include "uapi/mman.h"

#define MAX_PHDRS	64
#define PIE_BASE	0x10000UL	/* where a position-independent program's address 0 goes */

int write_new_mm(struct mm *mm, unsigned long addr, const void *from, size_t n)
{
	static const char zeroes[256];

	while (n) {
		size_t piece = min(n, (size_t)(PAGE_SIZE - (addr & (PAGE_SIZE - 1))));
		enum fault_result result;

		if (!from)
			piece = min(piece, sizeof(zeroes));
		result = mm_fault(mm, addr, FAULT_WRITE);
		if (result != FAULT_DONE)
			return result == FAULT_NO_MEMORY ? -ENOMEM : -EFAULT;
		if (access_process_vm(mm, addr, from ? (void *)from : (void *)zeroes, piece,
				      true) != piece)
			return -EFAULT;
		addr += piece;
		n -= piece;
		if (from)
			from = (const char *)from + piece;
	}
	return 0;
}

static bool header_valid(const struct elf64_hdr *eh, size_t n)
{
	return n >= sizeof(*eh) && !memcmp(eh->e_ident, ELFMAG, SELFMAG) &&
	       eh->e_ident[EI_CLASS] == ELFCLASS64 && eh->e_ident[EI_DATA] == ELFDATA2LSB &&
	       eh->e_machine == arch_elf_machine &&
	       (eh->e_type == ET_EXEC || eh->e_type == ET_DYN) &&
	       eh->e_phentsize == sizeof(struct elf64_phdr) && eh->e_phnum >= 1 &&
	       eh->e_phnum <= MAX_PHDRS;
}

static bool segment_valid(const struct elf64_phdr *ph, loff_t file_size, unsigned long base)
{
	return ph->p_filesz <= ph->p_memsz && ph->p_offset <= (u64)file_size &&
	       ph->p_filesz <= (u64)file_size - ph->p_offset &&
	       ph->p_vaddr <= task_size - base && ph->p_memsz <= task_size - base - ph->p_vaddr &&
	       base + ph->p_vaddr >= PAGE_SIZE &&
	       (ph->p_vaddr & (PAGE_SIZE - 1)) == (ph->p_offset & (PAGE_SIZE - 1));
}

static unsigned long segment_prot(const struct elf64_phdr *ph)
{
	return ((ph->p_flags & PF_R) ? PROT_READ : 0) | ((ph->p_flags & PF_W) ? PROT_WRITE : 0) |
	       ((ph->p_flags & PF_X) ? PROT_EXEC : 0);
}

/* One PT_LOAD: the file's part private, the rest anonymous. */
static int map_segment(struct mm *mm, const struct elf64_phdr *ph, unsigned long base)
{
	const unsigned long may = VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC;
	const unsigned long how = MAP_PRIVATE | MAP_FIXED_NOREPLACE;
	unsigned long start = base + ph->p_vaddr, page = start & PAGE_MASK;
	unsigned long file_end = start + ph->p_filesz, mem_end = start + ph->p_memsz;
	unsigned long prot = segment_prot(ph);
	long ret;

	if (ph->p_filesz) {
		ret = vm_mmap(mm, page, file_end - page, prot, how, mm->exe, may,
			      (ph->p_offset & PAGE_MASK) >> PAGE_SHIFT);
		if (ret < 0)
			return ret == -ENOMEM ? -ENOMEM : -ENOEXEC;
		page = PAGE_ALIGN(file_end);
	}
	if (PAGE_ALIGN(mem_end) > page) {
		ret = vm_mmap(mm, page, PAGE_ALIGN(mem_end) - page, prot, how | MAP_ANONYMOUS, NULL,
			      may, 0);
		if (ret < 0)
			return ret == -ENOMEM ? -ENOMEM : -ENOEXEC;
	}
	/* The rest of the last file page would show what follows in the file. */
	if (ph->p_filesz && mem_end > file_end && (prot & PROT_WRITE)) {
		int err = write_new_mm(mm, file_end, NULL,
				       min(mem_end, PAGE_ALIGN(file_end)) - file_end);

		if (err)
			return err == -ENOMEM ? -ENOMEM : -ENOEXEC;
	}
	return 0;
}

static void note_layout(struct mm *mm, const struct elf64_phdr *ph, unsigned long base)
{
	unsigned long start = base + ph->p_vaddr, end = start + ph->p_memsz;

	if (ph->p_flags & PF_X) {
		mm->start_code = mm->start_code ? min(mm->start_code, start) : start;
		mm->end_code = max(mm->end_code, start + ph->p_filesz);
	} else {
		mm->start_data = mm->start_data ? min(mm->start_data, start) : start;
		mm->end_data = max(mm->end_data, start + ph->p_filesz);
	}
	mm->start_brk = mm->brk = max(mm->brk, PAGE_ALIGN(end));
}

int load_elf(struct file *file, const void *header, size_t n, struct mm *mm,
	     struct elf_image *image)
{
	const struct elf64_hdr *eh = header;
	unsigned long base;
	bool loaded = false;

	if (!header_valid(eh, n))
		return -ENOEXEC;
	base = eh->e_type == ET_DYN ? PIE_BASE : 0;
	image->entry = base + eh->e_entry;
	image->phnum = eh->e_phnum;
	for (unsigned int i = 0; i < eh->e_phnum; i++) {
		loff_t pos = eh->e_phoff + i * sizeof(struct elf64_phdr);
		struct elf64_phdr ph;
		int err;

		if (pos < 0 || kernel_read(file, &ph, sizeof(ph), &pos) != sizeof(ph))
			return -ENOEXEC;
		if (ph.p_type == PT_INTERP)
			return -ENOEXEC;	/* no dynamic linker here: link with -static */
		if (ph.p_type != PT_LOAD || ph.p_memsz == 0)
			continue;
		if (!segment_valid(&ph, file->inode->size, base))
			return -ENOEXEC;
		err = map_segment(mm, &ph, base);
		if (err)
			return err;
		note_layout(mm, &ph, base);
		if (eh->e_phoff >= ph.p_offset && eh->e_phoff - ph.p_offset < ph.p_filesz)
			image->phdr = base + ph.p_vaddr + (eh->e_phoff - ph.p_offset);
		loaded = true;
	}
	return loaded && image->entry < task_size ? 0 : -ENOEXEC;
}
