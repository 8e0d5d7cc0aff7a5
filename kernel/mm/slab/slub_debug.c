/*
 * What SLUB can watch for in the caches that slub_debug= names, and how it tells.
 *
 *	F  sanity	what is freed is an object of the slab, and is in use
 *	Z  red zones	bytes in front of and behind the object: a write that went too far
 *	P  poison	a free object is filled: a write after the free; reads find 6b6b6b6b
 *	U  user		who allocated it and who freed it last, with a backtrace
 *
 * slub_debug alone means all of them for all caches, slub_debug=FZ these for all,
 * slub_debug=FZPU,kmalloc-64,dentry* these for the caches named, slub_debug=,name all for one.
 * Several such, joined by ";", are tried one after the other; "-" means none.
 *
 * Memory of one object, red_left bytes before the pointer that its user gets:
 *
 *	red zone | object | red zone to a word's end, or one more | link | allocated by | freed by |
 *
 * The link lies in the object itself if neither poison nor constructor nor a red zone need the
 * place. An object in which something was found is not used again: what is wrong with it may go on.
 */
#include "mm/slab/slub.h"
#include "base/cmdline.h"
#include "base/panic.h"
#include "lib/errno.h"
#include "lib/format.h"
#include "lib/string.h"

#define POISON_FREE	0x6b
#define POISON_END	0xa5		/* last byte of a free object */
#define RED_FREE	0xbb
#define RED_IN_USE	0xcc

#define TRACK_DEPTH	12

struct track {
	unsigned long trace[TRACK_DEPTH];	/* the innermost first; 0: the end */
	u64 when;			/* ns of the clock; 0: never */
	unsigned int cpu;
};

enum track_item { TRACK_ALLOC, TRACK_FREE };

/* ---- which caches ------------------------------------------------------------------------- */

/* Does the pattern [@p, @end), which may end in "*", describe @name? */
static bool matches(const char *p, const char *end, const char *name)
{
	size_t len = end - p;

	if (len && end[-1] == '*')
		return strncmp(p, name, len - 1) == 0;
	return strlen(name) == len && memcmp(p, name, len) == 0;
}

static const char *end_of(const char *p, const char *stop)
{
	while (*p && !strchr(stop, *p))
		p++;
	return p;
}

static slab_flags_t parse_letters(const char *p, const char *end)
{
	static const char letters[] = "FZPU";
	slab_flags_t flags = 0;

	if (p == end)
		return SLUB_DEBUG_FLAGS;
	for (; p < end; p++) {
		const char *letter = strchr(letters, *p & ~0x20);

		if (*p && letter && *letter)
			flags |= SLAB_CONSISTENCY_CHECKS << (letter - letters);
	}
	return flags;
}

slab_flags_t slub_debug_flags(const char *name)
{
	char options[256];
	const char *p = options;

	if (cmdline_get("slub_debug", options, sizeof(options)) < 0)
		return 0;
	for (;;) {
		const char *end = end_of(p, ",;");
		slab_flags_t flags = parse_letters(p, end);
		bool all = *end != ',';

		for (p = end; *p == ','; p = end) {
			end = end_of(p + 1, ",;");
			if (matches(p + 1, end, name))
				return flags;
		}
		if (all)
			return flags;
		if (!*p++)
			return 0;
	}
}

/* ---- layout ------------------------------------------------------------------------------- */

void slub_layout(struct kmem_cache *cache)
{
	struct slub *s = slub_of(cache);
	unsigned int size = ALIGN(cache->object_size, sizeof(void *));
	bool red = cache->flags & SLAB_RED_ZONE;

	if (red && size == cache->object_size)
		size += sizeof(void *);
	s->inuse = size;
	s->offset = 0;
	if (cache->ctor || (cache->flags & SLAB_POISON) ||
	    (red && cache->object_size < sizeof(void *))) {
		s->offset = size;
		size += sizeof(void *);
	}
	if (cache->flags & SLAB_STORE_USER) {
		s->track = size;
		size += 2 * sizeof(struct track);
	}
	s->red_left = red ? ALIGN((unsigned int)sizeof(void *), cache->align) : 0;
	cache->size = ALIGN(size + s->red_left, cache->align);
}

