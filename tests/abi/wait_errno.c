// SPDX-License-Identifier: MIT
/* WAIT and WAIT_BITSET that do not block: every error, and which comes first. */
#include "pages.h"
#include "subject.h"

#define ANY FUTEX_BITSET_MATCH_ANY

static uint32_t word;
static struct timespec past = { 1, 0 };

struct bad_time {
	struct timespec t;
	const char *name;
};

static const struct bad_time bad_times[] = {
	{ { 0, 1000000000 }, "tv_nsec = 10^9" },
	{ { -1, 0 }, "tv_sec < 0" },
	{ { 0, -1 }, "tv_nsec < 0" },
};

/* A pointer that no timeout can be read from. */
static const struct timespec *bad_pointer(void)
{
	return (const struct timespec *)page_unmapped();
}

static void values(const struct subject *s, int flag, const char *kind)
{
	row(s, s->futex(&word, FUTEX_WAIT | flag, 1, NULL, NULL, 0), -EAGAIN,
	    "%s WAIT: the value differs", kind);
	row(s, s->futex(&word, FUTEX_WAIT | flag, 1, SOON, NULL, 0), -EAGAIN,
	    "%s WAIT: the value differs, with timeout", kind);
	row(s, s->futex(&word, FUTEX_WAIT_BITSET | flag, 1, NULL, NULL, ANY),
	    -EAGAIN, "%s WAIT_BITSET: the value differs", kind);
	row(s, s->futex(&word, FUTEX_WAIT_BITSET | flag, 1, &past, NULL, ANY),
	    -EAGAIN, "%s WAIT_BITSET: the value differs, deadline past", kind);
	row(s, s->futex(&word, FUTEX_WAIT_BITSET | flag, 0, &past, NULL, ANY),
	    -ETIMEDOUT, "%s WAIT_BITSET: deadline past", kind);
	row(s, s->futex(&word, FUTEX_WAIT | flag, 0, &(struct timespec){ 0, 0 },
			NULL, 0),
	    -ETIMEDOUT, "%s WAIT: timeout 0", kind);
	row(s, s->futex(&word, FUTEX_WAIT | flag, 0, SOON, NULL, 0),
	    -ETIMEDOUT, "%s WAIT: timeout 1 ms", kind);
}

static void timeouts(const struct subject *s, int flag, const char *kind)
{
	size_t i;

	for (i = 0; i < sizeof(bad_times) / sizeof(bad_times[0]); i++) {
		const struct bad_time *bad = &bad_times[i];

		row(s, s->futex(&word, FUTEX_WAIT | flag, 0, &bad->t, NULL, 0),
		    -EINVAL, "%s WAIT: %s", kind, bad->name);
		row(s, s->futex(&word, FUTEX_WAIT | flag, 1, &bad->t, NULL, 0),
		    -EINVAL, "%s WAIT: %s, the value differs", kind, bad->name);
		row(s, s->futex(&word, FUTEX_WAIT_BITSET | flag, 1, &bad->t,
				NULL, ANY),
		    -EINVAL, "%s WAIT_BITSET: %s", kind, bad->name);
	}
	row(s, s->futex(&word, FUTEX_WAIT | flag, 1, bad_pointer(), NULL, 0),
	    -EFAULT, "%s WAIT: bad timeout pointer", kind);
	row(s, s->futex(&word, FUTEX_WAIT_BITSET | flag, 1, bad_pointer(), NULL,
			ANY),
	    -EFAULT, "%s WAIT_BITSET: bad timeout pointer", kind);
	row(s, s->futex(misaligned(&word, 1), FUTEX_WAIT | flag, 0,
			bad_pointer(), NULL, 0),
	    -EFAULT, "%s WAIT: bad timeout pointer before misaligned", kind);
	row(s, s->futex(misaligned(&word, 1), FUTEX_WAIT | flag, 0, SOON, NULL,
			0),
	    -EINVAL, "%s WAIT: misaligned by 1", kind);
	row(s, s->futex(misaligned(&word, 2), FUTEX_WAIT | flag, 1, NULL, NULL,
			0),
	    -EINVAL, "%s WAIT: misaligned by 2, the value differs", kind);
}

