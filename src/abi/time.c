/* SPDX-License-Identifier: MIT */
#include "abi/served.h"
#include "host/clock.h"

#define NSEC_A_SEC 1000000000L
/* Later than any clock will show, early enough for the kernel to add to. */
#define END_OF_TIME ((time_t)1 << 33)

int ufx_timespec_get(struct timespec *to, const struct timespec *from)
{
	if (ufx_guarded_copy(to, from, sizeof(*to)))
		return -EFAULT;
	if (to->tv_sec < 0 || to->tv_nsec < 0 || to->tv_nsec >= NSEC_A_SEC)
		return -EINVAL;
	return 0;
}

struct ufx_deadline ufx_deadline_after(const struct timespec *relative)
{
	struct ufx_deadline deadline = { .clock = CLOCK_MONOTONIC };

	ufx_clock(CLOCK_MONOTONIC, &deadline.at);
	if (relative->tv_sec >= END_OF_TIME) {
		deadline.at.tv_sec = END_OF_TIME;
		return deadline;
	}
	deadline.at.tv_sec += relative->tv_sec;
	deadline.at.tv_nsec += relative->tv_nsec;
	if (deadline.at.tv_nsec >= NSEC_A_SEC) {
		deadline.at.tv_nsec -= NSEC_A_SEC;
		deadline.at.tv_sec++;
	}
	return deadline;
}