static struct track *track_of(struct kmem_cache *cache, void *object, enum track_item item)
{
	return (struct track *)((char *)object + slub_of(cache)->track) + item;
}

static void fill_red_zones(struct kmem_cache *cache, void *object, int value)
{
	struct slub *s = slub_of(cache);

	if (!(cache->flags & SLAB_RED_ZONE))
		return;
	memset((char *)object - s->red_left, value, s->red_left);
	memset((char *)object + cache->object_size, value, s->inuse - cache->object_size);
}

/* An object with a constructor keeps what that made of it. */
static bool is_poisoned(const struct kmem_cache *cache)
{
	return (cache->flags & SLAB_POISON) && !cache->ctor;
}

static void make_free(struct kmem_cache *cache, void *object)
{
	fill_red_zones(cache, object, RED_FREE);
	if (is_poisoned(cache)) {
		memset(object, POISON_FREE, cache->object_size);
		((u8 *)object)[cache->object_size - 1] = POISON_END;
	}
}

void slub_debug_init_slab(struct kmem_cache *cache, struct page *slab)
{
	char *object = (char *)page_address(slab) + slub_of(cache)->red_left;

	for (unsigned int i = 0; i < slab_objects(slab); i++, object += cache->size) {
		make_free(cache, object);
		if (cache->flags & SLAB_STORE_USER)
			memset(track_of(cache, object, TRACK_ALLOC), 0, 2 * sizeof(struct track));
	}
}

/* ---- who ---------------------------------------------------------------------------------- */

/* @caller called the allocator: the backtrace begins there. */
static void set_track(struct kmem_cache *cache, void *object, enum track_item item, void *caller)
{
	struct track *track = track_of(cache, object, item);
	unsigned long trace[TRACK_DEPTH + 6];
	unsigned int n, first = 0, kept = 0;

	if (!(cache->flags & SLAB_STORE_USER))
		return;
	n = stack_trace_save(trace, ARRAY_SIZE(trace), 0);
	while (first < n && trace[first] != (unsigned long)caller)
		first++;
	memset(track, 0, sizeof(*track));
	track->trace[kept++] = (unsigned long)caller;
	while (++first < n && kept < TRACK_DEPTH)
		track->trace[kept++] = trace[first];
	track->when = arch_clock_ns();
	track->cpu = smp_processor_id();
}

static void print_track(const struct track *track, const char *what)
{
	if (!track->when)
		return;
	pr_err("%s by CPU %u, %lu ms ago:\n", what, track->cpu,
	       (unsigned long)(arch_clock_ns() - track->when) / 1000000);
	for (unsigned int i = 0; i < TRACK_DEPTH && track->trace[i]; i++)
		pr_err(" [<%016lx>] %pS\n", track->trace[i], (void *)track->trace[i]);
}

/* ---- reports ------------------------------------------------------------------------------ */

static void print_bytes(const char *what, const u8 *p, unsigned int n)
{
	for (unsigned int done = 0; done < n; done += 16) {
		char line[16 * 3 + 17];
		unsigned int row = min(n - done, 16U), at = 0;

		for (unsigned int i = 0; i < row; i++)
			at += snprintf(line + at, sizeof(line) - at, "%02x ", p[done + i]);
		for (unsigned int i = 0; i < row; i++)
			line[at++] = p[done + i] >= ' ' && p[done + i] < 0x7f ? p[done + i] : '.';
		line[at] = '\0';
		pr_err("%-8s %p: %s\n", what, (const void *)(p + done), line);
	}
}

#define BYTES_SHOWN	64U

