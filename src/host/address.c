/* SPDX-License-Identifier: MIT */
#include <sys/mman.h>

#include "host/address.h"
#include "host/syscall.h"

#if defined(__x86_64__)
#define ADDRESS_LAST ((1ull << 47) - 4096)
#define ADDRESS_LAST_WIDE ((1ull << 56) - 4096) /* five levels of tables */
#elif defined(__riscv)
#define ADDRESS_LAST ((1ull << 38) - 4)
#define ADDRESS_LAST_WIDE ((1ull << 47) - 4) /* four levels */
#else
#define ADDRESS_LAST ((1ull << 48) - 4)
#define ADDRESS_LAST_WIDE ((1ull << 52) - 4)
#endif

uintptr_t ufx_address_last = ADDRESS_LAST;

void ufx_address_start(void)
{
	/* Mapped that high only if asked for, and only if there is such a place. */
	long hint = (long)(ADDRESS_LAST_WIDE / 2 & ~(uintptr_t)0xffff);
	long p = ufx_syscall(SYS_mmap, hint, 4096, PROT_NONE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p < 0)
		return;
	if ((uintptr_t)p > ADDRESS_LAST)
		ufx_address_last = ADDRESS_LAST_WIDE;
	ufx_syscall(SYS_munmap, p, 4096, 0, 0, 0, 0);
}
