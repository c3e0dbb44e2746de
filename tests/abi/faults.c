// SPDX-License-Identifier: MIT
/* Words in places where there is nothing to read or write. */
#include "pages.h"
#include "subject.h"

static uint32_t word;

struct place {
	const char *name;
	uint32_t *at;
	bool kernel; /* beyond user space: refused even where not touched */
};

static struct place places[6];

static void find_places(void)
{
	places[0] = (struct place){ "NULL", NULL, false };
	places[1] = (struct place){ "unmapped", page_unmapped(), false };
	places[2] = (struct place){ "PROT_NONE", page_none(), false };
	places[3] = (struct place){ "kernel address", page_kernel(), true };
	places[4] = (struct place){ "last word of memory",
				    (uint32_t *)-4L, true };
	places[5] = (struct place){ "beyond the end of a file",
				    page_beyond_file(), false };
}

/* Operations that read the word fail; those that do not, do not care. */
static void one_word(const struct subject *s, const struct place *p, int flag,
		     const char *kind)
{
	long untouched = flag && !p->kernel ? 0 : -EFAULT;

	row(s, s->futex(p->at, FUTEX_WAIT | flag, 0, SOON, NULL, 0), -EFAULT,
	    "%s WAIT: %s", kind, p->name);
	row(s, s->futex(p->at, FUTEX_WAIT_BITSET | flag, 0, NULL, NULL, 1),
	    -EFAULT, "%s WAIT_BITSET: %s", kind, p->name);
	row(s, s->futex(p->at, FUTEX_WAKE | flag, 1, NULL, NULL, 0), untouched,
	    "%s WAKE: %s", kind, p->name);
	row(s, s->futex(p->at, FUTEX_WAKE_BITSET | flag, 1, NULL, NULL, 1),
	    untouched, "%s WAKE_BITSET: %s", kind, p->name);
	row(s, s->futex(misaligned(p->at, 1), FUTEX_WAIT | flag, 0, SOON, NULL,
			0),
	    -EINVAL, "%s WAIT: misaligned before %s", kind, p->name);
	row(s, s->futex(misaligned(p->at, 2), FUTEX_WAKE | flag, 1, NULL, NULL,
			0),
	    -EINVAL, "%s WAKE: misaligned before %s", kind, p->name);
}

static void two_words(const struct subject *s, const struct place *p, int flag,
		      const char *kind)
{
	const struct timespec *one = (const struct timespec *)1;
	long untouched = flag && !p->kernel ? 0 : -EFAULT;

	row(s, s->futex(p->at, FUTEX_CMP_REQUEUE | flag, 1, one, &word, 0),
	    -EFAULT, "%s CMP_REQUEUE: uaddr %s", kind, p->name);
	row(s, s->futex(&word, FUTEX_CMP_REQUEUE | flag, 1, one, p->at, 0),
	    untouched, "%s CMP_REQUEUE: uaddr2 %s", kind, p->name);
	row(s, s->futex(p->at, FUTEX_REQUEUE | flag, 1, one, &word, 0),
	    untouched, "%s REQUEUE: uaddr %s", kind, p->name);
	row(s, s->futex(&word, FUTEX_REQUEUE | flag, 1, one, p->at, 0),
	    untouched, "%s REQUEUE: uaddr2 %s", kind, p->name);
	row(s, s->futex(p->at, FUTEX_WAKE_OP | flag, 1, one, &word, 0),
	    untouched, "%s WAKE_OP: uaddr %s", kind, p->name);
	row(s, s->futex(&word, FUTEX_WAKE_OP | flag, 1, one, p->at, 0), -EFAULT,
	    "%s WAKE_OP: uaddr2 %s", kind, p->name);
}