/* @object: the start of one, or NULL if what was passed is none. */
static void report(struct kmem_cache *cache, struct page *slab, void *object, const char *what)
{
	struct slub *s = slub_of(cache);
	char *base = page_address(slab);
	u64 state = slab_state(slab);

	pr_err("=====================================================================\n");
	pr_err("BUG %s: %s\n", cache->name, what);
	pr_err("---------------------------------------------------------------------\n");
	if (object && (cache->flags & SLAB_STORE_USER)) {
		print_track(track_of(cache, object, TRACK_ALLOC), "Allocated");
		print_track(track_of(cache, object, TRACK_FREE), "Freed");
	}
	pr_err("Slab %p objects=%u used=%u fp=%p\n", base, slab_objects(slab),
	       state_inuse(state), state_head(state, base));
	if (object) {
		pr_err("Object %p @offset=%lu size=%u\n", object,
		       (unsigned long)((char *)object - base), cache->object_size);
		if (cache->flags & SLAB_RED_ZONE) {
			unsigned int shown = min(s->red_left, 16U);

			print_bytes("Redzone", (u8 *)object - shown, shown);
		}
		print_bytes("Object", object, min(cache->object_size, BYTES_SHOWN));
		if (cache->flags & SLAB_RED_ZONE)
			print_bytes("Redzone", (u8 *)object + cache->object_size,
				    s->inuse - cache->object_size);
	}
	dump_stack();
}

/* Are the @n bytes at @p all @value? If not, reported. */
static bool check_bytes(struct kmem_cache *cache, struct page *slab, void *object,
			const char *what, const void *p, int value, unsigned int n)
{
	const u8 *bad = n ? memchr_inv(p, value, n) : NULL;
	char text[96];

	if (!bad)
		return true;
	snprintf(text, sizeof(text), "%s overwritten: byte %ld of the object is %02x, not %02x",
		 what, (long)(bad - (u8 *)object), *bad, value);
	report(cache, slab, object, text);
	return false;
}

static bool check_red_zones(struct kmem_cache *cache, struct page *slab, void *object, int value)
{
	struct slub *s = slub_of(cache);

	if (!(cache->flags & SLAB_RED_ZONE))
		return true;
	return check_bytes(cache, slab, object, "Left Redzone", (char *)object - s->red_left, value,
			   s->red_left) &&
	       check_bytes(cache, slab, object, "Right Redzone",
			   (char *)object + cache->object_size, value,
			   s->inuse - cache->object_size);
}

static bool check_poison(struct kmem_cache *cache, struct page *slab, void *object)
{
	unsigned int last = cache->object_size - 1;

	return !is_poisoned(cache) ||
	       (check_bytes(cache, slab, object, "Poison", object, POISON_FREE, last) &&
		check_bytes(cache, slab, object, "Poison", (u8 *)object + last, POISON_END, 1));
}

/* ---- allocation and free ------------------------------------------------------------------ */

bool slub_debug_alloc(struct kmem_cache *cache, struct page *slab, void *object, gfp_t gfp,
		      void *caller)
{
	(void)gfp;
	if (!check_red_zones(cache, slab, object, RED_FREE) || !check_poison(cache, slab, object))
		return false;
	fill_red_zones(cache, object, RED_IN_USE);
	set_track(cache, object, TRACK_ALLOC, caller);
	return true;
}

/* Walks at most as many links as there are objects: the list may be broken. */
static bool on_freelist(struct kmem_cache *cache, struct page *slab, const void *object)
{
	void *p = state_head(slab_state(slab), page_address(slab));

	for (unsigned int i = 0; p && i < slab_objects(slab); i++, p = get_link(cache, p)) {
		if (p == object)
			return true;
		if (!is_object(cache, slab, p)) {
			report(cache, slab, NULL, "Freelist broken");
			return false;
		}
	}
	return false;
}

bool slub_debug_free(struct kmem_cache *cache, struct page *slab, void *object, void *caller)
{
	char text[80];

	/* Without these two the others would look in the wrong place; all options imply them. */
	if (!is_object(cache, slab, object)) {
		snprintf(text, sizeof(text), "Free of %p, which is not the start of an object",
			 object);
		report(cache, slab, NULL, text);
		return false;
	}
	if (on_freelist(cache, slab, object)) {
		report(cache, slab, object, "Object already free (double free)");
		return false;
	}
	if (!check_red_zones(cache, slab, object, RED_IN_USE))
		return false;
	set_track(cache, object, TRACK_FREE, caller);
	make_free(cache, object);
	return true;
}
