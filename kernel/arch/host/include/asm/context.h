/* On the host a "CPU" is a thread of the C library: there is nothing for us to save. */
#pragma once

struct arch_context {
	unsigned long sp;
};
