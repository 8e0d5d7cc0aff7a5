/* The device tree reader: on QEMU's trees, on trees built here, and on broken ones. */
#include "test.h"
#include "lib/fdt.h"

/* ---- building a tree ---- */

struct builder {
	u8 structs[8192], strings[1024];
	u32 struct_len, string_len;
};

static void put32(u8 *p, u32 value)
{
	for (int i = 0; i < 4; i++)
		p[i] = value >> (24 - 8 * i);
}

static void emit(struct builder *b, u32 cell)
{
	put32(b->structs + b->struct_len, cell);
	b->struct_len += 4;
}

static void emit_bytes(struct builder *b, const void *data, u32 len)
{
	memcpy(b->structs + b->struct_len, data, len);
	for (b->struct_len += len; b->struct_len % 4; b->struct_len++)
		b->structs[b->struct_len] = 0;
}

static void begin_node(struct builder *b, const char *name)
{
	emit(b, 1);
	emit_bytes(b, name, strlen(name) + 1);
}

static void end_node(struct builder *b)
{
	emit(b, 2);
}

static void prop(struct builder *b, const char *name, const void *data, u32 len)
{
	emit(b, 3);
	emit(b, len);
	emit(b, b->string_len);
	memcpy(b->strings + b->string_len, name, strlen(name) + 1);
	b->string_len += strlen(name) + 1;
	emit_bytes(b, data, len);
}

static void prop_string(struct builder *b, const char *name, const char *value)
{
	prop(b, name, value, strlen(value) + 1);
}

#define prop_cells(b, name, ...) do { \
	u32 cells_[] = { __VA_ARGS__ }; \
	put_cells(b, name, cells_, ARRAY_SIZE(cells_)); \
} while (0)

static void put_cells(struct builder *b, const char *name, const u32 *cells, u32 n)
{
	u8 raw[128];

	for (u32 i = 0; i < n; i++)
		put32(raw + 4 * i, cells[i]);
	prop(b, name, raw, 4 * n);
}

/* The finished blob, in a buffer of exact size. */
static u8 *finish(struct builder *b, const u64 *rsv, u32 rsv_count)
{
	u32 off_struct = 40 + 16 * (rsv_count + 1), off_strings, total;
	u8 *blob;

	emit(b, 9);
	off_strings = off_struct + b->struct_len;
	total = off_strings + b->string_len;
	blob = calloc(1, total);
	put32(blob, 0xd00dfeed);
	put32(blob + 4, total);
	put32(blob + 8, off_struct);
	put32(blob + 12, off_strings);
	put32(blob + 16, 40);
	put32(blob + 20, 17);
	put32(blob + 24, 16);
	put32(blob + 32, b->string_len);
	put32(blob + 36, b->struct_len);
	for (u32 i = 0; i < 2 * rsv_count; i++) {
		put32(blob + 40 + 8 * i, rsv[i] >> 32);
		put32(blob + 44 + 8 * i, rsv[i]);
	}
	memcpy(blob + off_struct, b->structs, b->struct_len);
	memcpy(blob + off_strings, b->strings, b->string_len);
	return blob;
}

/* ---- a tree with all that needs care ---- */

