/* The open flags in which machines differ: ARM64 keeps those of 32-bit ARM. */
#pragma once

#define O_DIRECTORY	00040000
#define O_NOFOLLOW	00100000
#define O_DIRECT	00200000
#define O_LARGEFILE	00400000
