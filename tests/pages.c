// SPDX-License-Identifier: MIT
/* Pages of memory of every kind that a futex word may be in: see pages.h. */
#include "pages.h"

#include "tap.h"

static uint32_t *map(int protection, int flags, int fd)
{
	void *page = mmap(NULL, (size_t)sysconf(_SC_PAGESIZE), protection, flags,
			  fd, 0);

	if (page == MAP_FAILED)
		bail("mmap: %s", strerror(errno));
	return page;
}

uint32_t *page_private(void)
{
	uint32_t *page = map(PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1);

	*(volatile uint32_t *)page = 0;
	return page;
}

uint32_t *page_shared(void)
{
	uint32_t *page = map(PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			     -1);

	*(volatile uint32_t *)page = 0;
	return page;
}

uint32_t *page_none(void)
{
	return map(PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
}

uint32_t *page_readonly(void)
{
	uint32_t *page = page_private();

	if (mprotect(page, (size_t)sysconf(_SC_PAGESIZE), PROT_READ))
		bail("mprotect: %s", strerror(errno));
	return page;
}

static uint32_t *file(int protection, off_t size)
{
	int fd = memfd_create("page", MFD_CLOEXEC);
	uint32_t *page;

	if (fd < 0 || ftruncate(fd, size))
		bail("memfd: %s", strerror(errno));
	page = map(protection, MAP_SHARED, fd);
	close(fd);
	return page;
}

uint32_t *page_readonly_file(void)
{
	return file(PROT_READ, sysconf(_SC_PAGESIZE));
}

uint32_t *page_beyond_file(void)
{
	return file(PROT_READ | PROT_WRITE, 0);
}

uint32_t *page_last_word(void)
{
	size_t size = (size_t)sysconf(_SC_PAGESIZE);
	char *two = mmap(NULL, 2 * size, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (two == MAP_FAILED || mprotect(two + size, size, PROT_NONE))
		bail("two pages: %s", strerror(errno));
	return (uint32_t *)(void *)(two + size) - 1;
}

uint32_t *page_unmapped(void)
{
	/* So low that mmap hands it out to nobody. */
	return (uint32_t *)0x1000;
}

uint32_t *page_kernel(void)
{
	return (uint32_t *)-4096L;
}

uint32_t *misaligned(uint32_t *word, int bytes)
{
	return (uint32_t *)((uintptr_t)word + (uintptr_t)bytes);
}
