// SPDX-License-Identifier: MIT
/* A guest whose memory is this program's: what the rows of folder abi are put to. */
#include "subject.h"

#include <ufutex/domain.h>
#include <ufutex/guest.h>

#include "host/address.h"
#include "host/guard.h"

static int load(void *space, uint64_t at, uint32_t *value, bool locked)
{
	(void)space;
	(void)locked;
	return ufx_guarded_load((const uint32_t *)at, value);
}

static int cas(void *space, uint64_t at, uint32_t *expected, uint32_t desired, bool locked)
{
	(void)space;
	(void)locked;
	return ufx_guarded_cas((uint32_t *)at, expected, desired);
}

static int read_number(void *space, uint64_t at, uint32_t size, uint64_t *value)
{
	uint32_t half;
	int ret;

	(void)space;
	if (size == 8)
		return ufx_guarded_copy(value, (const void *)at, 8);
	ret = ufx_guarded_copy(&half, (const void *)at, 4);
	*value = ret ? 0 : half;
	return ret;
}

/* What the mapping at @at allows, as "rw-s"; false: nothing is there. */
static bool mapping(uint64_t at, char *allows)
{
	FILE *maps = fopen("/proc/self/maps", "r");
	unsigned long from = 0, to = 0;
	bool found = false;
	char line[600];

	while (maps && !found && fgets(line, sizeof(line), maps))
		found = sscanf(line, "%lx-%lx %4s", &from, &to, allows) == 3 && at >= from &&
			at < to;
	if (maps)
		fclose(maps);
	return found;
}

/* As Linux has it: memory of its own must be writable, though nobody writes. */
static int shared_key(void *space, uint64_t at, bool write, uint64_t *key)
{
	char allows[5];
	uint32_t value;

	if (!mapping(at, allows) || load(space, at, &value, false))
		return -EFAULT;
	*key = ~at; /* no address */
	if (allows[3] == 's')
		return write && allows[1] != 'w' ? -EFAULT : 1;
	return allows[1] == 'w' ? 0 : -EFAULT;
}

static const struct ufx_guest_ops ops = { .load = load, .cas = cas, .read = read_number,
					  .shared_key = shared_key };
static struct ufx_guest guest = { .ops = &ops };

__attribute__((constructor)) static void make_guest(void)
{
	if (ufx_domain_create(&guest.domain, NULL))
		bail("no domain");
	ufx_faults_guard();
	guest.size = ufx_address_last + 4;
}

static long futex(uint32_t *uaddr, int op, uint32_t val, const struct timespec *timeout,
		  uint32_t *uaddr2, uint32_t val3)
{
	struct ufx_guest_thread t = { .guest = &guest };

	return ufx_guest_futex(&t, (uintptr_t)uaddr, op, val, (uintptr_t)timeout,
			       (uintptr_t)uaddr2, val3);
}

static long waitv(struct ufx_waitv_entry *waiters, unsigned int nr, unsigned int flags,
		  struct timespec *timeout, clockid_t clock)
{
	struct ufx_guest_thread t = { .guest = &guest };

	return ufx_guest_waitv(&t, (uintptr_t)waiters, nr, flags, (uintptr_t)timeout,
			       clock);
}

/* Guests have no futex_wait; this is enough for its deadlines. */
static long wait2(void *uaddr, unsigned long val, unsigned long mask, unsigned int flags,
		 struct timespec *timeout, clockid_t clock)
{
	int op = FUTEX_WAIT_BITSET_PRIVATE;

	(void)flags;
	if (clock == CLOCK_REALTIME)
		op |= FUTEX_CLOCK_REALTIME;
	return futex(uaddr, op, (uint32_t)val, timeout, NULL, (uint32_t)mask);
}

static long no_hash(unsigned long op, unsigned long arg3, unsigned long arg4,
		    unsigned long arg5)
{
	(void)op;
	(void)arg3;
	(void)arg4;
	(void)arg5;
	return -EINVAL;
}

const struct subject subject_other = {
	.name = "guest",
	.engine = true,
	.mixes = true,
	.futex = futex,
	.waitv = waitv,
	.wait = wait2,
	.hash = no_hash,
};
