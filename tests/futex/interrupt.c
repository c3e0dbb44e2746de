// SPDX-License-Identifier: MIT
/*
 * Handlers that end the wait they come over (R12): while one runs its thread
 * is in no queue, it may leave for good, and if it returns the wait goes on as
 * the kernel's does: at the tail, with -EINTR, or with the wake it had.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <ufutex/caps.h>

#include "blocked.h"
#include "futex/wait.h"
#include "tokens.h"

static uint32_t word, other;
static int in_handler, may_return; /* 0, 1 */
static bool restart, leave_it, was_clear, posted;
static sigjmp_buf landing;

static long wake(uint32_t *w, int n)
{
	return ufx_futex(w, PRIVATE(UFX_FUTEX_WAKE), (uint32_t)n, NULL, NULL, 0);
}

static void handler(int sig)
{
	(void)sig;
	was_clear = ufx_futex_interrupt(restart);
	__atomic_store_n(&in_handler, 1, __ATOMIC_SEQ_CST);
	while (!__atomic_load_n(&may_return, __ATOMIC_SEQ_CST))
		sched_yield();
	if (leave_it)
		siglongjmp(landing, 1);
}

static long wait_for_ever(void *arg)
{
	(void)arg;
	return token_wait(&word, WAIT_FOREVER, 0);
}

static long wait_timed(void *arg)
{
	(void)arg;
	return token_wait(&word, WAIT_TIMED, 0);
}

static long wait_until_left(void *arg)
{
	if (sigsetjmp(landing, 1))
		return 1;
	return wait_for_ever(arg);
}

/* Without futex_waitv every handler ends a wait with -EINTR. */
static int restarts;

static long answer(long with_waitv)
{
	return restarts ? with_waitv : -EINTR;
}

static void set_up(bool leaves, int flags)
{
	struct sigaction action = { .sa_handler = handler, .sa_flags = flags };

	sigaction(SIGUSR1, &action, NULL);
	restart = flags & SA_RESTART;
	leave_it = leaves;
	was_clear = false;
	in_handler = may_return = 0;
	word = 0;
}

/* Returns when the handler of @b runs, with the wait it came over ended. */
static void signal_it(struct blocked *b)
{
	pthread_kill(b->thread, SIGUSR1);
	while (!__atomic_load_n(&in_handler, __ATOMIC_SEQ_CST))
		sched_yield();
}

static void let_it_go(void)
{
	__atomic_store_n(&may_return, 1, __ATOMIC_SEQ_CST);
}

/* Two wait; the first one's handler comes. */
static void start_two(struct blocked b[2], long (*first)(void *arg))
{
	blocked_start(&b[0], first, NULL, NULL);
	blocked_wait(&b[0]);
	blocked_start(&b[1], wait_for_ever, NULL, NULL);
	blocked_wait(&b[1]);
	signal_it(&b[0]);
	ok(was_clear, "the handler came over no critical section");
}

static void second_is_woken(struct blocked *b)
{
	ok(wake(&word, 1) == 1, "a wake over the handler wakes one");
	ok(blocked_join(b) == 0, "it is the other thread");
}

static void goes_on_at_the_tail(void)
{
	struct blocked b[2], third;

	set_up(false, SA_RESTART);
	start_two(b, wait_for_ever);
	second_is_woken(&b[1]);
	blocked_start(&third, wait_for_ever, NULL, NULL);
	blocked_wait(&third);
	let_it_go();
	if (restarts)
		blocked_wait(&b[0]);
	ok(wake(&word, 1) == 1 && blocked_join(&third) == 0,
	   "who came meanwhile is before it when it returns");
	ok(wake(&word, 1) == restarts && blocked_join(&b[0]) == answer(0), "then it is woken");
}

static void word_is_compared_again(void)
{
	struct blocked b;

	set_up(false, SA_RESTART);
	blocked_start(&b, wait_for_ever, NULL, NULL);
	blocked_wait(&b);
	signal_it(&b);
	__atomic_store_n(&word, 1, __ATOMIC_SEQ_CST);
	let_it_go();
	ok(blocked_join(&b) == answer(-EAGAIN), "a word changed without a wake ends it: %ld",
	   b.result);
}

static void timed_is_interrupted(int flags)
{
	struct blocked b[2];

	set_up(false, flags);
	start_two(b, wait_timed);
	second_is_woken(&b[1]);
	let_it_go();
	ok(blocked_join(&b[0]) == -EINTR, "a timed wait returns -EINTR: %ld", b[0].result);
	ok(wake(&word, 1) == 0, "and nobody is queued");
}

static void untimed_is_interrupted(void)
{
	struct blocked b[2];

	set_up(false, 0);
	start_two(b, wait_for_ever);
	second_is_woken(&b[1]);
	let_it_go();
	ok(blocked_join(&b[0]) == -EINTR, "without SA_RESTART any does: %ld", b[0].result);
}

static void leaves(void)
{
	struct blocked b[2];

	set_up(true, 0);
	start_two(b, wait_until_left);
	second_is_woken(&b[1]);
	let_it_go();
	ok(blocked_join(&b[0]) == 1, "it leaves");
	ok(wake(&word, 1) == 0, "and nobody is queued");
}

static long wait_for_both(void *arg)
{
	struct ufx_waitv_entry entries[2] = {
		{ 0, (uintptr_t)&word, UFX_FUTEX2_U32 | UFX_FUTEX2_PRIVATE, 0 },
		{ 0, (uintptr_t)&other, UFX_FUTEX2_U32 | UFX_FUTEX2_PRIVATE, 0 },
	};

	(void)arg;
	return ufx_futex_waitv(entries, 2, 0, NULL, CLOCK_MONOTONIC);
}

