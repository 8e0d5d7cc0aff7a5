/* What uname(2) fills in, and what it says. */
#pragma once

struct utsname {
	char sysname[65], nodename[65], release[65], version[65], machine[65], domainname[65];
};

/* glibc refuses to run where the release looks older than the Linux it was built for. */
#define UTS_RELEASE	"6.1.0-strata"
#define UTS_VERSION	"#1 SMP"
