/* The tree as it should be, and operations that change it and the file system alike. */
#pragma once
#include "shim.h"
#include "host.h"

#define MAX_NAMES	400
#define MAX_OPEN	4

struct body {			/* what a name leads to */
	umode_t type;
	int names, opens;
	char *data;		/* file: contents; symlink: text */
	size_t size;
	/* what the last fsync promised: this path has these contents. NULL: nothing */
	char *promised;
	char promised_path[512];
	size_t promised_size;
};

struct name {
	bool used;
	int parent;		/* 0: the root, which is names[0] */
	char text[256];
	struct body *body;
};

extern struct name names[MAX_NAMES];
extern bool moving_directory;	/* an operation without order is going on */
extern char last_op[600];
extern u32 laziness;		/* percent of fsync, sync and flusher that do not happen */

void model_reset(void);
/* One random operation. True, or false with a message printed. */
bool random_op(void);
bool random_op_unchecked(void);	/* on a damaged disk: whatever it says */
bool close_all(void);
/* Compares the whole mounted tree with the model. */
bool check_tree(void);
/* Reads the promised files: all there and intact? Called on the mended disk. */
bool check_promises(void);
/* Reads every file and directory of whatever is mounted; errors are fine. */
void walk_tree(const char *path, int depth);
bool complain(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