static void bitsets(const struct subject *s, int flag, const char *kind)
{
	row(s, s->futex(&word, FUTEX_WAIT_BITSET | flag, 0, SOON, NULL, 0),
	    -EINVAL, "%s WAIT_BITSET: no bits", kind);
	row(s, s->futex(&word, FUTEX_WAIT_BITSET | flag, 1, NULL, NULL, 0),
	    -EINVAL, "%s WAIT_BITSET: no bits before the value", kind);
	row(s, s->futex(page_unmapped(), FUTEX_WAIT_BITSET | flag, 1, NULL, NULL,
			0),
	    -EINVAL, "%s WAIT_BITSET: no bits before unmapped", kind);
	row(s, s->futex(&word, FUTEX_WAIT_BITSET | flag, 0, bad_pointer(), NULL,
			0),
	    -EFAULT, "%s WAIT_BITSET: bad timeout pointer before no bits", kind);
	row(s, s->futex(&word, FUTEX_WAIT | flag, 1, NULL, NULL, 0), -EAGAIN,
	    "%s WAIT: has all bits, val3 is not looked at", kind);
}

static void realtime(const struct subject *s, int flag, const char *kind)
{
	int rt = flag | FUTEX_CLOCK_REALTIME;

	row(s, s->futex(&word, FUTEX_WAIT | rt, 0, NULL, NULL, 0), -ENOSYS,
	    "%s WAIT | CLOCK_REALTIME", kind);
	row(s, s->futex(&word, FUTEX_WAIT | rt, 1, SOON, NULL, 0), -ENOSYS,
	    "%s WAIT | CLOCK_REALTIME, with timeout", kind);
	row(s, s->futex(&word, FUTEX_WAIT | rt, 1, &bad_times[0].t, NULL, 0),
	    -EINVAL, "%s WAIT | CLOCK_REALTIME: bad timeout first", kind);
	row(s, s->futex(misaligned(&word, 1), FUTEX_WAIT | rt, 1, NULL, NULL, 0),
	    -ENOSYS, "%s WAIT | CLOCK_REALTIME: before misaligned", kind);
	row(s, s->futex(&word, FUTEX_WAIT_BITSET | rt, 0, &past, NULL, ANY),
	    -ETIMEDOUT, "%s WAIT_BITSET | CLOCK_REALTIME: deadline past", kind);
	row(s, s->futex(&word, FUTEX_WAIT_BITSET | rt, 1, NULL, NULL, ANY),
	    -EAGAIN, "%s WAIT_BITSET | CLOCK_REALTIME: the value differs", kind);
}

/* The engine returns errors as values and leaves errno alone. */
static void errno_stays(const struct subject *s)
{
	if (!s->engine)
		return;
	errno = 1234;
	s->futex(&word, FUTEX_WAIT_PRIVATE, 1, NULL, NULL, 0);
	row(s, errno, 1234, "errno after EAGAIN");
	s->futex(&word, FUTEX_WAIT_PRIVATE, 0, SOON, NULL, 0);
	row(s, errno, 1234, "errno after ETIMEDOUT");
	s->futex(page_unmapped(), FUTEX_WAIT_PRIVATE, 0, SOON, NULL, 0);
	row(s, errno, 1234, "errno after EFAULT");
	s->futex(&word, FUTEX_WAIT, 1, NULL, NULL, 0);
	row(s, errno, 1234, "errno after EAGAIN of the kernel");
	s->hash(77, 0, 0, 0);
	row(s, errno, 1234, "errno after a bad operation on slots");
}

static void rows(const struct subject *s)
{
	static const struct {
		int flag;
		const char *name;
	} kinds[] = { { FUTEX_PRIVATE_FLAG, "private" }, { 0, "shared" } };
	const char *why = faults_unguarded(s);
	int i;

	if (why) {
		row_skip(s, why, "all");
		return;
	}
	errno_stays(s);
	for (i = 0; i < 2; i++) {
		values(s, kinds[i].flag, kinds[i].name);
		timeouts(s, kinds[i].flag, kinds[i].name);
		bitsets(s, kinds[i].flag, kinds[i].name);
		realtime(s, kinds[i].flag, kinds[i].name);
	}
}

int main(void)
{
	return subject_main(rows);
}
