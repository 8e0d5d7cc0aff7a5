/* CRC-32 as in Ethernet, zip and ext (polynomial 0xedb88320, reflected). */
#pragma once

#include "lib/types.h"

/* Continue @crc over @len bytes; start from 0. crc32(0, "123456789", 9) == 0xcbf43926. */
u32 crc32(u32 crc, const void *data, size_t len);
