// SPDX-License-Identifier: MIT
/*
 * Priority inheritance: the engine hands these calls to the kernel, private or
 * not, so the same rows hold for both.
 */
#include <limits.h>
#include <sys/syscall.h>

#include "crowd.h"
#include "pages.h"
#include "subject.h"

#define TRY FUTEX_TRYLOCK_PI
#define LOCK FUTEX_LOCK_PI
#define UNLOCK FUTEX_UNLOCK_PI

static uint32_t *word;
static uint32_t tid;

static long pi(const struct subject *s, uint32_t *w, int op,
	       const struct timespec *timeout)
{
	return s->futex(w, op, 0, timeout, NULL, 0);
}

static void owner(const struct subject *s, int flag, const char *kind)
{
	*word = 0;
	row(s, pi(s, word, TRY | flag, NULL), 0, "%s TRYLOCK_PI: free", kind);
	row(s, *word, tid, "%s ... the word is the owner", kind);
	row(s, pi(s, word, TRY | flag, NULL), -EDEADLK,
	    "%s TRYLOCK_PI by the owner", kind);
	row(s, pi(s, word, LOCK | flag, NULL), -EDEADLK,
	    "%s LOCK_PI by the owner", kind);
	row(s, pi(s, word, UNLOCK | flag, NULL), 0, "%s UNLOCK_PI", kind);
	row(s, *word, 0, "%s ... the word is free", kind);
	row(s, pi(s, word, LOCK | flag, NULL), 0, "%s LOCK_PI: free", kind);
	row(s, *word, tid, "%s ... the word is the owner", kind);
	row(s, pi(s, word, UNLOCK | flag, NULL), 0, "%s UNLOCK_PI", kind);
	row(s, pi(s, word, FUTEX_LOCK_PI2 | FUTEX_CLOCK_REALTIME | flag, NULL),
	    0, "%s LOCK_PI2 | CLOCK_REALTIME: free", kind);
	row(s, pi(s, word, UNLOCK | flag, NULL), 0, "%s UNLOCK_PI", kind);
}

static void strangers(const struct subject *s, int flag, const char *kind)
{
	const uint32_t unknown = 0x3ffffff0;

	*word = unknown;
	row(s, pi(s, word, LOCK | flag, NULL), -ESRCH,
	    "%s LOCK_PI: unknown owner", kind);
	row(s, *word, FUTEX_WAITERS | unknown, "%s ... the word is marked",
	    kind);
	*word = (uint32_t)getppid();
	if (!kernel_at_least(6, 18))
		row_skip(s, "depends on the kernel's version",
			 "%s TRYLOCK_PI: owned by another process", kind);
	else
		row(s, pi(s, word, TRY | flag, NULL), flag ? -EPERM : -EAGAIN,
		    "%s TRYLOCK_PI: owned by another process", kind);
	*word = 0;
	row(s, pi(s, word, UNLOCK | flag, NULL), -EPERM,
	    "%s UNLOCK_PI: not the owner", kind);
}

/* Is process 2 the kernel's own, as it is outside of containers? */
static bool sees_kernel_threads(void)
{
	char name[32] = "";
	FILE *f = fopen("/proc/2/comm", "r");

	if (!f)
		return false;
	if (!fgets(name, sizeof(name), f))
		name[0] = '\0';
	fclose(f);
	return !strcmp(name, "kthreadd\n");
}

static void kernel_thread(const struct subject *s, int flag, const char *kind)
{
	if (!sees_kernel_threads()) {
		row_skip(s, "no kernel threads to be seen here",
			 "%s LOCK_PI: owned by a kernel thread", kind);
		return;
	}
	*word = 2;
	row(s, pi(s, word, LOCK | flag, NULL), -EPERM,
	    "%s LOCK_PI: owned by a kernel thread", kind);
	row(s, *word, FUTEX_WAITERS | 2, "%s ... the word is marked", kind);
	*word = 0;
}

static void places(const struct subject *s, int flag, const char *kind)
{
	struct timespec bad = { 0, 1000000000 };
	uint32_t *odd = misaligned(word, 2);

	*word = 0;
	row(s, pi(s, word, LOCK | flag, &bad), -EINVAL, "%s LOCK_PI: timeout",
	    kind);
	row(s, pi(s, odd, LOCK | flag, NULL), -EINVAL, "%s LOCK_PI: misaligned",
	    kind);
	row(s, pi(s, odd, UNLOCK | flag, NULL), -EPERM,
	    "%s UNLOCK_PI: not the owner before misaligned", kind);
	row(s, pi(s, page_readonly(), LOCK | flag, NULL), -EFAULT,
	    "%s LOCK_PI: read-only", kind);
	row(s, pi(s, page_unmapped(), UNLOCK | flag, NULL), -EFAULT,
	    "%s UNLOCK_PI: unmapped", kind);
	row(s, pi(s, page_unmapped(), LOCK | flag, NULL), -EFAULT,
	    "%s LOCK_PI: unmapped", kind);
}

