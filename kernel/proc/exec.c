/*
 * execve: the same process, another program.
 *
 * What can fail happens first, into memory that nobody uses yet: the arguments are copied, the file
 * checked and mapped, the stack filled. Then, past the point of no return, the other threads end,
 * the new memory is loaded, and what execve resets is reset. So a failed execve leaves the caller
 * as it was. Only a table that is shared with another process has to be copied after that point,
 * once no thread of this one changes it any more; if there is no memory for that, the process is
 * killed.
 */
#include "proc/internal.h"
#include "asm/ptrace.h"
#include "base/initcall.h"
#include "base/panic.h"
#include "base/random.h"
#include "lib/elf.h"
#include "lib/string.h"
#include "mm/slab/slab.h"
#include "mm/vm/uaccess.h"
#include "mm/vm/vmalloc.h"

#define MAX_ARG_STRLEN	(32UL * PAGE_SIZE)	/* one string, Linux's limit */
#define MAX_ARG_BYTES	(64UL * PAGE_SIZE)	/* all strings of arguments and environment */
#define MAX_SCRIPTS	4			/* "#!" interpreters that are scripts themselves */
#define STACK_INITIAL	(32UL * PAGE_SIZE)

/* What a new program is started with. */
struct binprm {
	char *strings;			/* argv then envp, each with its NUL */
	size_t used, size;
	unsigned int argc, envc;
	char *path;			/* of the file that is loaded; PATH_MAX bytes */
	char *header;			/* its first page */
	size_t header_len;
};

static struct page *trampoline;

static int exec_init(void)
{
	trampoline = alloc_page(GFP_KERNEL | __GFP_ZERO);
	if (!trampoline)
		panic("no page for the signal trampoline");
	memcpy(page_address(trampoline), arch_sigreturn_code, arch_sigreturn_size);
	arch_sync_icache(page_address(trampoline), PAGE_SIZE);
	return 0;
}
core_initcall(exec_init);

/* ---- arguments ------------------------------------------------------------------------ */

BUILD_BUG_ON(PATH_MAX > PAGE_SIZE);

static void bprm_free(struct binprm *b)
{
	free_page(b->path);
	free_page(b->header);
	vfree(b->strings);
}

/* 0 or -ENOMEM */
static int bprm_init(struct binprm *b)
{
	memset(b, 0, sizeof(*b));
	b->path = __get_free_page(GFP_KERNEL);
	b->header = __get_free_page(GFP_KERNEL);
	b->size = PAGE_SIZE;
	b->strings = vmalloc(b->size, GFP_KERNEL);
	if (b->path && b->header && b->strings)
		return 0;
	bprm_free(b);
	return -ENOMEM;
}

/* Room for @n more bytes of strings: 0, -E2BIG or -ENOMEM. */
static int grow_strings(struct binprm *b, size_t n)
{
	size_t size = b->size;
	char *bigger;

	if (b->used + n > MAX_ARG_BYTES)
		return -E2BIG;
	while (size < b->used + n)
		size *= 2;
	if (size == b->size)
		return 0;
	bigger = vmalloc(size, GFP_KERNEL);
	if (!bigger)
		return -ENOMEM;
	memcpy(bigger, b->strings, b->used);
	vfree(b->strings);
	b->strings = bigger;
	b->size = size;
	return 0;
}

/* Inserts a kernel string before offset @at. */
static int insert_string(struct binprm *b, size_t at, const char *s)
{
	size_t n = strlen(s) + 1;
	int err = grow_strings(b, n);

	if (err)
		return err;
	memmove(b->strings + at + n, b->strings + at, b->used - at);
	memcpy(b->strings + at, s, n);
	b->used += n;
	return 0;
}

static int add_user_string(struct binprm *b, const char *s)
{
	size_t n = strnlen_user(s, MAX_ARG_STRLEN);
	int err;

	if (n == 0)
		return -EFAULT;
	if (n > MAX_ARG_STRLEN)
		return -E2BIG;
	err = grow_strings(b, n);
	if (err)
		return err;
	if (copy_from_user(b->strings + b->used, s, n))
		return -EFAULT;
	b->used += n;
	b->strings[b->used - 1] = 0;	/* another thread may have changed it meanwhile */
	/* Such a change must not make two strings of one, either. */
	return strlen(b->strings + b->used - n) == n - 1 ? 0 : -EFAULT;
}

static int copy_user_strings(struct binprm *b, const char *const *uvec, unsigned int *count)
{
	for (*count = 0; uvec; ++*count) {
		const char *s;
		int err;

		if (get_user(s, &uvec[*count]))
			return -EFAULT;
		if (!s)
			break;
		err = add_user_string(b, s);
		if (err)
			return err;
	}
	return 0;
}

