/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/memory.h"
#include "host/syscall.h"
#include "host/thread.h"

UFX_TLS uint32_t ufx_thread_inside;
UFX_TLS uint32_t ufx_thread_unregistered;
UFX_TLS uint32_t ufx_thread_bound;
UFX_TLS uint32_t ufx_thread_posted;
UFX_TLS uint64_t ufx_thread_deferred;
UFX_TLS uint32_t ufx_thread_hurried;
UFX_TLS uint32_t ufx_thread_driving;
UFX_TLS struct ufx_thread *ufx_thread_record;

#define CHUNK 16 /* records that are mapped at once */

/* Wiped by fork: the child has no records. */
struct records {
	struct ufx_thread *first;
	uint32_t made;
	uint32_t free; /* given back; one that is not counted is found as a dead one's */
	uint32_t claims;     /* until one looks for dead threads' records */
	struct ufx_thread *last; /* that was given back: it is free, and warm */
};

static struct records *records;
static pthread_key_t exit_key;
static bool exit_key_usable;

/*
 * Owner of a record that is never given to another by its tid: claimed in a
 * child of vfork, whose TLS is its parent's; or left with lines in use, which
 * may be queued still (a longjmp out of a handler over a wait).
 */
#define NEVER_DEAD UINT32_MAX

static void release_at_exit(void *record)
{
	struct ufx_thread *t = record;

	if (ufx_thread_record != t) /* forked meanwhile */
		return;
	ufx_thread_record = NULL;
	if (ufx_load(&t->lines_used)) {
		ufx_store(&t->claimed, NEVER_DEAD);
		return;
	}
	ufx_store_release(&t->claimed, 0);
	ufx_store(&records->last, t);
	ufx_fetch_add(&records->free, 1); /* late: nobody searches in vain */
}

/*
 * glibc clears it when the second thread is made, and never sets it again: not
 * in a fork child either, which has had one thread so far.
 */
extern char __libc_single_threaded __attribute__((weak));
static bool flag_is_stale;

static void note_fork(void)
{
	flag_is_stale = &__libc_single_threaded && !__libc_single_threaded;
}

int ufx_thread_start(void)
{
	if (ufx_pages_start())
		return -ENOMEM;
	records = ufx_pages_alloc_wiped(4096);
	if (!records)
		return -ENOMEM;
	pthread_atfork(NULL, NULL, note_fork);
	/*
	 * From the 33rd key on glibc allocates memory to set one, with the
	 * program's allocator. Then dead threads' records are found by tid.
	 */
	exit_key_usable = !pthread_key_create(&exit_key, release_at_exit) &&
			  exit_key < 32;
	return 0;
}

struct ufx_thread *ufx_thread_first(void)
{
	return ufx_load_acquire(&records->first);
}

static void push(struct ufx_thread *t)
{
	t->next = ufx_load(&records->first);
	while (!ufx_cas(&records->first, &t->next, t))
		;
}

static bool dead(const struct ufx_thread *t, uint32_t owner)
{
	return owner != NEVER_DEAD && !ufx_load(&t->lines_used) &&
	       ufx_syscall(SYS_tkill, owner, 0, 0, 0, 0, 0) == -ESRCH;
}

/* A free record, or one whose owner has died without telling. */
static struct ufx_thread *reuse(uint32_t tid, bool look_for_dead)
{
	uint32_t free = ufx_load(&records->free), nobody = 0;
	struct ufx_thread *last = ufx_load(&records->last);

	while (free && !ufx_cas(&records->free, &free, free - 1))
		;
	if (!free && !look_for_dead)
		return NULL;
	if (last && ufx_cas(&last->claimed, &nobody, tid))
		return last;
	for (struct ufx_thread *t = ufx_thread_first(); t; t = t->next) {
		uint32_t owner = ufx_load(&t->claimed);

		if ((!owner || (look_for_dead && dead(t, owner))) &&
		    ufx_cas(&t->claimed, &owner, tid))
			return t;
	}
	return NULL;
}

