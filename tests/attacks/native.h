/*
 * What a graded file may do on the host, where it is a program like any other: find the C library without
 * calling it by name, and then all of the system. In front of the attacks of host.py.
 *
 * The test program stands at a fixed place and begins with its ELF header. From there the way leads to the
 * dynamic section, to the list of all that is loaded, to its symbols.
 */
#define PROGRAM		0x400000UL
#define AT(type, addr)	(*(const type *)(addr))

static bool same(const char *a, const char *b)
{
	while (*a && *a == *b)
		a++, b++;
	return *a == *b;
}

static unsigned long entry(unsigned long dynamic, unsigned long tag)
{
	for (; AT(unsigned long, dynamic); dynamic += 16)
		if (AT(unsigned long, dynamic) == tag)
			return AT(unsigned long, dynamic + 8);
	return 0;
}

static unsigned long symbol(unsigned long base, unsigned long dynamic, const char *name)
{
	unsigned long names = entry(dynamic, 5), first = entry(dynamic, 6);

	if (first < 0x100000 || names < first)
		return 0;
	for (unsigned long s = first; s < names; s += 24)
		if (AT(unsigned short, s + 6) && (AT(unsigned char, s + 4) & 15) == 2 &&
		    same((const char *)names + AT(unsigned int, s), name))
			return base + AT(unsigned long, s + 8);
	return 0;
}

static unsigned long find(const char *name)
{
	unsigned long head = PROGRAM + AT(unsigned long, PROGRAM + 32), found = 0;

	while (AT(unsigned int, head) != 2)
		head += 56;
	head = entry(AT(unsigned long, head + 16), 21);
	for (unsigned long map = AT(unsigned long, head + 8); map && !found; map = AT(unsigned long, map + 24))
		found = symbol(AT(unsigned long, map), AT(unsigned long, map + 16), name);
	return found;
}

/* Kernels lie at the other end of the address space. */
static bool on_the_host(void)
{
	return (long)(unsigned long)&find > 0;
}

#define CALL(name, ...)	(((long (*)(long, ...))find(name))(__VA_ARGS__))
#define TEXT(s)		((long)(s))

static void say(const char *text)
{
	long n = 0;

	while (text[n])
		n++;
	CALL("write", 1, TEXT(text), n);
}