/* ---- the file ------------------------------------------------------------------------- */

/* What is no program is not even opened: to open a fifo is to wait for somebody. */
static struct file *open_regular(const char *path)
{
	struct dentry *cwd = get_cwd(), *dentry = path_lookup(cwd, path, LOOKUP_FOLLOW);
	struct file *file = ERR_PTR(-EACCES);

	dput(cwd);
	if (IS_ERR(dentry))
		return ERR_CAST(dentry);
	if (S_ISREG(dentry->inode->mode) && (dentry->inode->mode & 0111))
		file = dentry_open(dentry, O_RDONLY);
	dput(dentry);
	return file;
}

static struct file *open_exec(struct binprm *b)
{
	struct file *file = open_regular(b->path);
	loff_t pos = 0;
	ssize_t n;

	if (IS_ERR(file))
		return file;
	n = kernel_read(file, b->header, PAGE_SIZE, &pos);
	if (n < 0) {
		file_put(file);
		return ERR_PTR(n);
	}
	b->header_len = n;
	return file;
}

/* "#! interpreter [one argument]": they replace argv[0], followed by the script's path. */
static int use_interpreter(struct binprm *b)
{
	char *line = b->header + 2, *end = memchr(line, '\n', b->header_len - 2), *name, *arg;
	size_t first = b->argc ? strlen(b->strings) + 1 : 0;
	int err;

	if (!end || end - line > 256)
		return -ENOEXEC;
	*end = 0;
	while (*line == ' ' || *line == '\t')
		line++;
	name = line;
	while (*line && *line != ' ' && *line != '\t')
		line++;
	if (*line)
		*line++ = 0;
	while (*line == ' ' || *line == '\t')
		line++;
	arg = line;
	for (end = line + strlen(line); end > arg && (end[-1] == ' ' || end[-1] == '\t'); end--)
		end[-1] = 0;
	if (!*name)
		return -ENOEXEC;
	memmove(b->strings, b->strings + first, b->used - first);
	b->used -= first;
	if (b->argc)
		b->argc--;
	err = insert_string(b, 0, b->path);
	if (!err && *arg)
		err = insert_string(b, 0, arg);
	if (!err)
		err = insert_string(b, 0, name);
	if (err)
		return err;
	b->argc += *arg ? 3 : 2;
	strscpy(b->path, name, PATH_MAX);
	return 0;
}

/* Opens the program, following "#!". */
static struct file *open_program(struct binprm *b)
{
	for (unsigned int depth = 0; depth <= MAX_SCRIPTS; depth++) {
		struct file *file = open_exec(b);
		int err;

		if (IS_ERR(file) || b->header_len < 2 || memcmp(b->header, "#!", 2))
			return file;
		file_put(file);
		err = use_interpreter(b);
		if (err)
			return ERR_PTR(err);
	}
	return ERR_PTR(-ELOOP);
}

/* ---- the stack ------------------------------------------------------------------------ */

static unsigned int fill_auxv(struct mm *mm, const struct elf_image *image, unsigned long execfn,
			      unsigned long platform, unsigned long random)
{
	unsigned long pairs[][2] = {
		{ AT_PHDR, image->phdr }, { AT_PHENT, sizeof(struct elf64_phdr) },
		{ AT_PHNUM, image->phnum }, { AT_PAGESZ, PAGE_SIZE }, { AT_BASE, 0 },
		{ AT_FLAGS, 0 }, { AT_ENTRY, image->entry }, { AT_UID, 0 }, { AT_EUID, 0 },
		{ AT_GID, 0 }, { AT_EGID, 0 }, { AT_SECURE, 0 }, { AT_HWCAP, arch_elf_hwcap() },
		{ AT_CLKTCK, 100 }, { AT_RANDOM, random }, { AT_EXECFN, execfn },
		{ AT_PLATFORM, platform }, { AT_NULL, 0 },
	};

	BUILD_BUG_ON(sizeof(pairs) > sizeof(mm->saved_auxv));
	memcpy(mm->saved_auxv, pairs, sizeof(pairs));
	return sizeof(pairs);
}

/* Writes the pointers to @count strings that lie from @strings on, and a NULL. */
static int write_pointers(struct mm *mm, unsigned long *at, unsigned long *strings,
			  const char *text, unsigned int count)
{
	int err = 0;

	for (unsigned int i = 0; i < count && !err; i++) {
		size_t n = strlen(text) + 1;

		err = write_new_mm(mm, *at, strings, sizeof(*strings));
		*at += sizeof(long);
		*strings += n;
		text += n;
	}
	if (!err)
		err = write_new_mm(mm, *at, NULL, sizeof(long));
	*at += sizeof(long);
	return err;
}