static u8 *build_sample(void)
{
	static struct builder b;
	static const u64 rsv[] = { 0x80000000, 0x1000, 0x123456789abcUL, 0x2000 };

	b.struct_len = b.string_len = 0;
	begin_node(&b, "");
	prop_cells(&b, "#address-cells", 2);
	prop_cells(&b, "#size-cells", 2);
	prop_cells(&b, "interrupt-parent", 1);
	begin_node(&b, "aliases");
	prop_string(&b, "serial0", "/bus@1000/inner/uart@10");
	end_node(&b);
	begin_node(&b, "pic");
	prop_cells(&b, "#interrupt-cells", 2);
	prop_cells(&b, "phandle", 1);
	end_node(&b);
	begin_node(&b, "cpus");
	prop_cells(&b, "#address-cells", 1);
	prop_cells(&b, "#size-cells", 0);
	for (u32 i = 0; i < 2; i++) {
		begin_node(&b, i ? "cpu@1" : "cpu@0");
		prop_string(&b, "device_type", "cpu");
		prop_string(&b, "status", i ? "disabled" : "okay");
		prop_cells(&b, "reg", i);
		begin_node(&b, "intc");
		prop_cells(&b, "#interrupt-cells", 1);
		prop_cells(&b, "phandle", 10 + i);
		end_node(&b);
		end_node(&b);
	}
	end_node(&b);
	begin_node(&b, "bus@1000");
	prop_cells(&b, "#address-cells", 1);
	prop_cells(&b, "#size-cells", 1);
	prop_cells(&b, "ranges", 0x0, 0x1, 0x0, 0x1000, 0x5000, 0x2, 0x80000000, 0x1000);
	begin_node(&b, "inner");
	prop_cells(&b, "#address-cells", 1);
	prop_cells(&b, "#size-cells", 1);
	prop(&b, "ranges", "", 0);
	begin_node(&b, "uart@10");
	prop(&b, "compatible", "acme,uart\0ns16550a", 19);
	prop_cells(&b, "reg", 0x10, 0x8, 0x5abc, 0x10, 0x2000, 0x10);
	prop_cells(&b, "interrupts", 7, 4, 8, 1);
	end_node(&b);
	end_node(&b);
	begin_node(&b, "opaque");
	begin_node(&b, "dev@0");
	prop_cells(&b, "reg", 0, 0, 1);
	end_node(&b);
	end_node(&b);
	end_node(&b);
	begin_node(&b, "plic");
	prop_cells(&b, "interrupts-extended", 10, 11, 11, 9, 1, 5, 6, 99, 1);
	end_node(&b);
	begin_node(&b, "short");
	prop_cells(&b, "interrupts-extended", 1, 5);
	end_node(&b);
	end_node(&b);
	return finish(&b, rsv, 2);
}

static void test_sample_nodes(struct prng *rng)
{
	u8 *fdt = build_sample();
	int node, depth = 77, count = 0;
	const char *text;

	(void)rng;
	EXPECT_EQ(fdt_check(fdt), 0);
	for (node = fdt_next_node(fdt, -1, &depth); node >= 0;
	     node = fdt_next_node(fdt, node, &depth)) {
		EXPECT_EQ(fdt_depth(fdt, node), depth);
		count++;
	}
	EXPECT_EQ(node, -ENOENT);
	EXPECT_EQ(count, 15);
	EXPECT_EQ(fdt_parent(fdt, 0), -ENOENT);
	EXPECT_EQ(fdt_node_offset_by_path(fdt, "/"), 0);
	node = fdt_node_offset_by_path(fdt, "/bus/inner/uart@10");
	EXPECT_STR(fdt_node_name(fdt, node, NULL), "uart@10");
	EXPECT_EQ(fdt_depth(fdt, node), 3);
	EXPECT_STR(fdt_node_name(fdt, fdt_parent(fdt, node), NULL), "inner");
	EXPECT_EQ(fdt_node_offset_by_path(fdt, "serial0:115200n8"), node);
	EXPECT_EQ(fdt_node_offset_by_path(fdt, "/bus@1000/inner/uart:9600"), node);
	EXPECT_EQ(fdt_node_offset_by_path(fdt, "/bus@1000/inner/uart@11"), -ENOENT);
	EXPECT_EQ(fdt_node_offset_by_path(fdt, "/bus@1000/inn"), -ENOENT);
	EXPECT_EQ(fdt_node_offset_by_path(fdt, "serial1"), -ENOENT);
	EXPECT_EQ(fdt_next_compatible(fdt, -1, "ns16550a"), node);
	EXPECT_EQ(fdt_next_compatible(fdt, -1, "acme,uart"), node);
	EXPECT_EQ(fdt_next_compatible(fdt, node, "ns16550a"), -ENOENT);
	EXPECT_EQ(fdt_next_compatible(fdt, -1, "acme"), -ENOENT);
	EXPECT_EQ(fdt_next_compatible(fdt, -1, "550a"), -ENOENT);
	EXPECT_EQ(fdt_stringlist_index(fdt, node, "compatible", "ns16550a"), 1);
	text = fdt_stringlist_get(fdt, node, "compatible", 1);
	EXPECT_STR(text, "ns16550a");
	EXPECT(!fdt_stringlist_get(fdt, node, "compatible", 2));
	EXPECT_EQ(fdt_node_offset_by_phandle(fdt, 1), fdt_node_offset_by_path(fdt, "/pic"));
	EXPECT_EQ(fdt_node_offset_by_phandle(fdt, 99), -ENOENT);
	free(fdt);
}

