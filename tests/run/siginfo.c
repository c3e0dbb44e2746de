/* SPDX-License-Identifier: MIT */
/*
 * What a handler is told: siginfo, mask, stack; for a thread that computes,
 * that is blocked in a semaphore, and that makes futex calls all the time.
 */
#include <sys/time.h>
#include <ucontext.h>

#include "run.h"
#include "victims.h"

static struct seen {
	int signo, code, pid_is_ours, value;
	int on_stack, mask_ok, before_ok;
} seen;

static long handled;
static char stack[64 * 1024];

static void handler(int sig, siginfo_t *info, void *context)
{
	const ucontext_t *uc = context;
	sigset_t now;

	pthread_sigmask(SIG_SETMASK, NULL, &now);
	seen.signo = info->si_signo == sig ? sig : -1;
	seen.code = info->si_code;
	seen.pid_is_ours = info->si_code == SI_TIMER || info->si_pid == getpid();
	seen.value = info->si_value.sival_int;
	seen.on_stack = (char *)&now > stack && (char *)&now < stack + sizeof(stack);
	seen.mask_ok = sigismember(&now, sig) * 2 + sigismember(&now, SIGUSR2);
	seen.before_ok = !sigismember(&uc->uc_sigmask, sig) &&
			 !sigismember(&uc->uc_sigmask, SIGUSR2);
	add(&handled);
}

static struct state {
	const char *name;
	long (*body)(void *);
} states[] = { { "computing", compute }, { "blocked", block }, { "hot", hot } };

/* ---- sources ---------------------------------------------------------------- */

static struct blocked target;

static void by_sigqueue(void)
{
	union sigval value = { .sival_int = 77 };

	sigqueue(getpid(), SIGRTMIN, value);
}

static void by_pthread_sigqueue(void)
{
	union sigval value = { .sival_int = 78 };

	pthread_sigqueue(target.thread, SIGRTMIN, value);
}

static void by_kill(void)
{
	kill(getpid(), SIGRTMIN);
}

static void by_pthread_kill(void)
{
	pthread_kill(target.thread, SIGRTMIN);
}

static void by_timer(void)
{
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL };
	struct itimerspec once = { .it_value = { .tv_nsec = 10000 } };
	timer_t timer;

	event.sigev_signo = SIGRTMIN;
	event.sigev_value.sival_int = 79;
	if (timer_create(CLOCK_MONOTONIC, &event, &timer))
		bail("timer_create: %s", strerror(errno));
	timer_settime(timer, 0, &once, NULL);
	until(&handled, 1);
	timer_delete(timer);
}

static void by_child(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(3);
	until(&handled, 1);
	ok(seen.code == CLD_EXITED && seen.value != 0, "SIGCHLD: exited");
	waitpid(pid, NULL, 0);
}

static struct source {
	const char *name;
	void (*send)(void);
	bool has_value;
} sources[] = {
	{ "sigqueue", by_sigqueue, true },
	{ "pthread_sigqueue", by_pthread_sigqueue, true },
	{ "kill", by_kill, false },
	{ "pthread_kill", by_pthread_kill, false },
	{ "timer", by_timer, true },
};

#define TIMES 40

/* The main thread takes none of them: all go to the target. */
static void one(struct state *state, struct source *source)
{
	struct seen first = { 0 }, expected;
	int same = 0;

	for (int i = 0; i < TIMES; i++) {
		set(&handled, 0);
		source->send();
		until(&handled, 1);
		expected = seen;
		if (!source->has_value)
			expected.value = 0;
		if (i == 0)
			first = expected;
		same += !memcmp(&first, &expected, sizeof(first));
	}
	ok(1, "%s by %s: signal RTMIN+%d, code %d, our pid %d, value %d", state->name,
	   source->name, first.signo - SIGRTMIN, first.code, first.pid_is_ours,
	   first.value);
	ok(1, "%s by %s: stack %d, mask %d, mask before %d", state->name,
	   source->name, first.on_stack, first.mask_ok, first.before_ok);
	is_int(same, TIMES, "%s by %s: always", state->name, source->name);
}

