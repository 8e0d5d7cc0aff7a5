/* Copying between descriptors inside the kernel. */
#ifndef _SYS_SENDFILE_H
#define _SYS_SENDFILE_H

#include <sys/types.h>

/* Bytes copied, or -1 with errno. With a non-NULL offset, in's position stays as it was. */
ssize_t sendfile(int out, int in, off_t *offset, size_t count);

#endif
