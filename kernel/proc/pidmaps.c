/* /proc/<pid>/maps and smaps: a process's mappings, and what of each is where, in Linux's formats (proc(5)). */
#include "proc/internal.h"
#include "base/initcall.h"
#include "fs/proc.h"
#include "lib/format.h"
#include "lib/string.h"
#include "mm/slab/slab.h"
#include "mm/vm/swapmap.h"

static void vma_name(const struct vma *vma, char *name, size_t size)
{
	const struct mm *mm = vma->mm;

	name[0] = 0;
	if (vma->mapping && vma->mapping->ops->name)
		vma->mapping->ops->name(vma->mapping, name, size);
	else if (vma->flags & VM_STACK)
		strscpy(name, "[stack]", size);
	else if (vma->flags & VM_SPECIAL)
		strscpy(name, "[vdso]", size);
	else if (vma->start < mm->brk && vma->end > mm->start_brk && !vma->mapping &&
		 mm->brk > mm->start_brk)
		strscpy(name, "[heap]", size);
}

/* The line of maps, which in smaps is the heading. @name: a page to work in. */
static void show_vma(struct seq_file *m, const struct vma *vma, char *name)
{
	u64 ino = 0;
	u32 dev = 0;
	int n;

	if (vma->mapping && vma->mapping->host) {
		ino = vma->mapping->host->ino;
		dev = vma->mapping->host->sb->dev;
	}
	vma_name(vma, name, PAGE_SIZE);
	n = snprintf(NULL, 0, "%lx-%lx", vma->start, vma->end);
	seq_printf(m, "%08lx-%08lx %c%c%c%c %08lx %02x:%02x %lu", vma->start, vma->end,
		   vma->flags & VM_READ ? 'r' : '-', vma->flags & VM_WRITE ? 'w' : '-',
		   vma->flags & VM_EXEC ? 'x' : '-', vma->flags & VM_SHARED ? 's' : 'p',
		   vma->mapping ? vma->pgoff << PAGE_SHIFT : 0, dev >> 8, dev & 255, ino);
	seq_printf(m, "%*s%s\n", name[0] ? max(73 - (n + 30), 1) : 0, "", name);
}

/* ---- smaps -------------------------------------------------------------------------------- */

#define PSS_SHIFT	12	/* a page that three map is a third of a page to each */

/* Of a mapping, in pages; pss and swap_pss with PSS_SHIFT bits of fraction. */
struct usage {
	unsigned long rss, shared_clean, shared_dirty, private_clean, private_dirty;
	unsigned long referenced, anonymous, swap;
	u64 pss, pss_dirty, swap_pss;
};

static void count_present(struct usage *u, pte_t pte)
{
	const struct page *page = pfn_to_page(pte_pfn(pte));
	unsigned long mapcount = max((long)page_mapcount(page), 1L), part = (1UL << PSS_SHIFT) / mapcount;
	bool dirty = pte_dirty(pte) || PageDirty(page);

	u->rss++;
	u->pss += part;
	u->pss_dirty += dirty ? part : 0;
	u->shared_clean += mapcount > 1 && !dirty;
	u->shared_dirty += mapcount > 1 && dirty;
	u->private_clean += mapcount == 1 && !dirty;
	u->private_dirty += mapcount == 1 && dirty;
	u->referenced += pte_young(pte) || PageReferenced(page);
	u->anonymous += page_is_anon(page);
}

static void count_swapped(struct usage *u, pte_t pte)
{
	unsigned long holders = max(swap_count((swp_entry_t){ pte_swap_entry(pte) }), 1U);

	u->swap++;
	u->swap_pss += (1UL << PSS_SHIFT) / holders;
}

