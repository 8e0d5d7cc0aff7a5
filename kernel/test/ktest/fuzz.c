/*
 * libFuzzer's way into a page core: bytes become a memory with holes and borders, and a trace on it.
 *
 *	byte 0, 1	where memory begins: up to 4096 frames below 4 GiB
 *	8 bytes		four pieces of memory: length, then gap (odd: the piece is of node 1)
 *	the rest	an operation for every two bytes: order and kind, slot
 */
#include "test/ktest/trace.h"
#include "arch/host/host.h"
#include "lib/string.h"

#define HEAD		10
#define PIECES		4
#define MAX_OPS		2000

int printf(const char *fmt, ...) __printf(1, 2);
void abort(void) __noreturn;
int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static struct trace_op ops[MAX_OPS];

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	host_init();
	world_reset();			/* keeps the first state: before all that is given back */
	return 0;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct world_range ranges[PIECES];
	struct trace trace = { .ranges = ranges, .nr_ranges = PIECES, .ops = ops,
			       .max_order = CONFIG_LAB == 1 ? 0 : MAX_ORDER, .check_counts = true };
	const char *error;
	pfn_t at;

	if (size < HEAD)
		return 0;
	at = DMA32_LIMIT_PFN - ((data[0] | data[1] << 8) & 4095);
	for (unsigned int i = 0; i < PIECES; i++) {
		unsigned int length = data[2 + 2 * i], gap = data[3 + 2 * i];

		ranges[i] = (struct world_range){ at, at + 1 + length * length / 32, gap & 1, false };
		at = ranges[i].end + (gap >> 1);
	}
	for (size_t i = HEAD; i + 1 < size && trace.nr_ops < MAX_OPS; i += 2)
		ops[trace.nr_ops++] = (struct trace_op){
			.kind = data[i] & 1, .slot = data[i + 1],
			.order = min(data[i] >> 4, trace.max_order),
		};
	ktest_forget();
	error = trace_run(&trace);
	if (error) {
		printf("%s\n", error);
		abort();
	}
	return 0;
}
