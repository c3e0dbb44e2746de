// SPDX-License-Identifier: MIT
/* The event: readable when calls wait, so that a loop never misses one. */
#include <fcntl.h>
#include <poll.h>

#include <ufutex/grace.h>

#include "hammer.h"
#include "refused.h"

static int ran;

static void count(struct ufx_call *call)
{
	(void)call;
	__atomic_fetch_add(&ran, 1, __ATOMIC_SEQ_CST);
}

static struct ufx_call calls[100];

static void queue(int first, int n)
{
	for (int i = first; i < first + n; i++)
		ufx_grace_call(&calls[i], count);
}

static bool readable(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, 0) == 1;
}

static int made_with_calls_waiting(void)
{
	int fd;

	queue(0, 1);
	fd = ufx_grace_event();
	ok(fd >= 0, "an event");
	is_int(ufx_grace_event(), fd, "there is one");
	ok(fcntl(fd, F_GETFD) & FD_CLOEXEC, "closed on exec");
	ok(fcntl(fd, F_GETFL) & O_NONBLOCK, "non-blocking");
	ok(readable(fd), "readable: a call waits already");
	is_int(ufx_grace_run(0, 0), 1, "it is run");
	ok(!readable(fd), "not readable any more");
	return fd;
}

static void set_and_cleared(int fd)
{
	queue(0, 3);
	ok(readable(fd), "calls wait: readable");
	ok(readable(fd), "as long as nobody runs them");
	is_int(ufx_grace_run(2, 0), 2, "two are run");
	ok(readable(fd), "one is left over: readable");
	is_int(ufx_grace_run(2, 0), 1, "it is run");
	ok(!readable(fd), "nothing waits: not readable");
	queue(0, 1);
	ufx_grace_barrier();
	is_int(ufx_grace_run(0, 0), 0, "others drove it");
	ok(!readable(fd), "then a run finds nothing, and clears it");
	queue(0, 1);
	ok(readable(fd), "the next call sets it again");
	ufx_grace_run(0, 0);
	queue(0, 63);
	ok(readable(fd), "63 wait");
	queue(63, 1);
	ufx_grace_run(0, 0);
	ok(!readable(fd), "the 64th drove by itself");
}

static void again(struct ufx_call *call)
{
	if (++ran < 5)
		ufx_grace_call(call, again);
}

static void from_within(int fd)
{
	ran = 0;
	ufx_grace_call(&calls[0], again);
	while (readable(fd))
		if (ufx_grace_run(1, 0) != 1)
			break;
	is_int(ran, 5, "a call that queues itself in a run is told each time");
}

/* ---- a loop that sleeps in poll and nobody else who drives ---- */

static uint64_t posted;

struct box {
	struct ufx_call call;
};

static void unbox(struct ufx_call *call)
{
	__atomic_fetch_add(&ran, 1, __ATOMIC_SEQ_CST);
	free(call);
}

static void post(struct hammer *h)
{
	struct box *box = malloc(sizeof(*box));

	ufx_grace_call(&box->call, unbox);
	__atomic_fetch_add(&posted, 1, __ATOMIC_SEQ_CST);
	/* Until it has run: a missed one is not made up by the next. */
	while (__atomic_load_n(&ran, __ATOMIC_SEQ_CST) <
	       (int)__atomic_load_n(&posted, __ATOMIC_SEQ_CST) &&
	       !__atomic_load_n(&h->stop, __ATOMIC_RELAXED))
		sched_yield();
}

static void no_call_is_missed(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int64_t end = clock_ms() + 300;
	struct crew c = { 0 };
	int i, late = 0;

	ran = 0;
	ufx_grace_limit(0, 0);
	for (i = 0; i < 3; i++)
		crew_add(&c, post, NULL);
	while (clock_ms() < end) {
		if (poll(&p, 1, 5000) != 1) {
			late++;
			break;
		}
		ufx_grace_run(1, 0);
	}
	crew_stop(&c);
	ufx_grace_barrier();
	is_int(late, 0, "a loop is told of each of %d calls", ran);
	is_int(ran, (long long)posted, "each has run");
	ufx_grace_limit(64, 1 << 20);
}

static void child_has_its_own(int fd)
{
	pid_t pid;
	int own;

	ufx_grace_run(0, 0);
	pid = tap_fork();
	if (pid == 0) {
		queue(0, 1);
		ok(!readable(fd), "a child's call is not told to its parent");
		is_int((long long)ufx_grace_pending(NULL), 1, "it waits in the child");
		own = ufx_grace_event();
		ok(own >= 0 && own != fd, "the child gets an event of its own");
		ok(readable(own) && !readable(fd), "which is told");
		is_int(ufx_grace_run(0, 0), 1, "it is run");
		ok(!readable(own), "and cleared");
		_exit(0);
	}
	tap_reap(pid, "fork");
	queue(0, 1);
	ok(readable(fd), "the parent's goes on");
	ufx_grace_run(0, 0);
}

static void refused(void)
{
	int fd = ufx_grace_event();

	queue(0, 2);
	ufx_grace_run(1, 0);
	refused_from_here();
	ok(readable(fd), "one is left over");
	is_int(ufx_grace_run(0, 0), 1, "its period has elapsed");
	queue(2, 1);
	ok(readable(fd), "one more");
	is_int(ufx_grace_run(0, 0), -EPERM, "is refused");
	ok(!readable(fd), "and not told for ever");
	is_int((long long)ufx_grace_pending(NULL), 1, "it waits");
	is_int(ufx_grace_barrier(), -EPERM, "a barrier is");
	ok(readable(fd), "and tells the loop, which may be allowed to");
	is_int(ufx_grace_run(0, 0), -EPERM, "it is not");
	queue(3, 1);
	ok(readable(fd), "another call tells it again");
}

int main(void)
{
	int fd = made_with_calls_waiting();

	set_and_cleared(fd);
	from_within(fd);
	no_call_is_missed(fd);
	child_has_its_own(fd);
	refused_child("refused", refused);
	return tap_end();
}