/* mmap_lock held. */
static void count_usage(const struct vma *vma, struct usage *u)
{
	unsigned long addr = vma->start, next;
	struct mm *mm = vma->mm;

	memset(u, 0, sizeof(*u));
	while (addr < vma->end) {
		pte_t *slot = user_pte_find(mm, addr, &next);

		if (!slot) {
			addr = next;
			continue;
		}
		spin_lock(&mm->page_table_lock);	/* for one table: then others may, too */
		do {
			if (pte_present(*slot))
				count_present(u, *slot);
			else if (pte_is_swap(*slot))
				count_swapped(u, *slot);
			slot++;
			addr += PAGE_SIZE;
		} while (addr < vma->end && !IS_ALIGNED(addr, PMD_SIZE));
		spin_unlock(&mm->page_table_lock);
	}
}

static void line(struct seq_file *m, const char *name, unsigned long pages)
{
	char padded[17];

	snprintf(padded, sizeof(padded), "%s:                ", name);
	seq_printf(m, "%s%8lu kB\n", padded, pages << (PAGE_SHIFT - 10));
}

static void shares_line(struct seq_file *m, const char *name, u64 shares)
{
	char padded[17];

	snprintf(padded, sizeof(padded), "%s:                ", name);
	seq_printf(m, "%s%8lu kB\n", padded, shares >> (PSS_SHIFT + 10 - PAGE_SHIFT));
}

static void show_flags(struct seq_file *m, unsigned long flags)
{
	static const struct {
		unsigned long flag;
		char letters[3];
	} names[] = {
		{ VM_READ, "rd" }, { VM_WRITE, "wr" }, { VM_EXEC, "ex" }, { VM_SHARED, "sh" },
		{ VM_MAYREAD, "mr" }, { VM_MAYWRITE, "mw" }, { VM_MAYEXEC, "me" },
		{ VM_GROWSDOWN, "gd" }, { VM_LOCKED, "lo" }, { VM_DONTCOPY, "dc" },
		{ VM_ACCOUNT, "ac" }, { VM_NORESERVE, "nr" },
	};

	seq_puts(m, "VmFlags: ");
	for (unsigned int i = 0; i < ARRAY_SIZE(names); i++)
		if (flags & names[i].flag)
			seq_printf(m, "%s ", names[i].letters);
	seq_putc(m, '\n');
}

static void show_usage(struct seq_file *m, const struct vma *vma)
{
	struct usage u;

	count_usage(vma, &u);
	line(m, "Size", (vma->end - vma->start) >> PAGE_SHIFT);
	line(m, "KernelPageSize", 1);
	line(m, "MMUPageSize", 1);
	line(m, "Rss", u.rss);
	shares_line(m, "Pss", u.pss);
	shares_line(m, "Pss_Dirty", u.pss_dirty);
	line(m, "Shared_Clean", u.shared_clean);
	line(m, "Shared_Dirty", u.shared_dirty);
	line(m, "Private_Clean", u.private_clean);
	line(m, "Private_Dirty", u.private_dirty);
	line(m, "Referenced", u.referenced);
	line(m, "Anonymous", u.anonymous);
	line(m, "Swap", u.swap);
	shares_line(m, "SwapPss", u.swap_pss);
	line(m, "Locked", 0);			/* there is no mlock */
	show_flags(m, vma->flags);
}

static int show_mappings(struct seq_file *m, struct process *p, bool usage)
{
	struct mm *mm = get_process_mm(p);
	char *name = kmalloc(PAGE_SIZE, GFP_KERNEL);
	int err = name ? 0 : -ENOMEM;
	struct vma *vma;

	if (!mm || !name)
		goto out;
	mutex_lock(&mm->mmap_lock);
	for_each_vma(mm, vma) {
		show_vma(m, vma, name);
		if (usage)
			show_usage(m, vma);
	}
	mutex_unlock(&mm->mmap_lock);
out:
	kfree(name);
	if (mm)
		mm_put(mm);
	return err;
}

static int show_maps(struct seq_file *m, struct process *p)
{
	return show_mappings(m, p, false);
}

static int show_smaps(struct seq_file *m, struct process *p)
{
	return show_mappings(m, p, true);
}

static int pidmaps_init(void)
{
	proc_create_pid("maps", show_maps, NULL);
	proc_create_pid("smaps", show_smaps, NULL);
	return 0;
}
fs_initcall(pidmaps_init);