static void install(int flags)
{
	struct sigaction action;

	memset(&action, 0, sizeof(action));
	action.sa_sigaction = handler;
	action.sa_flags = flags | SA_SIGINFO;
	sigaddset(&action.sa_mask, SIGUSR2);
	sigaction(SIGRTMIN, &action, NULL);
}

static int stack_wanted;

static long on_own_stack(void *arg)
{
	stack_t st = { .ss_sp = stack, .ss_size = sizeof(stack) };
	stack_t none = { .ss_flags = SS_DISABLE };
	sigset_t set;
	long result;

	if (stack_wanted)
		sigaltstack(&st, NULL);
	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	result = ((struct state *)arg)->body(NULL);
	sigaltstack(&none, NULL);
	return result;
}

static void in_state(struct state *state)
{
	stop = 0;
	blocked_start(&target, on_own_stack, state, NULL);
	if (state->body == block)
		blocked_wait(&target);
	for (unsigned int i = 0; i < sizeof(sources) / sizeof(*sources); i++)
		one(state, &sources[i]);
	set(&stop, 1);
	if (state->body == block)
		sem_post(&sem);
	blocked_join(&target);
}

/* ---- more ---------------------------------------------------------------- */

static long notified, notify_value;

static void notify(union sigval value)
{
	set(&notify_value, value.sival_int);
	add(&notified);
}

static void by_thread(void)
{
	struct sigevent event = { .sigev_notify = SIGEV_THREAD };
	struct itimerspec often = { { .tv_nsec = 200000 }, { .tv_nsec = 200000 } };
	timer_t timer;

	event.sigev_notify_function = notify;
	event.sigev_value.sival_int = 80;
	if (timer_create(CLOCK_MONOTONIC, &event, &timer))
		bail("timer_create: %s", strerror(errno));
	timer_settime(timer, 0, &often, NULL);
	until(&notified, 20);
	timer_delete(timer);
	is_int(notify_value, 80, "SIGEV_THREAD: threads are called");
}

static void by_itimer(int which, int sig, const char *name)
{
	struct itimerval once = { .it_value = { .tv_usec = 1000 } };
	struct itimerval none = { .it_value = { .tv_usec = 0 } };

	handled = 0;
	handle_info(sig, 0, handler);
	setitimer(which, &once, NULL);
	while (!get(&handled))
		raw_futex(&word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
	setitimer(which, &none, NULL);
	ok(seen.signo == sig, "%s: code %d", name, seen.code);
}

static volatile sig_atomic_t depth, deepest, entered;

static void nested(int sig)
{
	if (++depth > deepest)
		deepest = depth;
	if (++entered < 3)
		raise(sig);
	depth--;
}

static void flags(void)
{
	struct sigaction now;

	handle(SIGUSR1, SA_NODEFER, nested);
	raise(SIGUSR1);
	is_int(deepest, 3, "SA_NODEFER: the handler is entered again");
	deepest = entered = 0;
	handle(SIGUSR1, 0, nested);
	raise(SIGUSR1);
	is_int(deepest, 1, "without it: only afterwards");
	is_int(entered, 3, "as often");
	handle(SIGUSR1, SA_RESETHAND, nested);
	raise(SIGUSR1);
	sigaction(SIGUSR1, NULL, &now);
	ok(now.sa_handler == SIG_DFL, "SA_RESETHAND: the default is back");
}

int main(void)
{
	sigset_t set;

	sem_init(&sem, 0, 0);
	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	for (stack_wanted = 0; stack_wanted < 2; stack_wanted++) {
		install(stack_wanted ? SA_ONSTACK | SA_RESTART : SA_RESTART);
		for (unsigned int i = 0; i < 3; i++)
			in_state(&states[i]);
	}
	by_thread();
	by_itimer(ITIMER_PROF, SIGPROF, "ITIMER_PROF");
	by_itimer(ITIMER_VIRTUAL, SIGVTALRM, "ITIMER_VIRTUAL");
	handled = 0;
	handle_info(SIGCHLD, 0, handler);
	by_child();
	flags();
	return tap_end();
}
