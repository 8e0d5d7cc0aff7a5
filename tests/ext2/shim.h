#pragma once
#include "fs/vfs.h"

#define MAX_FLIGHT 24

struct disk {
	struct block_device bdev;
	char *image;
	u32 blocks;
	struct {
		struct bio *bio;
		char *data;		/* as it was when the write began */
	} flight[MAX_FLIGHT];
	unsigned int nr_flight;
	unsigned long writes;
	unsigned long fail_in;		/* so many requests from now, one fails; 0: none */
	bool damaged;
	void (*crash_hook)(void);	/* called after each write was started */
};
extern struct disk disk;
extern bool verbose;
extern char last_log[256];
extern u64 random_state;
extern unsigned long nr_pages_free;
extern long nr_objects;

u32 rnd(u32 n);			/* 0..n-1 */
void disk_insert(const void *image, u32 blocks);
void disk_crash(char *image);
void disk_fresh(void);		/* forgets an earlier disk: for children */
void disk_idle(void);
void disk_forget(void);		/* drops clean metadata pages */
unsigned long meta_pages(void);
int mount(bool read_only);
void umount(void);
bool try_umount(void);