static void test_sample_values(struct prng *rng)
{
	u8 *fdt = build_sample();
	int cpus = fdt_node_offset_by_path(fdt, "/cpus"), node, len, n = 0;
	u64 addr, size;
	u32 cell;

	(void)rng;
	fdt_for_each_child(fdt, node, cpus) {
		EXPECT_EQ(fdt_is_available(fdt, node), n == 0);
		EXPECT_EQ(fdt_get_reg_raw(fdt, node, 0, &addr, &size), 0);
		EXPECT_EQ(addr, n);
		EXPECT_EQ(size, 0);
		EXPECT_EQ(fdt_get_reg(fdt, node, 0, &addr, &size), -EINVAL);
		n++;
	}
	EXPECT_EQ(n, 2);
	EXPECT(fdt_is_available(fdt, cpus));
	EXPECT_EQ(fdt_next_device_type(fdt, -1, "cpu"), fdt_first_child(fdt, cpus));
	EXPECT_EQ(fdt_next_device_type(fdt, -1, "cp"), -ENOENT);
	EXPECT_EQ(fdt_read_u32(fdt, 0, "#size-cells", &cell), 0);
	EXPECT_EQ(cell, 2);
	EXPECT_EQ(fdt_read_u32(fdt, 0, "nothing", &cell), -ENOENT);
	EXPECT(!fdt_getprop(fdt, 0, "reg", &len));
	EXPECT_EQ(len, -ENOENT);
	EXPECT_EQ(fdt_get_mem_rsv(fdt, 1, &addr, &size), 0);
	EXPECT_EQ(addr, 0x123456789abcUL);
	EXPECT_EQ(size, 0x2000);
	EXPECT_EQ(fdt_get_mem_rsv(fdt, 2, &addr, &size), -ENOENT);
	EXPECT_EQ(fdt_get_mem_rsv(fdt, 3, &addr, &size), -ENOENT);
	free(fdt);
}

static void test_sample_bus(struct prng *rng)
{
	u8 *fdt = build_sample();
	int uart = fdt_node_offset_by_path(fdt, "serial0"), plic, pic;
	u64 addr = 0, size = 0;
	u32 cells[4];

	(void)rng;
	EXPECT_EQ(fdt_get_reg(fdt, uart, 0, &addr, &size), 0);
	EXPECT_EQ(addr, 0x100000010UL);
	EXPECT_EQ(size, 8);
	EXPECT_EQ(fdt_get_reg(fdt, uart, 1, &addr, NULL), 0);
	EXPECT_EQ(addr, 0x280000abcUL);
	EXPECT_EQ(fdt_get_reg(fdt, uart, 2, &addr, &size), -EINVAL);	/* in no range */
	EXPECT_EQ(fdt_get_reg(fdt, uart, 3, &addr, &size), -ENOENT);
	EXPECT_EQ(fdt_get_reg(fdt, fdt_node_offset_by_path(fdt, "/bus/opaque/dev"), 0, &addr,
			      &size), -EINVAL);	/* a bus without ranges */

	pic = fdt_node_offset_by_path(fdt, "/pic");
	EXPECT_EQ(fdt_interrupt_parent(fdt, uart), pic);
	EXPECT_EQ(fdt_get_interrupt(fdt, uart, 1, cells, 4), 2);
	EXPECT_EQ(cells[0], 8);
	EXPECT_EQ(cells[1], 1);
	EXPECT_EQ(fdt_get_interrupt(fdt, uart, 2, cells, 4), -ENOENT);
	plic = fdt_node_offset_by_path(fdt, "/plic");
	EXPECT_EQ(fdt_get_interrupt(fdt, plic, 1, cells, 4), 1);
	EXPECT_EQ(cells[0], 9);
	EXPECT_EQ(fdt_get_interrupt_parent(fdt, plic, 1),
		  fdt_node_offset_by_path(fdt, "/cpus/cpu@1/intc"));
	EXPECT_EQ(fdt_get_interrupt(fdt, plic, 2, cells, 1), 2);
	EXPECT_EQ(cells[0], 5);
	EXPECT_EQ(fdt_get_interrupt(fdt, plic, 3, cells, 4), -EINVAL);	/* no such phandle */
	EXPECT_EQ(fdt_get_interrupt(fdt, fdt_node_offset_by_path(fdt, "/short"), 0, cells, 4),
		  -EINVAL);						/* a cell is missing */
	free(fdt);
}