static void two_misaligned(const struct subject *s, int flag, const char *kind)
{
	static const int ops[] = { FUTEX_REQUEUE, FUTEX_CMP_REQUEUE,
				   FUTEX_WAKE_OP };
	static const char *const names[] = { "REQUEUE", "CMP_REQUEUE",
					     "WAKE_OP" };
	const struct timespec *one = (const struct timespec *)1;
	uint32_t *odd = misaligned(&word, 2);
	int i;

	for (i = 0; i < 3; i++) {
		row(s, s->futex(odd, ops[i] | flag, 1, one, &word, 0), -EINVAL,
		    "%s %s: uaddr misaligned", kind, names[i]);
		row(s, s->futex(&word, ops[i] | flag, 1, one, odd, 0), -EINVAL,
		    "%s %s: uaddr2 misaligned", kind, names[i]);
	}
	row(s, s->futex(odd, FUTEX_WAKE_BITSET | flag, 1, NULL, NULL, 1),
	    -EINVAL, "%s WAKE_BITSET: misaligned", kind);
	row(s, s->futex(odd, FUTEX_WAKE_BITSET | flag, 1, NULL, NULL, 0),
	    -EINVAL, "%s WAKE_BITSET: misaligned, no bits", kind);
}

static void readonly(const struct subject *s, int flag, const char *kind)
{
	uint32_t *anonymous = page_readonly(), *file = page_readonly_file();
	const struct timespec *one = (const struct timespec *)1;

	row(s, s->futex(anonymous, FUTEX_WAIT | flag, 0, SOON, NULL, 0),
	    flag ? -ETIMEDOUT : -EFAULT, "%s WAIT: read-only anonymous", kind);
	row(s, s->futex(anonymous, FUTEX_WAIT | flag, 1, NULL, NULL, 0),
	    flag ? -EAGAIN : -EFAULT,
	    "%s WAIT: read-only anonymous, the value differs", kind);
	row(s, s->futex(file, FUTEX_WAIT | flag, 0, SOON, NULL, 0), -ETIMEDOUT,
	    "%s WAIT: read-only file", kind);
	row(s, s->futex(file, FUTEX_WAKE | flag, 1, NULL, NULL, 0), 0,
	    "%s WAKE: read-only file", kind);
	row(s, s->futex(&word, FUTEX_WAKE_OP | flag, 1, one, anonymous, 0),
	    -EFAULT, "%s WAKE_OP: uaddr2 read-only anonymous", kind);
	row(s, s->futex(&word, FUTEX_WAKE_OP | flag, 1, one, file, 0), -EFAULT,
	    "%s WAKE_OP: uaddr2 read-only file", kind);
	row(s, s->futex(file, FUTEX_CMP_REQUEUE | flag, 1, one, &word, 0), 0,
	    "%s CMP_REQUEUE: uaddr read-only file", kind);
}

/* Nothing behind the word is touched. */
static void last_word(const struct subject *s, int flag, const char *kind)
{
	const struct timespec *one = (const struct timespec *)1;
	uint32_t *last = page_last_word();

	row(s, s->futex(last, FUTEX_WAIT | flag, 1, NULL, NULL, 0), -EAGAIN,
	    "%s WAIT: last word of a page, the value differs", kind);
	row(s, s->futex(last, FUTEX_WAIT | flag, 0, SOON, NULL, 0), -ETIMEDOUT,
	    "%s WAIT: last word of a page", kind);
	row(s, s->futex(last, FUTEX_WAKE_OP | flag, 1, one, last,
			FUTEX_OP(FUTEX_OP_ADD, 3, FUTEX_OP_CMP_EQ, 0)),
	    0, "%s WAKE_OP: last word of a page", kind);
	row(s, *last, 3, "%s ... the word after it", kind);
}

static void rows(const struct subject *s)
{
	static const struct {
		int flag;
		const char *name;
	} kinds[] = { { FUTEX_PRIVATE_FLAG, "private" }, { 0, "shared" } };
	const char *why = faults_unguarded(s);
	size_t i, k;

	if (why) {
		row_skip(s, why, "all");
		return;
	}
	find_places();
	for (k = 0; k < 2; k++) {
		for (i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
			one_word(s, &places[i], kinds[k].flag, kinds[k].name);
			two_words(s, &places[i], kinds[k].flag, kinds[k].name);
		}
		two_misaligned(s, kinds[k].flag, kinds[k].name);
		readonly(s, kinds[k].flag, kinds[k].name);
		last_word(s, kinds[k].flag, kinds[k].name);
	}
}

int main(void)
{
	return subject_main(rows);
}
