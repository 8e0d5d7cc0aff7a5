/* POSIX keeps these two apart; here they live in string.h. */
#include <string.h>