static void test_depth(struct prng *rng)
{
	(void)rng;
	for (int nodes = 32; nodes <= 34; nodes++) {
		static struct builder b;
		u8 *fdt;

		b.struct_len = b.string_len = 0;
		for (int i = 0; i < nodes; i++)
			begin_node(&b, i ? "n" : "");
		for (int i = 0; i < nodes; i++)
			end_node(&b);
		fdt = finish(&b, NULL, 0);
		EXPECT_EQ(fdt_check(fdt), nodes <= FDT_MAX_DEPTH + 1 ? 0 : -EINVAL);
		free(fdt);
	}
}

/* ---- QEMU's trees ---- */

static void find_machine(const void *fdt)
{
	int node, cpus = 0, virtio = 0, memory = 0;
	u64 addr, size;
	u32 cells[3];

	EXPECT_EQ(fdt_check(fdt), 0);
	for (node = -1; (node = fdt_next_device_type(fdt, node, "cpu")) >= 0; cpus++)
		EXPECT_EQ(fdt_get_reg_raw(fdt, node, 0, &addr, NULL), 0);
	EXPECT(cpus > 0);
	for (node = -1; (node = fdt_next_device_type(fdt, node, "memory")) >= 0; memory++) {
		EXPECT_EQ(fdt_get_reg(fdt, node, 0, &addr, &size), 0);
		EXPECT(addr >= 0x40000000 && size > 0);
	}
	EXPECT(memory > 0);
	fdt_for_each_compatible(fdt, node, "virtio,mmio") {
		int parent = fdt_interrupt_parent(fdt, node);

		EXPECT_EQ(fdt_get_reg(fdt, node, 0, &addr, &size), 0);
		EXPECT(addr >= 0x0a000000 && size >= 0x200);
		EXPECT(fdt_get_interrupt(fdt, node, 0, cells, 3) >= 1);
		EXPECT(fdt_getprop(fdt, parent, "interrupt-controller", NULL));
		virtio++;
	}
	EXPECT(virtio >= 8);
	node = fdt_node_offset_by_path(fdt, "/chosen");
	EXPECT(node > 0);
	node = fdt_node_offset_by_path(fdt, fdt_get_string(fdt, node, "stdout-path"));
	EXPECT(fdt_is_compatible(fdt, node, "ns16550a") ||
	       fdt_is_compatible(fdt, node, "arm,pl011"));
	EXPECT_EQ(fdt_get_reg(fdt, node, 0, &addr, &size), 0);
	EXPECT(addr == 0x10000000 || addr == 0x09000000);
}

static void test_machines(struct prng *rng)
{
	(void)rng;
	EXPECT(blob_count > 0);
	for (int i = 0; i < blob_count; i++)
		find_machine(blobs[i].data);
}

/* ---- broken trees ---- */

/* Every function on every node: nothing may be read outside, nothing may run for ever. */
static u64 exercise(const void *fdt)
{
	static const char *const names[] = {
		"reg", "compatible", "ranges", "interrupts", "status",
	};
	u64 sum = 0, addr = 0, size = 0;
	u32 cells[4] = { 0 };
	int node = -1, depth = 0, len, nodes = 0;

	for (unsigned int i = 0; !fdt_get_mem_rsv(fdt, i, &addr, &size); i++)
		sum += addr;
	while ((node = fdt_next_node(fdt, node, &depth)) >= 0 && nodes++ < 200) {
		const char *name = fdt_node_name(fdt, node, &len);
		int cursor = 0;
		const u8 *value;

		sum += name[0] + len;
		while ((value = fdt_next_prop(fdt, node, &cursor, &name, &len))) {
			sum += strlen(name);
			EXPECT(len >= 0);
			for (int i = 0; i < len; i++)
				sum += value[i];
		}
		for (unsigned int i = 0; i < 3; i++) {
			fdt_get_reg(fdt, node, i, &addr, &size);
			fdt_get_reg_raw(fdt, node, i, &addr, &size);
			fdt_get_interrupt(fdt, node, i, cells, 4);
			sum += addr + size + cells[0];
		}
		for (unsigned int i = 0; i < ARRAY_SIZE(names); i++) {
			name = fdt_stringlist_get(fdt, node, names[i], 1);
			sum += name ? strlen(name) : 0;
			sum += fdt_stringlist_index(fdt, node, names[i], "okay");
		}
		sum += fdt_is_available(fdt, node) + fdt_parent(fdt, node);
		sum += fdt_first_child(fdt, node);
		/* Offsets that are no nodes must be harmless as well. */
		fdt_getprop(fdt, node + 4, "reg", &len);
		fdt_get_reg(fdt, node + 4, 0, &addr, &size);
	}
	sum += fdt_node_offset_by_path(fdt, "/soc/serial@10000000");
	sum += fdt_node_offset_by_path(fdt, "serial0");
	sum += fdt_node_offset_by_phandle(fdt, 1);
	sum += fdt_next_compatible(fdt, -1, "virtio,mmio");
	return sum;
}

