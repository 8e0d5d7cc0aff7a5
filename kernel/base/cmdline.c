/* The kernel's command line: the device tree's /chosen/bootargs, searched as it stands. */
#include "base/cmdline.h"
#include "arch/arch.h"
#include "lib/fdt.h"
#include "lib/string.h"

char boot_command_line[4096];

static char secret[64];

/* Takes the value of secret= out of @args, which lie in the device tree. */
static void hide_secret(char *args)
{
	char *p = strstr(args, "secret=");
	unsigned int n = 0;

	if (!p || (p > args && !isspace(p[-1])))
		return;
	for (p += strlen("secret="); *p && !isspace(*p); *p++ = '-')
		if (n < sizeof(secret) - 1)
			secret[n++] = *p;
}

int cmdline_take_secret(char *buf, size_t size)
{
	int len = strscpy(buf, secret, size);

	memset(secret, 0, sizeof(secret));
	return len > 0 ? len : -1;
}

void cmdline_init(void)
{
	const void *fdt = arch_fdt();
	int chosen = fdt_node_offset_by_path(fdt, "/chosen");
	const char *args = chosen < 0 ? NULL : fdt_get_string(fdt, chosen, "bootargs");

	if (!args)
		return;
	hide_secret((char *)args);
	strscpy(boot_command_line, args, sizeof(boot_command_line));
}

/* The last word that is @key or @key=…: its value (maybe empty) and *@len, or NULL. */
static const char *find_value(const char *key, size_t *len)
{
	size_t klen = strlen(key);
	const char *p = boot_command_line, *found = NULL;

	for (;;) {
		const char *word = p = skip_spaces(p);

		while (*p && !isspace(*p))
			p++;
		if (p == word)
			return found;
		if ((size_t)(p - word) < klen || memcmp(word, key, klen) != 0)
			continue;
		if (word + klen == p) {
			found = p;
			*len = 0;
		} else if (word[klen] == '=') {
			found = word + klen + 1;
			*len = p - found;
		}
	}
}

int cmdline_get(const char *key, char *buf, size_t size)
{
	size_t len;
	const char *value = find_value(key, &len);

	if (!value)
		return -1;
	if (!size)
		return len;
	if (len >= size)
		len = size - 1;
	memcpy(buf, value, len);
	buf[len] = '\0';
	return len;
}

bool cmdline_has(const char *key)
{
	size_t len;

	return find_value(key, &len) != NULL;
}

long cmdline_long(const char *key, long fallback)
{
	char buf[32], *end;
	bool negative;
	long value;

	if (cmdline_get(key, buf, sizeof(buf)) <= 0)
		return fallback;
	negative = buf[0] == '-';
	value = memparse(buf + negative, &end);
	if (end == buf + negative || *end)
		return fallback;
	return negative ? -value : value;
}
