#pragma once
#include "model.h"

/* In main.c. */
void result(bool ok, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
const char *file_in_folder(const char *what, unsigned long n);
int fsck(const char *image, const char *how, const char *log);
bool make_image(u32 blocks, u32 per_group, u32 inodes);

void test_orders(void);