/* @blob without the padding between its blocks' end and totalsize. */
static u32 compact_size(const void *blob)
{
	u32 struct_end = fdt_cell(blob, 2) + fdt_cell(blob, 9);
	u32 strings_end = fdt_cell(blob, 3) + fdt_cell(blob, 8);

	return max(struct_end, strings_end);
}

static u8 *compact_copy(const void *blob, u32 size)
{
	u8 *copy = malloc(size);

	memcpy(copy, blob, size);
	put32(copy + 4, size);
	return copy;
}

/* Change 1 to 4 cells or bytes, mostly in the structure block or the header. */
static void mutate(struct prng *rng, u8 *fdt, u32 size)
{
	u32 start = fdt_cell(fdt, 2), len = fdt_cell(fdt, 9);

	for (int n = 1 + prng_below(rng, 4); n > 0; n--) {
		u32 where = prng_below(rng, 8), at;

		at = where == 0 ? prng_below(rng, 40) :
			where == 1 ? prng_below(rng, size) : start + prng_below(rng, len);
		if (at >= 4 && at < 8)	/* totalsize is the buffer's size by contract */
			continue;
		switch (prng_below(rng, 4)) {
		case 0:
			fdt[at] ^= 1 << prng_below(rng, 8);
			break;
		case 1:
			fdt[at] = prng_next(rng);
			break;
		case 2:
			if (at >= 8)
				put32(fdt + min(at & ~3U, (size - 4) & ~3U),
				      prng_below(rng, 2) ? prng_below(rng, 10) : ~0U);
			break;
		default:
			fdt[at] = 0;
		}
	}
}

static void test_mutants(struct prng *rng)
{
	int accepted = 0;

	for (int i = 0; i <= blob_count; i++) {
		u8 *sample = build_sample();
		const void *blob = i < blob_count ? blobs[i].data : sample;
		u32 size = compact_size(blob);

		for (int round = 0; round < (i < blob_count ? 400 : 4000); round++) {
			u8 *copy = compact_copy(blob, size);

			mutate(rng, copy, size);
			if (!fdt_check(copy)) {
				exercise(copy);
				accepted++;
			}
			free(copy);
		}
		free(sample);
	}
	EXPECT(accepted > 500);	/* mutants are of use when they get past the check */
}

static void test_truncated(struct prng *rng)
{
	u8 *sample = build_sample();
	u32 size = compact_size(sample);

	(void)rng;
	EXPECT(exercise(sample) != 0);
	for (u32 cut = FDT_HEADER_SIZE; cut < size; cut++) {
		u8 *copy = compact_copy(sample, cut);

		EXPECT_EQ(fdt_check(copy), -EINVAL);
		free(copy);
	}
	sample[0] = 0;
	EXPECT_EQ(fdt_totalsize(sample), 0);
	EXPECT_EQ(fdt_check(sample), -EINVAL);
	free(sample);
}

const struct test fdt_tests[] = {
	{ "nodes are found by walk, path, alias, compatible and phandle", test_sample_nodes },
	{ "values, status and memory reservations are read", test_sample_values },
	{ "addresses go through ranges and interrupts to their controllers", test_sample_bus },
	{ "a tree may be 32 levels deep and no deeper", test_depth },
	{ "QEMU's trees show CPUs, memory, console and virtio slots", test_machines },
	{ "no truncated tree is accepted", test_truncated },
	{ "no mutated tree makes the reader read outside it or loop", test_mutants },
	{ 0 },
};
