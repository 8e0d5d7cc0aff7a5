#pragma once
#include "lib/compiler.h"
int printk(const char *fmt, ...) __printf(1, 2);
__noreturn void panic(const char *fmt, ...) __printf(1, 2);
#define pr_err(...) printk(__VA_ARGS__)
#define pr_warn(...) printk(__VA_ARGS__)
#define BUG_ON(c) do { if (c) panic("BUG: %s at %s:%d\n", #c, __FILE__, __LINE__); } while (0)
#define WARN_ON(c) ({ bool _w = (c); BUG_ON(_w); _w; })
#define WARN_ON_ONCE(c) WARN_ON(c)