static void requeue(const struct subject *s, int flag, const char *kind)
{
	uint32_t *other = word + 1;
	const struct timespec *one = (const struct timespec *)1;

	*word = *other = 0;
	row(s, s->futex(word, FUTEX_WAIT_REQUEUE_PI | flag, 0, NULL, word, 0),
	    -EINVAL, "%s WAIT_REQUEUE_PI: one word", kind);
	row(s, s->futex(word, FUTEX_WAIT_REQUEUE_PI | flag, 1, NULL, other, 0),
	    -EAGAIN, "%s WAIT_REQUEUE_PI: the value differs", kind);
	row(s, s->futex(word, FUTEX_CMP_REQUEUE_PI | flag, 2, one, other, 0),
	    -EINVAL, "%s CMP_REQUEUE_PI: nr_wake 2", kind);
	row(s, s->futex(word, FUTEX_CMP_REQUEUE_PI | flag, 0, one, other, 0),
	    -EINVAL, "%s CMP_REQUEUE_PI: nr_wake 0", kind);
	row(s, s->futex(word, FUTEX_CMP_REQUEUE_PI | flag, 1, one, word, 0),
	    -EINVAL, "%s CMP_REQUEUE_PI: one word", kind);
	row(s, s->futex(word, FUTEX_CMP_REQUEUE_PI | flag, 1, one, other, 0), 0,
	    "%s CMP_REQUEUE_PI: nobody waits", kind);
}

struct lock_args {
	const struct subject *s;
	int flag;
	bool requeue;
};

/* Locks, by way of another word if so asked, and unlocks. */
static long lock_and_unlock(void *arg)
{
	struct lock_args *l = arg;
	long result;

	if (l->requeue)
		result = l->s->futex(word + 1,
				     FUTEX_WAIT_REQUEUE_PI | l->flag, 0, NULL,
				     word, 0);
	else
		result = pi(l->s, word, LOCK | l->flag, NULL);
	return result ? result : pi(l->s, word, UNLOCK | l->flag, NULL);
}

/* A waiter gets the lock from us. */
static void contended(const struct subject *s, int flag, const char *kind)
{
	struct lock_args l = { s, flag, false };
	struct blocked b;

	*word = 0;
	pi(s, word, LOCK | flag, NULL);
	blocked_start(&b, lock_and_unlock, &l, NULL);
	ok(blocked_wait(&b), "%s: %s LOCK_PI sleeps", s->name, kind);
	row(s, *word, FUTEX_WAITERS | tid, "%s ... the word is marked", kind);
	/* The engine does not see the kernel's waiters on a private word. */
	row(s, s->futex(word, FUTEX_WAKE | flag, 1, NULL, NULL, 0),
	    s->engine && flag ? 0 : -EINVAL, "%s WAKE on a PI lock", kind);
	row(s, s->futex(word, FUTEX_REQUEUE | flag, 1, (void *)1, word + 1, 0),
	    s->engine && flag ? 0 : -EINVAL, "%s REQUEUE of a PI lock", kind);
	row(s, pi(s, word, UNLOCK | flag, NULL), 0, "%s UNLOCK_PI", kind);
	row(s, blocked_join(&b), 0, "%s ... the other locks and unlocks", kind);
	row(s, *word, 0, "%s ... the word is free", kind);
}

static void moved(const struct subject *s, int flag, const char *kind)
{
	struct lock_args l = { s, flag, true };
	struct blocked b;

	word[0] = word[1] = 0;
	blocked_start(&b, lock_and_unlock, &l, NULL);
	if (ok(blocked_wait(&b), "%s: %s WAIT_REQUEUE_PI sleeps", s->name,
	       kind))
		row(s, s->futex(word + 1, FUTEX_CMP_REQUEUE_PI | flag, 1,
				(const struct timespec *)1, word, 0),
		    1, "%s CMP_REQUEUE_PI gives it the lock", kind);
	row(s, blocked_join(&b), 0, "%s ... it locks and unlocks", kind);
}

/* A word cannot be a plain futex and a lock. */
static void plain_waiter(const struct subject *s, int flag, const char *kind)
{
	struct crowd c;

	if (s->engine && flag) {
		row_skip(s, "the kernel does not see the engine's waiters",
			 "%s LOCK_PI on a word with a plain waiter", kind);
		return;
	}
	*word = tid + 1;
	crowd_open(&c, s);
	crowd_add(&c, word, FUTEX_WAIT | flag, 0);
	row(s, pi(s, word, LOCK | flag, NULL), -EINVAL,
	    "%s LOCK_PI on a word with a plain waiter", kind);
	row(s, crowd_close(&c), 1, "... which is left");
}

static void rows(const struct subject *s)
{
	static const struct {
		int flag;
		const char *name;
	} kinds[] = { { FUTEX_PRIVATE_FLAG, "private" }, { 0, "shared" } };
	int i;

	tid = (uint32_t)syscall(SYS_gettid);
	word = page_private();
	if (pi(&subject_kernel, word, UNLOCK, NULL) == -ENOSYS) {
		row_skip(s, "this kernel has no PI futexes", "all");
		return;
	}
	for (i = 0; i < 2; i++) {
		owner(s, kinds[i].flag, kinds[i].name);
		strangers(s, kinds[i].flag, kinds[i].name);
		kernel_thread(s, kinds[i].flag, kinds[i].name);
		places(s, kinds[i].flag, kinds[i].name);
		requeue(s, kinds[i].flag, kinds[i].name);
		contended(s, kinds[i].flag, kinds[i].name);
		moved(s, kinds[i].flag, kinds[i].name);
		plain_waiter(s, kinds[i].flag, kinds[i].name);
	}
}

int main(void)
{
	return subject_main(rows);
}
