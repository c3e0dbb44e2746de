// SPDX-License-Identifier: MIT
/* Waiters on words behind which there is no memory, or no longer. */
#include "crowd.h"
#include "pages.h"
#include "subject.h"

#define MOVE FUTEX_REQUEUE_PRIVATE
#define CMP FUTEX_CMP_REQUEUE_PRIVATE

static uint32_t a, b;

static long requeue(const struct subject *s, int op, uint32_t *from, int wake,
		    long move, uint32_t *to, uint32_t val)
{
	return s->futex(from, op, (uint32_t)wake, (const struct timespec *)move,
			to, val);
}

/* A private word is an address; there need be no memory behind it. */
static void nowhere(const struct subject *s)
{
	uint32_t *none = page_none();
	struct crowd c;

	crowd_open(&c, s);
	crowd_fill(&c, &a, 2);
	crowd_also(&c, none);
	row(s, requeue(s, CMP, &a, 0, 2, none, 0), 2,
	    "CMP_REQUEUE: onto a word in PROT_NONE");
	row(s, crowd_wake_one(&c, none), 0, "... where the first is woken");
	row(s, requeue(s, MOVE, none, 0, 1, &b, 0), 1,
	    "REQUEUE: from there onto another");
	row(s, crowd_wake_one(&c, &b), 1, "... where the second is woken");
	row(s, crowd_close(&c), 0, "... and nobody is left");
}

/* The memory may go while somebody waits. */
static void gone(const struct subject *s)
{
	uint32_t *page = page_private();
	struct crowd c;

	crowd_open(&c, s);
	crowd_fill(&c, page, 2);
	munmap(page, (size_t)sysconf(_SC_PAGESIZE));
	row(s, crowd_wake_one(&c, page), 0, "WAKE: the word is unmapped by now");
	row(s, requeue(s, CMP, page, 1, 1, &b, 0), -EFAULT,
	    "CMP_REQUEUE: the word is unmapped by now");
	row(s, requeue(s, MOVE, page, 0, 1, &b, 0), 1,
	    "REQUEUE: the word is unmapped by now");
	row(s, crowd_wake_one(&c, &b), 1, "... the second is woken there");
	row(s, crowd_close(&c), 0, "... and nobody is left");
}

static void rows(const struct subject *s)
{
	const char *why = faults_unguarded(s);

	if (why) {
		row_skip(s, why, "all");
		return;
	}
	nowhere(s);
	gone(s);
}

int main(void)
{
	return subject_main(rows);
}
