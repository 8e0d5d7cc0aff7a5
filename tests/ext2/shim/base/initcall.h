#pragma once
#define __initcall(fn, level) \
	static void __attribute__((constructor(200 + level))) __init_##fn(void) { fn(); }
#define core_initcall(fn)	__initcall(fn, 1)
#define fs_initcall(fn)		__initcall(fn, 3)
