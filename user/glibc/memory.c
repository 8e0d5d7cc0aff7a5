/* malloc and its friends, small and large enough to reach brk and mmap; mmap and mprotect directly.
 */
#include <malloc.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include "check.h"

static sigjmp_buf escape;

static void on_fault(int sig)
{
	siglongjmp(escape, sig);
}

static void churn(void)
{
	enum { SLOTS = 200, ROUNDS = 4000 };
	static unsigned char *slot[SLOTS];
	static size_t size[SLOTS];
	unsigned int seed = 12345;

	for (int round = 0; round < ROUNDS; round++) {
		int i = rand_r(&seed) % SLOTS;

		if (slot[i]) {
			check(slot[i][0] == (unsigned char)i &&
				      slot[i][size[i] - 1] == (unsigned char)i,
			      "block %d of %zu bytes was overwritten", i, size[i]);
			free(slot[i]);
		}
		size[i] = 1 + rand_r(&seed) % (round % 50 ? 2000 : 300000);
		slot[i] = malloc(size[i]);
		check(slot[i], "malloc(%zu)", size[i]);
		slot[i][0] = slot[i][size[i] - 1] = i;
	}
	for (int i = 0; i < SLOTS; i++)
		free(slot[i]);
}

static void reallocate(void)
{
	char *p = malloc(10);

	check(p, "malloc(10)");
	strcpy(p, "survives");
	for (size_t n = 16; n <= 4 << 20; n *= 4) {
		p = realloc(p, n);
		check(p && !strcmp(p, "survives"), "realloc to %zu lost the content", n);
	}
	p = realloc(p, 20);
	check(p && !strcmp(p, "survives"), "realloc back lost the content");
	free(p);

	int *zero = calloc(100000, sizeof(int));

	check(zero, "calloc");
	for (int i = 0; i < 100000; i += 1000)
		check(zero[i] == 0, "calloc gave %d at %d", zero[i], i);
	free(zero);
	check(malloc(SIZE_MAX / 2) == NULL && errno == ENOMEM,
	      "half the address space was granted");
	void *aligned = NULL;

	check(posix_memalign(&aligned, 65536, 1000) == 0 && (uintptr_t)aligned % 65536 == 0,
	      "posix_memalign gave %p", aligned);
	free(aligned);
	malloc_trim(0);
}

static void map(void)
{
	char *p = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	check(p != MAP_FAILED, "mmap");
	p[4096] = 7;
	check(mprotect(p + 4096, 4096, PROT_READ) == 0, "mprotect");
	signal(SIGSEGV, on_fault);
	if (sigsetjmp(escape, 1) == 0) {
		((volatile char *)p)[4096] = 8;
		check(0, "a write to a read-only page succeeded");
	}
	check(p[4096] == 7, "the page now holds %d", p[4096]);
	check(munmap(p, 3 * 4096) == 0, "munmap");
	if (sigsetjmp(escape, 1) == 0) {
		(void)*(volatile char *)p;
		check(0, "a read of an unmapped page succeeded");
	}
	signal(SIGSEGV, SIG_DFL);
}

static void map_file(void)
{
	FILE *f = fopen("memory.tmp", "w+");
	char line[16] = "";

	check(f && fputs("hello, mapped file\n", f) >= 0 && fflush(f) == 0, "cannot write");
	char *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fileno(f), 0);

	check(p != MAP_FAILED, "mmap of a file");
	check(!strncmp(p, "hello, mapped", 13), "the mapping shows '%.19s'", p);
	memcpy(p, "HELLO", 5);
	check(msync(p, 4096, MS_SYNC) == 0, "msync");
	check(pread(fileno(f), line, 5, 0) == 5 && !strcmp(line, "HELLO"), "read shows '%s'", line);
	munmap(p, 4096);
	fclose(f);
	check(unlink("memory.tmp") == 0, "unlink");
}

int main(void)
{
	churn();
	reallocate();
	map();
	map_file();
	return done("memory");
}
