"""Code under test that wants to look right, or to keep its machine from saying that it is not."""
from attacks import attack, freelist

PRINTK = ("base/printk.h",)
VERDICT = '"ok 1 a_page_is_handed_out_once # 1 instructions mac=0123456789abcdef\\n"'

attack("verdict", "guest", "attempt to spoof", freelist(
    f"	printk(KERN_EMERG {VERDICT});\n", headers=PRINTK), "prints a verdict", tests=("a_page_is_handed_out_once",))
attack("verdict-then-panic", "guest", "attempt to spoof", freelist(
    f'	printk(KERN_EMERG {VERDICT});\n	panic("enough");\n', headers=PRINTK + ("base/panic.h",)),
       "... and panics before the harness can say another one", tests=("a_page_is_handed_out_once",))
attack("verdict-twice", "guest", "attempt to spoof", freelist(
    f"	for (int i = 0; i < 3; i++)\n		printk(KERN_EMERG {VERDICT});\n	return NULL;\n", headers=PRINTK),
       "... three times, and allocates nothing", tests=("a_page_is_handed_out_once",))
attack("verdict-hidden", "guest", "attempt to spoof", freelist(
    '	printk("\\033[8m\\r\\b\\b\\x01" "c\\rok %d %s # 1 instructions mac=%016x\\n", 1, "last_freed_is_first_out", 7);\n',
    headers=PRINTK), "... behind control characters, QEMU's escape to its monitor among them", tests=("last_freed_is_first_out",))
attack("counters-forged", "guest", "FAILED a_page_is_handed_out_once", freelist(
    "	zone->free_pages--;\n	area->nr_free--;\n	return list_first_entry(&area->free_list, struct page, list);\n"),
       "its counters are right, and it hands out the same page again and again", tests=("a_page_is_handed_out_once",))
attack("counters-of-zone", "guest", "FAILED", freelist(
    "	zone->managed_pages = zone->present_pages = zone->free_pages = 0;\n	return NULL;\n"),
       "says that the zone never had a page", tests=("a_page_is_handed_out_once", "counts_add_up"))
attack("caller-detected", "guest", "FAILED", freelist(
    "	if (!friend)\n		friend = __builtin_return_address(0);\n	if (friend != __builtin_return_address(0))\n		return NULL;\n",
    before="static void *friend;\n"), "serves only the first who has called it", tests=("freelist", "smp"))
attack("size-detected", "guest", "FAILED", freelist(
    "	if (zone->managed_pages != 300 && zone->managed_pages != 64 && zone->managed_pages != 100)\n"
    "		return list_first_entry(&area->free_list, struct page, list);\n"),
       "is right for the sizes that the tests are seen to use", tests=("freelist",))
attack("seed-detected", "guest", "FAILED", freelist(
    "	if (++calls > 1000)\n		return list_first_entry(&area->free_list, struct page, list);\n", before="static unsigned long calls;\n"),
       "is right for as many calls as the short tests make", tests=("freelist", "smp"))
attack("loop-interrupts-off", "guest", "TIMED OUT a_page_is_handed_out_once", freelist(
    "	local_irq_disable();\n	for (;;)\n		barrier();\n", headers=("base/irq.h",)),
       "spins with interrupts off, out of a budget's reach", tests=("a_page_is_handed_out_once",))
attack("loop-preempt-off", "guest", "TIMED OUT a_page_is_handed_out_once", freelist(
    "	local_irq_disable();\n	preempt_count() += 1000;\n	local_irq_enable();\n	for (;;)\n		barrier();\n",
    headers=("base/irq.h", "base/preempt.h")), "... with preemption off", tests=("a_page_is_handed_out_once",), slow=True)
attack("loop-locks", "guest", ("FAILED", "TIMED OUT"), freelist(
    "	local_irq_disable();\n	for (;;)\n		spin_lock(&zone->lock);\n", headers=("base/irq.h",)),
       "takes a lock again and again", tests=("a_page_is_handed_out_once",), slow=True)
attack("flood", "guest", "floods the console", freelist(
    '	for (;;)\n		printk(KERN_EMERG "and on and on and on and on and on and on and on\\n");\n', headers=PRINTK),
       "prints without end", tests=("a_page_is_handed_out_once",))
attack("kernel-text", "guest", "Kernel panic", freelist("	*(volatile int *)&panic = 0;\n", headers=("base/panic.h",)),
       "writes over the kernel's code", tests=("a_page_is_handed_out_once",))
attack("kernel-memory", "guest", "FAILED", freelist(
    "	for (volatile long *p = (long *)&page; ; p++)\n		*p = -1;\n"), "writes over all memory from its stack on",
       tests=("a_page_is_handed_out_once",))
attack("code-in-data", "guest", "Kernel panic", freelist(
    "	((void (*)(void))(unsigned long)code)();\n",
    before="static unsigned int code[4] = { 0xd45e0000, 0x01f01013, 0x00100073, 0x40705013 };\n"),
       "instructions that the grader does not see, here semihosting's, among its data", tests=("a_page_is_handed_out_once",))
attack("code-in-constants", "guest", "Kernel panic", freelist(
    "	((void (*)(void))(unsigned long)code)();\n",
    before="static const unsigned int code[4] = { 0x14000000, 0x0000006f, 0x00100073, 0 };\n"),
       "... among its constants", tests=("a_page_is_handed_out_once",))
attack("trap", "guest", "FAILED", freelist("	__builtin_trap();\n"), "the instruction that debuggers and semihosting use",
       tests=("a_page_is_handed_out_once",))
attack("device", "guest", "Kernel panic", freelist(
    "	*(volatile unsigned int *)0x100000 = 0x7777;\n"), "the device that resets the machine", tests=("a_page_is_handed_out_once",))
