/* The open flags in which machines differ: RISC-V has the generic values. */
#pragma once

#define O_DIRECT	00040000
#define O_LARGEFILE	00100000
#define O_DIRECTORY	00200000
#define O_NOFOLLOW	00400000
