/* SPDX-License-Identifier: MIT */
/* A static program: no preload reaches it, the kernel answers. */
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(void)
{
	unsigned int word = 0;

	return syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1, 0, 0, 0) ? 1 : 0;
}