/*
 * From the top down: the file name, the platform's name, 16 random bytes, the strings; then,
 * aligned, argc, argv[], NULL, envp[], NULL, auxiliary vector. *@sp points to argc.
 */
static int build_stack(struct mm *mm, struct binprm *b, const struct elf_image *image,
		       unsigned long *sp)
{
	unsigned long top = task_size - PAGE_SIZE, at, strings, execfn, platform, random;
	size_t name = strlen(b->path) + 1, plat = strlen(arch_uname_machine) + 1, auxv, vectors;
	char *text = b->strings, *env = text;
	u64 seed[2] = { random_u64(), random_u64() };
	long argc = b->argc;
	int err;

	err = vm_map_anon(mm, top - STACK_INITIAL, STACK_INITIAL,
			  VM_READ | VM_WRITE | VM_GROWSDOWN | VM_STACK);
	if (err)
		return err;
	mm->mmap_base = top - max(mm->stack_limit, 128UL << 20) - (1UL << 20);
	execfn = top - 8 - name;
	platform = execfn - plat;
	random = (platform - 16) & ~15UL;
	strings = random - b->used;
	auxv = fill_auxv(mm, image, execfn, platform, random);
	vectors = (1 + b->argc + 1 + b->envc + 1) * sizeof(long) + auxv;
	at = (strings - vectors) & ~15UL;
	if (top - at > min(mm->stack_limit, STACK_INITIAL + MAX_ARG_BYTES * 4))
		return -E2BIG;
	*sp = mm->start_stack = at;
	for (unsigned int i = 0; i < b->argc; i++)
		env += strlen(env) + 1;
	mm->arg_start = strings;
	mm->arg_end = mm->env_start = strings + (env - text);
	mm->env_end = random;

	err = write_new_mm(mm, execfn, b->path, name);
	if (!err)
		err = write_new_mm(mm, platform, arch_uname_machine, plat);
	if (!err)
		err = write_new_mm(mm, random, seed, sizeof(seed));
	if (!err)
		err = write_new_mm(mm, strings, text, b->used);
	if (!err)
		err = write_new_mm(mm, at, &argc, sizeof(argc));
	at += sizeof(long);
	if (!err)
		err = write_pointers(mm, &at, &strings, text, b->argc);
	if (!err)
		err = write_pointers(mm, &at, &strings, env, b->envc);
	return err ? err : write_new_mm(mm, at, mm->saved_auxv, auxv);
}

/* ---- the point of no return ----------------------------------------------------------- */

/* Ends all other threads; the survivor becomes the one whose tid is the pid. */
static int kill_other_threads(void)
{
	struct task *self = current_task(), *t;
	struct process *p = self->process;
	pid_t old;

	spin_lock_irq(&p->sig_lock);
	if (p->group_exiting || p->exec_task) {
		spin_unlock_irq(&p->sig_lock);
		return -EAGAIN;
	}
	p->exec_task = self;
	list_for_each_entry(t, &p->threads, group_node) {
		if (t == self)
			continue;
		set_bit(TIF_KILLED, &t->thread.head.flags);
		if (!wake_up_thread(&t->thread, BIT(TASK_INTERRUPTIBLE) | BIT(TASK_KILLABLE) |
					       BIT(TASK_STOPPED)))
			arch_send_ipi(BIT(READ_ONCE(t->thread.head.cpu)), IPI_RESCHEDULE);
	}
	spin_unlock_irq(&p->sig_lock);
	wait_event(&p->wait_child, READ_ONCE(p->nr_threads) == 1);
	old = self->tid;
	spin_lock_irq(&tasklist_lock);
	spin_lock(&p->sig_lock);
	p->exec_task = NULL;
	self->tid = self->thread.tid = p->pid;
	spin_unlock(&p->sig_lock);
	spin_unlock_irq(&tasklist_lock);
	if (old != p->pid)
		tid_free(old);
	return 0;
}

static void switch_to_new_mm(struct mm *mm)
{
	struct process *p = current_process();
	struct mm *old = current_thread()->mm;

	spin_lock_irq(&tasklist_lock);
	p->mm = mm;
	spin_unlock_irq(&tasklist_lock);
	sched_switch_mm(mm, &mm->ctx);
	if (old)
		mm_put(old);
}

