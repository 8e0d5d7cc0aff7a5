/* Memory and load in one call. */
#ifndef _SYS_SYSINFO_H
#define _SYS_SYSINFO_H

struct sysinfo {
	long		uptime;		/* seconds */
	unsigned long	loads[3];
	unsigned long	totalram;	/* this and the next, in units of mem_unit bytes */
	unsigned long	freeram;
	unsigned long	sharedram;
	unsigned long	bufferram;
	unsigned long	totalswap;
	unsigned long	freeswap;
	unsigned short	procs;
	unsigned short	pad;
	unsigned long	totalhigh;
	unsigned long	freehigh;
	unsigned int	mem_unit;
};

/* 0, or -1 with errno. */
int sysinfo(struct sysinfo *info);

#endif
