// SPDX-License-Identifier: MIT
/*
 * Robust lists stay the kernel's alone: their calls do not go through the
 * engine. What they do to shared words is seen by waits that do.
 */
#include <limits.h>
#include <sys/syscall.h>

#include "pages.h"
#include "subject.h"

/* The calls themselves; once, they are nobody else's. */
static void calls(void)
{
	struct robust_list_head *head = NULL, *before = NULL;
	size_t size = 0;

	syscall(SYS_get_robust_list, 0, &before, &size);
	ok(size == sizeof(*head), "get_robust_list: the size of a head");
	ok(syscall(SYS_set_robust_list, before, sizeof(*head) - 1) == -1 &&
		   errno == EINVAL,
	   "set_robust_list: wrong size");
	ok(syscall(SYS_set_robust_list, (void *)8, sizeof(*head)) == 0,
	   "set_robust_list: a bad pointer is taken");
	syscall(SYS_get_robust_list, 0, &head, &size);
	ok(head == (void *)8, "... and given back");
	syscall(SYS_set_robust_list, before, sizeof(*head));
	ok(syscall(SYS_get_robust_list, 0x3ffffff0, &head, &size) == -1 &&
		   errno == ESRCH,
	   "get_robust_list: unknown process");
	ok(syscall(SYS_get_robust_list, 0, (void *)page_unmapped(), &size) ==
				   -1 &&
		   errno == EFAULT,
	   "get_robust_list: bad pointer");
}

struct lock {
	struct robust_list list;
	uint32_t word;
};

static struct lock held; /* the list's offset is that of the word */

/* Dies as the owner of a lock that somebody waits for. */
static void *die(void *arg)
{
	static struct robust_list_head head;

	(void)arg;
	__atomic_store_n(&held.word,
			 (uint32_t)syscall(SYS_gettid) | FUTEX_WAITERS,
			 __ATOMIC_RELEASE);
	held.list.next = &head.list;
	head.list.next = &held.list;
	head.futex_offset = (long)offsetof(struct lock, word);
	head.list_op_pending = NULL;
	syscall(SYS_set_robust_list, &head, sizeof(head));
	return NULL;
}

/* The wait may come too late to sleep: then the word has changed already. */
static void owner_died(const struct subject *s)
{
	pthread_t thread;
	uint32_t seen;
	long result = 0;

	held.word = 0;
	pthread_create(&thread, NULL, die, NULL);
	for (;;) {
		seen = __atomic_load_n(&held.word, __ATOMIC_ACQUIRE);
		if (seen & FUTEX_OWNER_DIED)
			break;
		result = s->futex(&held.word, FUTEX_WAIT, seen, SOON, NULL, 0);
		if (result && result != -EAGAIN && result != -ETIMEDOUT)
			break;
	}
	pthread_join(thread, NULL);
	row(s, held.word, FUTEX_OWNER_DIED | FUTEX_WAITERS,
	    "shared WAIT for a lock whose owner dies: last result %ld", result);
}

static void rows(const struct subject *s)
{
	owner_died(s);
}

int main(void)
{
	struct robust_list_head *head;
	size_t size;

	if (syscall(SYS_get_robust_list, 0, &head, &size) && errno == ENOSYS)
		return subject_main_unless("no robust lists here", rows);
	calls();
	return subject_main(rows);
}