/* Handlers and descriptors that another process shares (the child of a vfork, perhaps). */
static int unshare_tables(void)
{
	struct task *t = current_task();
	struct process *p = t->process;

	if (atomic_read(&p->sighand->refs) > 1) {
		struct sighand *new = sighand_copy(p->sighand), *old = p->sighand;

		if (!new)
			return -ENOMEM;
		spin_lock_irq(&tasklist_lock);
		spin_lock(&p->sig_lock);
		p->sighand = new;
		spin_unlock(&p->sig_lock);
		spin_unlock_irq(&tasklist_lock);
		sighand_put(old);
	}
	if (atomic_read(&t->files->refs) > 1) {
		struct files *new = files_copy(t->files), *old = t->files;

		if (!new)
			return -ENOMEM;
		spin_lock_irq(&tasklist_lock);
		t->files = new;
		spin_unlock_irq(&tasklist_lock);
		files_put(old);
	}
	return 0;
}

static void begin_new_exec(struct binprm *b, struct mm *mm)
{
	struct task *t = current_task();
	struct process *p = t->process;
	const char *base = strrchr(b->path, '/');
	int err;

	futex_exit(t);
	switch_to_new_mm(mm);
	vfork_done(p);
	err = unshare_tables();
	spin_lock_irq(&p->sig_lock);
	if (err && !p->group_exiting)
		kill_threads(p, SIGKILL);
	else
		sighand_reset(p->sighand);
	p->exit_signal = SIGCHLD;
	spin_unlock_irq(&p->sig_lock);
	t->altstack = (struct sigaltstack){ .ss_flags = SS_DISABLE };
	t->clear_child_tid = NULL;
	t->robust_list = NULL;
	files_close_on_exec(t->files);
	base = base ? base + 1 : b->path;
	strscpy(t->thread.comm, base, sizeof(t->thread.comm));
	strscpy(p->comm, base, sizeof(p->comm));
	arch_exec_context(&t->thread.head);
}

/* Loads b->path; on success the current thread's user registers start the program. */
static int exec_program(struct binprm *b, struct pt_regs *regs)
{
	struct elf_image image = { 0 };
	struct mm *mm = NULL;
	struct file *file;
	unsigned long sp;
	long err;

	file = open_program(b);
	if (IS_ERR(file))
		return PTR_ERR(file);
	err = -ENOMEM;
	mm = mm_alloc();
	if (!mm)
		goto out;
	mm->stack_limit = min(current_process()->rlimits[RLIMIT_STACK].cur, (u64)1 << 30);
	mm->as_limit = current_process()->rlimits[RLIMIT_AS].cur;
	mm->data_limit = current_process()->rlimits[RLIMIT_DATA].cur;
	/*
	 * Not every file can be mapped: /proc has some that look like anything their makers want.
	 */
	err = vfs_mmap_mapping(file, PAGE_SIZE, false, &mm->exe);
	if (err == -ENODEV)
		err = -EACCES;
	if (!err)
		err = load_elf(file, b->header, b->header_len, mm, &image);
	if (!err)
		err = build_stack(mm, b, &image, &sp);
	if (err)
		goto out;
	err = vm_map_special(mm, trampoline);
	if (err < 0)
		goto out;
	mm->sigreturn = err;
	err = kill_other_threads();
	if (err)
		goto out;
	begin_new_exec(b, mm);
	mm = NULL;
	start_user(regs, image.entry, sp);
out:
	if (mm)
		mm_put(mm);
	file_put(file);
	return err;
}

static struct pt_regs *user_regs(void)
{
	return arch_user_regs((char *)current_thread()->stack + THREAD_SIZE);
}

long do_execve(const char *path, const char *const *uargv, const char *const *uenvp)
{
	struct binprm b;
	long err = bprm_init(&b);

	if (err)
		return err;
	err = strncpy_from_user(b.path, path, PATH_MAX);
	if (err > 0)
		err = copy_user_strings(&b, uargv, &b.argc);
	else if (err == 0)
		err = -ENOENT;
	if (!err && b.argc == 0) {
		/* A program may count on argv[0]. */
		err = insert_string(&b, 0, "");
		b.argc = 1;
	}
	if (!err)
		err = copy_user_strings(&b, uenvp, &b.envc);
	if (!err)
		err = exec_program(&b, user_regs());
	bprm_free(&b);
	return err;
}

long exec_first(const char *path)
{
	static const char *const env[] = { "HOME=/", "TERM=linux" };
	struct binprm b;
	long err = bprm_init(&b);

	if (err)
		return err;
	strscpy(b.path, path, PATH_MAX);
	err = insert_string(&b, b.used, path);
	b.argc = 1;
	for (b.envc = 0; b.envc < ARRAY_SIZE(env) && !err; b.envc++)
		err = insert_string(&b, b.used, env[b.envc]);
	if (!err)
		err = exec_program(&b, user_regs());
	bprm_free(&b);
	if (err)
		return err;
	arch_return_to_user(user_regs());
}
