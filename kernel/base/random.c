/* A splitmix generator under a lock; see random.h for what it is not. */
#include "base/random.h"
#include "base/cmdline.h"
#include "base/initcall.h"
#include "base/spinlock.h"

static DEFINE_SPINLOCK(random_lock);
static u64 random_state = 0x5354524154410001UL;

static int random_init(void)
{
	random_state ^= (u64)cmdline_long("seed", 0);
	return 0;
}
core_initcall(random_init);

u64 random_u64(void)
{
	unsigned long flags;
	u64 z;

	spin_lock_irqsave(&random_lock, flags);
	z = random_state += 0x9e3779b97f4a7c15UL;
	spin_unlock_irqrestore(&random_lock, flags);
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9UL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebUL;
	return z ^ (z >> 31);
}
