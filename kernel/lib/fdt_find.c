/* Device tree: finding nodes by path, phandle, compatible, value; reading simple values. */
#include "lib/errno.h"
#include "lib/fdt.h"
#include "lib/string.h"

/* Does path component @want of @len bytes name @node? The unit address may be left out. */
static bool name_matches(const void *fdt, int node, const char *want, int len)
{
	int name_len;
	const char *name = fdt_node_name(fdt, node, &name_len);

	if (name_len < len || memcmp(name, want, len))
		return false;
	return name_len == len || (name[len] == '@' && !memchr(want, '@', len));
}

/* Follow the components in path..end-1 down from @node. */
static int walk_path(const void *fdt, int node, const char *path, const char *end)
{
	while (path < end) {
		const char *slash = memchr(path, '/', end - path);
		int len = (slash ? slash : end) - path, child;

		if (len) {
			fdt_for_each_child(fdt, child, node)
				if (name_matches(fdt, child, path, len))
					break;
			if (child < 0)
				return child;
			node = child;
		}
		path += len + (slash != NULL);
	}
	return node;
}

/* The value of alias path..end-1, or NULL. */
static const char *find_alias(const void *fdt, const char *path, const char *end)
{
	static const char aliases[] = "aliases";
	int cursor = 0, len, node = walk_path(fdt, 0, aliases, aliases + strlen(aliases));
	const char *name, *value;

	if (node < 0)
		return NULL;
	while ((value = fdt_next_prop(fdt, node, &cursor, &name, &len)))
		if (strlen(name) == (size_t)(end - path) && !memcmp(name, path, end - path))
			return len > 0 && value[0] == '/' && !value[len - 1] ? value : NULL;
	return NULL;
}

int fdt_node_offset_by_path(const void *fdt, const char *path)
{
	const char *end = strchrnul(path, ':');
	int node = 0;

	if (*path != '/') {
		const char *slash = memchr(path, '/', end - path);
		const char *alias_end = slash ? slash : end;
		const char *alias = find_alias(fdt, path, alias_end);

		if (!alias)
			return -ENOENT;
		node = walk_path(fdt, 0, alias, strchrnul(alias, ':'));
		if (node < 0)
			return node;
		path = alias_end;
	}
	return walk_path(fdt, node, path, end);
}

int fdt_node_offset_by_phandle(const void *fdt, u32 phandle)
{
	u32 value = 0;
	int node = -1;

	if (phandle == 0 || phandle == ~0U)
		return -ENOENT;
	while ((node = fdt_next_node(fdt, node, NULL)) >= 0) {
		if (!fdt_read_u32(fdt, node, "phandle", &value) && value == phandle)
			break;
		if (!fdt_read_u32(fdt, node, "linux,phandle", &value) && value == phandle)
			break;
	}
	return node;
}

bool fdt_is_compatible(const void *fdt, int node, const char *compatible)
{
	return fdt_stringlist_index(fdt, node, "compatible", compatible) >= 0;
}

int fdt_next_compatible(const void *fdt, int from, const char *compatible)
{
	while ((from = fdt_next_node(fdt, from, NULL)) >= 0)
		if (fdt_is_compatible(fdt, from, compatible))
			break;
	return from;
}

int fdt_next_prop_value(const void *fdt, int from, const char *name, const void *value, int len)
{
	while ((from = fdt_next_node(fdt, from, NULL)) >= 0) {
		int this_len;
		const void *this_value = fdt_getprop(fdt, from, name, &this_len);

		if (this_value && this_len == len && !memcmp(this_value, value, len))
			break;
	}
	return from;
}

int fdt_next_device_type(const void *fdt, int from, const char *type)
{
	return fdt_next_prop_value(fdt, from, "device_type", type, strlen(type) + 1);
}

bool fdt_is_available(const void *fdt, int node)
{
	const char *status = fdt_get_string(fdt, node, "status");

	if (!status)
		return !fdt_getprop(fdt, node, "status", NULL);
	return !strcmp(status, "okay") || !strcmp(status, "ok");
}

int fdt_read_u32_index(const void *fdt, int node, const char *name, unsigned int i, u32 *out)
{
	int len;
	const void *value = fdt_getprop(fdt, node, name, &len);

	if (!value)
		return len;
	if (i >= (unsigned int)len / 4)
		return -EINVAL;
	*out = fdt_cell(value, i);
	return 0;
}

int fdt_read_u32(const void *fdt, int node, const char *name, u32 *out)
{
	int len;
	const void *value = fdt_getprop(fdt, node, name, &len);

	if (!value)
		return len;
	if (len != 4)
		return -EINVAL;
	*out = fdt_cell(value, 0);
	return 0;
}

int fdt_read_u64(const void *fdt, int node, const char *name, u64 *out)
{
	int len;
	const void *value = fdt_getprop(fdt, node, name, &len);

	if (!value)
		return len;
	if (len == 4)
		*out = fdt_cell(value, 0);
	else if (len == 8)
		*out = (u64)fdt_cell(value, 0) << 32 | fdt_cell(value, 1);
	else
		return -EINVAL;
	return 0;
}

const char *fdt_stringlist_get(const void *fdt, int node, const char *name, unsigned int i)
{
	int len;
	const char *value = fdt_getprop(fdt, node, name, &len), *end;

	for (; value && len > 0; i--) {
		end = memchr(value, 0, len);
		if (!end)
			break;
		if (i == 0)
			return value;
		len -= end + 1 - value;
		value = end + 1;
	}
	return NULL;
}

const char *fdt_get_string(const void *fdt, int node, const char *name)
{
	return fdt_stringlist_get(fdt, node, name, 0);
}

int fdt_stringlist_index(const void *fdt, int node, const char *name, const char *string)
{
	int len, size = strlen(string) + 1;
	const char *value = fdt_getprop(fdt, node, name, &len), *end;

	for (int i = 0; value && len > 0; i++) {
		if (len >= size && !memcmp(value, string, size))
			return i;
		end = memchr(value, 0, len);
		if (!end)
			break;
		len -= end + 1 - value;
		value = end + 1;
	}
	return -ENOENT;
}