/* Heads first, in pages that a fork wipes; then their pools, which it does not. */
#define HEADS_SIZE ((CHUNK * sizeof(struct ufx_thread) + 4095) & ~(size_t)4095)
#define FIRSTS_SIZE ((size_t)CHUNK * UFX_LINE)
#define POOL_SIZE ((size_t)UFX_THREAD_LINES * UFX_LINE)

static struct ufx_thread *map_more(uint32_t tid)
{
	struct ufx_thread *heads = ufx_pages_alloc_wiped(HEADS_SIZE);
	char *firsts = ufx_pages_alloc(FIRSTS_SIZE + CHUNK * POOL_SIZE);

	if (!heads || !firsts) /* the rare rest is not worth giving back */
		return NULL;
	heads[0].claimed = tid;
	for (int i = 0; i < CHUNK; i++) {
		heads[i].first = firsts + i * UFX_LINE;
		heads[i].lines = firsts + FIRSTS_SIZE + i * POOL_SIZE;
		push(&heads[i]);
	}
	ufx_fetch_add(&records->made, CHUNK);
	ufx_fetch_add(&records->free, CHUNK - 1);
	return &heads[0];
}

static void reset(struct ufx_thread *t)
{
	ufx_store(&t->reader, ufx_load(&t->reader) & ~(uint64_t)0xffff); /* keeps the entries */
	ufx_store(&t->lines_used, 0);
	t->blocked = NULL;
	t->waits = 0;
	t->looked = 0;
	t->spins = t->spins_helped = 0;
	for (struct ufx_posted_page *page = &t->posted; page; page = page->next)
		ufx_store(&page->used, 0);
}

/* Once in as many claims as there are records: a look takes a call for each. */
static bool time_to_look(void)
{
	if (ufx_fetch_add(&records->claims, 1) < ufx_load(&records->made))
		return false;
	ufx_store(&records->claims, 0);
	return true;
}

struct ufx_thread *ufx_thread_self_slow(void)
{
	struct ufx_thread *before = ufx_thread_record, *t;
	uint32_t tid = (uint32_t)ufx_syscall(SYS_gettid, 0, 0, 0, 0, 0, 0);
	bool look = time_to_look();

	if (ufx_load(&ufx_thread_unregistered))
		tid = NEVER_DEAD;
	t = reuse(tid, look);
	if (!t)
		t = map_more(tid);
	if (!t)
		return NULL;
	reset(t);
	/* A handler may have claimed one meanwhile and left a wake in it. */
	if (!__atomic_compare_exchange_n(&ufx_thread_record, &before, t, false,
					 __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
		ufx_store_release(&t->claimed, 0);
		ufx_fetch_add(&records->free, 1);
		return ufx_thread_record;
	}
	if (exit_key_usable)
		pthread_setspecific(exit_key, t);
	return t;
}

void *ufx_thread_lines(struct ufx_thread *t, unsigned int n)
{
	uint32_t used = ufx_load(&t->lines_used);
	char *lines = ufx_load(&t->lines); /* once: a fork in a handler wipes it */

	if (n > UFX_THREAD_LINES - used || !lines)
		return NULL;
	/* A handler between these two gives back what it takes. */
	ufx_store(&t->lines_used, used + n);
	if (!used && n == 1)
		return t->first;
	return lines + (size_t)used * UFX_LINE;
}

void ufx_thread_lines_free(struct ufx_thread *t, unsigned int n)
{
	uint32_t used = ufx_load(&t->lines_used);

	if (used >= n) /* else: wiped by a fork in a handler */
		ufx_store(&t->lines_used, used - n);
}

unsigned int ufx_threads_count(void)
{
	struct stat st;
	int saved = errno;
	bool known = !stat("/proc/self/task", &st);

	errno = saved;
	/* A directory has a link from each subdirectory, and two more. */
	return known && st.st_nlink > 2 ? (unsigned int)st.st_nlink - 2 : 1;
}

bool ufx_threads_ever_several(void)
{
	if (&__libc_single_threaded && !__libc_single_threaded && !flag_is_stale)
		return true;
	return ufx_threads_count() > 1;
}
