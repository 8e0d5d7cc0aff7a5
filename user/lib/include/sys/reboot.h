/* Restarting and switching off. */
#ifndef _SYS_REBOOT_H
#define _SYS_REBOOT_H

#define LINUX_REBOOT_MAGIC1	0xfee1dead
#define LINUX_REBOOT_MAGIC2	672274793

#define RB_AUTOBOOT		0x01234567
#define RB_HALT_SYSTEM		0xcdef0123
#define RB_POWER_OFF		0x4321fedc

/* One of RB_*. Does not return on success; -1 with errno otherwise. Syncs nothing by itself. */
int reboot(int command);

#endif
