/* Terminal settings: the kernel's structure. */
#ifndef _TERMIOS_H
#define _TERMIOS_H

#include <sys/types.h>

struct termios {
	unsigned int	c_iflag;
	unsigned int	c_oflag;
	unsigned int	c_cflag;
	unsigned int	c_lflag;
	unsigned char	c_line;
	unsigned char	c_cc[19];
};

#define ISIG		0000001
#define ICANON		0000002
#define ECHO		0000010
#define TCSANOW		0
#define TCSADRAIN	1
#define TCSAFLUSH	2

/* As in POSIX: 0, or -1 with errno. */
int tcgetattr(int fd, struct termios *tio);
int tcsetattr(int fd, int action, const struct termios *tio);

#endif