#define OFTEN 2200 /* a thread has room for 1000 waiters */

static int left;

static long leave_often(void *arg)
{
	int before;

	sigsetjmp(landing, 1);
	before = __atomic_load_n(&left, __ATOMIC_SEQ_CST);
	if (before == OFTEN)
		return 1;
	return before & 1 ? wait_for_both(arg) : wait_for_ever(arg);
}

static void leaves_and_counts(int sig)
{
	(void)sig;
	ufx_futex_interrupt(false);
	__atomic_add_fetch(&left, 1, __ATOMIC_SEQ_CST);
	siglongjmp(landing, 1);
}

/* Of a long jump nothing stays: not the memory of its waiters either. */
static void leaves_often(void)
{
	struct sigaction action = { .sa_handler = leaves_and_counts };
	struct blocked b;
	int i;

	set_up(true, 0);
	sigaction(SIGUSR1, &action, NULL);
	blocked_start(&b, leave_often, NULL, NULL);
	for (i = 0; i < OFTEN && blocked_wait(&b); i++) {
		pthread_kill(b.thread, SIGUSR1);
		while (__atomic_load_n(&left, __ATOMIC_SEQ_CST) == i)
			sched_yield();
	}
	ok(blocked_join(&b) == 1, "%d times over: %ld", i, b.result);
}

/* What the handler finds amid the engine: it has to come later. */
static void comes_later(void)
{
	ufx_enter_inside();
	ok(!ufx_futex_interrupt(true), "over a critical section it has to come later");
	ufx_leave_inside();
	ok(ufx_futex_interrupt(true), "and after it may come");
}

static void takes_a_wake(int sig)
{
	(void)sig;
	posted = wake(&word, 1) == 1 && ufx_futex_interrupt(true);
}

/* The wake came first: it is the wait's, though the handler ends that. */
static void keeps_its_wake(void)
{
	struct sigaction action = { .sa_handler = takes_a_wake, .sa_flags = SA_RESTART };
	struct blocked b;

	set_up(false, 0);
	sigaction(SIGUSR1, &action, NULL);
	blocked_start(&b, wait_timed, NULL, NULL);
	blocked_wait(&b);
	pthread_kill(b.thread, SIGUSR1);
	ok(blocked_join(&b) == 0 && posted, "a wait that was woken before returns 0: %ld",
	   b.result);
}

static void ends_and_may_restart(int sig)
{
	ufx_futex_interrupt(sig == SIGUSR2);
}

/* The state of thread @tid of process @pid, a letter. */
static char state_of(pid_t pid, pid_t tid)
{
	char path[64], text[64] = "";
	FILE *file;
	char *end;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/stat", pid, tid);
	file = fopen(path, "r");
	if (file && !fgets(text, sizeof(text), file))
		text[0] = '\0';
	if (file)
		fclose(file);
	end = strrchr(text, ')');
	return end ? end[2] : '?';
}

/* In another process: both signals, so that one sleep of @tid gets them. */
static void send_both(pid_t pid, pid_t tid)
{
	kill(pid, SIGSTOP);
	while (state_of(pid, tid) != 'T')
		sched_yield();
	syscall(SYS_tgkill, pid, tid, SIGUSR1);
	syscall(SYS_tgkill, pid, tid, SIGUSR2);
	kill(pid, SIGCONT);
	_exit(0);
}

/*
 * The first one's frame is made first, and says -EINTR to what lies below; the
 * second one's handler runs first, and has nothing against going on.
 */
static void one_handler_of_two_restarts(void)
{
	struct sigaction action = { .sa_handler = ends_and_may_restart };
	struct blocked b;
	pid_t pid;

	set_up(false, 0);
	sigaction(SIGUSR1, &action, NULL);
	action.sa_flags = SA_RESTART;
	sigaction(SIGUSR2, &action, NULL);
	blocked_start(&b, wait_for_ever, NULL, NULL);
	blocked_wait(&b);
	pid = tap_fork();
	if (pid == 0)
		send_both(getppid(), b.tid);
	waitpid(pid, NULL, 0);
	while (!blocked_ended(&b) && !blocked_now(b.tid))
		sched_yield();
	ok(blocked_ended(&b), "of two handlers the one without SA_RESTART has its way");
	wake(&word, 1);
	ok(blocked_join(&b) == -EINTR, "-EINTR: %ld", b.result);
}

static void leaves_all_words(void)
{
	struct blocked b;

	set_up(false, SA_RESTART);
	blocked_start(&b, wait_for_both, NULL, NULL);
	blocked_wait(&b);
	signal_it(&b);
	ok(wake(&word, 1) == 0 && wake(&other, 1) == 0, "two words: it waits for neither");
	let_it_go();
	if (restarts)
		blocked_wait(&b);
	ok(wake(&other, 1) == restarts && blocked_join(&b) == answer(1),
	   "then for both again: %ld", b.result);
}

int main(void)
{
	struct ufx_capabilities caps;

	ufx_caps(&caps);
	restarts = caps.waitv;
	goes_on_at_the_tail();
	word_is_compared_again();
	timed_is_interrupted(0);
	timed_is_interrupted(SA_RESTART);
	untimed_is_interrupted();
	leaves();
	leaves_often();
	comes_later();
	keeps_its_wake();
	leaves_all_words();
	one_handler_of_two_restarts();
	return tap_end();
}
