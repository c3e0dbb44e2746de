// SPDX-License-Identifier: MIT
/*
 * Records of threads and their lines: used again when a thread has ended,
 * given back in reverse order, one's own in a child of fork.
 */
#include "host/thread.h"

#include <ufutex/futex.h>

#include "blocked.h"
#include "futex/wake.h"
#include "hammer.h"

static void lines(void)
{
	struct ufx_thread *t = ufx_thread_self();
	char *a, *b, *c;

	ok(t && t == ufx_thread_self(), "a record, the same each time");
	a = ufx_thread_lines(t, 2);
	b = ufx_thread_lines(t, 130);
	ok(a && b == a + 2 * UFX_LINE, "lines follow each other");
	ok(((uintptr_t)a & (UFX_LINE - 1)) == 0, "and are aligned");
	ok(!ufx_thread_lines(t, UFX_THREAD_LINES), "no more than there are");
	ufx_thread_lines_free(t, 130);
	c = ufx_thread_lines(t, 1);
	ok(c == b, "what was given back is used again");
	ufx_thread_lines_free(t, 1);
	ufx_thread_lines_free(t, 2);
	c = ufx_thread_lines(t, UFX_THREAD_LINES);
	ok(c == a, "all of them");
	memset(c, 0xff, (size_t)UFX_THREAD_LINES * UFX_LINE);
	ufx_thread_lines_free(t, UFX_THREAD_LINES);
	memset(c, 0, (size_t)UFX_THREAD_LINES * UFX_LINE);
}

static long my_record(void *arg)
{
	(void)arg;
	return (long)(uintptr_t)ufx_thread_self();
}

static int count(void)
{
	struct ufx_thread *t;
	int n = 0;

	for (t = ufx_thread_first(); t; t = t->next)
		n++;
	return n;
}

static void used_again(void)
{
	struct blocked b;
	int i, before;
	long first;

	blocked_start(&b, my_record, NULL, NULL);
	first = blocked_join(&b);
	ok((void *)first != ufx_thread_self(), "another thread has another one");
	before = count();
	for (i = 0; i < 200; i++) {
		blocked_start(&b, my_record, NULL, NULL);
		blocked_join(&b);
	}
	is_int(count(), before, "200 threads after each other need no more");
}

/* ---- as a key's destructor, after the library's own ---- */

static pthread_key_t key;
static struct ufx_thread *late[4];

static void use_late(void *round)
{
	int i = (int)(intptr_t)round;

	late[i] = ufx_thread_self();
	if (i < 3)
		pthread_setspecific(key, (void *)(intptr_t)(i + 1));
}

static long leave_key(void *arg)
{
	(void)arg;
	ufx_thread_self();
	pthread_setspecific(key, (void *)1);
	return 0;
}

static void destructors(void)
{
	struct blocked b;

	pthread_key_create(&key, use_late);
	blocked_start(&b, leave_key, NULL, NULL);
	blocked_join(&b);
	ok(late[1] && late[2] && late[3], "destructors of a thread may use it");
}

/* ---- posts of a thread that ended amid a section ---- */

static uint32_t posts_of(const struct ufx_thread *t)
{
	uint32_t n = 0;

	for (const struct ufx_posted_page *p = &t->posted; p; p = p->next)
		n += p->used;
	return n;
}

static long leave_posts(void *left)
{
	struct ufx_thread *t = ufx_thread_self();

	ufx_enter_inside();
	for (uintptr_t i = 0; i < UFX_POSTED_MAX + 3; i++)
		ufx_post(ufx_domain_default(), 4096 + 8 * i, 1, UINT32_MAX);
	*(uint32_t *)left = posts_of(t);
	return (long)(uintptr_t)t;
}

static long find_posts(void *found)
{
	struct ufx_thread *t = ufx_thread_self();

	*(uint32_t *)found = posts_of(t);
	return (long)(uintptr_t)t;
}

static void posts_left(void)
{
	uint32_t left = 0, found = 0;
	struct blocked b;
	long before;

	blocked_start(&b, leave_posts, &left, NULL);
	before = blocked_join(&b);
	blocked_start(&b, find_posts, &found, NULL);
	ok(before == blocked_join(&b), "the next thread has the same record");
	is_int(left, UFX_POSTED_MAX + 3, "more posts than a page holds were left");
	is_int(found, 0, "it does not inherit them");
}

static void forked(void)
{
	struct ufx_thread *t = ufx_thread_self();
	pid_t pid;

	ufx_thread_lines(t, 5);
	pid = tap_fork();
	if (pid == 0) {
		is_int(t->claimed, 0, "in a child the record is nobody's");
		ok(ufx_thread_self() != t, "it takes one of its own");
		is_int(ufx_thread_self()->lines_used, 0, "no line is used");
		_exit(0);
	}
	tap_reap(pid, "fork");
	is_int(t->lines_used, 5, "the parent's is untouched");
	ufx_thread_lines_free(t, 5);
}

static long threads_now(void *arg)
{
	(void)arg;
	return ufx_threads_count();
}

/* An emulator has threads of its own. */
static void counted(void)
{
	unsigned int alone = ufx_threads_count();
	struct blocked b;

	ok(alone >= 1, "%u threads at first", alone);
	if (alone == 1)
		ok(!ufx_threads_ever_several(), "there has never been another");
	blocked_start(&b, threads_now, NULL, NULL);
	is_int(blocked_join(&b), alone + 1, "another one is counted");
}

extern char __libc_single_threaded __attribute__((weak));

int main(void)
{
	counted();
	ufx_futex(&(uint32_t){ 0 }, UFX_FUTEX_WAKE | UFX_FUTEX_PRIVATE, 1, NULL,
		  NULL, 0);
	lines();
	used_again();
	destructors();
	posts_left();
	forked();
	if (&__libc_single_threaded)
		ok(ufx_threads_ever_several(), "there have been others");
	else
		skip("this libc does not tell", "there have been others");
	return tap_end();
}
