// SPDX-License-Identifier: MIT
/*
 * Looks four times a second at what each worker waits for. One that sleeps
 * although its word has changed, or beyond its timeout, for as long as
 * options.patience says, or that does not come to the end of a step, is a
 * finding, shown with what the kernel and the engine say about it.
 */
#include <dirent.h>
#include <execinfo.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "host/thread.h"
#include "table/domain.h"
#include "torture.h"

static bool waits_wrongly(const struct waiting *x, int64_t now)
{
	const struct watch *watch = &x->watch;
	uint32_t value = __atomic_load_n(watch->word, __ATOMIC_SEQ_CST);

	return ((value ^ watch->expected) & watch->care) || now > x->until;
}

static void judge(struct worker *w, int64_t now)
{
	uint64_t number = __atomic_load_n(&w->waiting.number, __ATOMIC_SEQ_CST);
	int64_t patience = options.patience * (int64_t)1000;

	if (number != w->seen || w->steps_seen != w->counts[COUNT_steps] ||
	    __atomic_load_n(&w->joins, __ATOMIC_RELAXED)) {
		w->seen = number;
		w->steps_seen = w->counts[COUNT_steps];
		w->step_since = now;
	}
	if (!(number & 1)) {
		w->wrong_since = 0;
		if (now - w->step_since > 6 * patience)
			finding("thread %d (%s) is at one step for %jd s", w->tid,
				w->activity->name, (intmax_t)(now - w->step_since) / 1000);
		return;
	}
	if (!waits_wrongly(&w->waiting, now) ||
	    __atomic_load_n(&w->waiting.number, __ATOMIC_SEQ_CST) != number) {
		w->wrong_since = 0;
		return;
	}
	if (!w->wrong_since || w->wrong_number != number) {
		w->wrong_since = now;
		w->wrong_number = number;
	}
	if (now - w->wrong_since > patience)
		finding("thread %d (%s, %s in space %s) sleeps for %jd s although %s",
			w->tid, w->activity->name, w->waiting.how,
			w->waiting.space->name, (intmax_t)(now - w->wrong_since) / 1000,
			now > w->waiting.until ? "its time is over" :
						 "its word has changed");
}

void *watchdog(void *arg)
{
	(void)arg;
	for (;;) {
		int64_t now = now_ms();
		int i;

		for (i = 0; i < WORKERS; i++)
			if (__atomic_load_n(&workers[i].state, __ATOMIC_ACQUIRE) ==
			    WORKER_RUNS)
				judge(&workers[i], now);
		nap_us(250000);
	}
	return NULL;
}

/* Do all that are left wait, for what has not come? And since the last call? */
bool watchdog_quiet(void)
{
	static uint64_t last;
	uint64_t sum = 0;
	bool quiet;
	int i;

	for (i = 0; i < WORKERS; i++) {
		struct worker *w = &workers[i];
		uint64_t number = __atomic_load_n(&w->waiting.number, __ATOMIC_SEQ_CST);

		if (__atomic_load_n(&w->state, __ATOMIC_ACQUIRE) != WORKER_RUNS ||
		    __atomic_load_n(&w->joins, __ATOMIC_RELAXED))
			continue;
		if (!(number & 1) || waits_wrongly(&w->waiting, now_ms()))
			return false;
		sum += number;
	}
	quiet = sum == last;
	last = sum;
	return quiet;
}

/* ---- showing ---- */

static void print_file(pid_t tid, const char *name)
{
	char path[64], text[256];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/self/task/%d/%s", tid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[n > 0 ? n : 0] = '\0';
	text[strcspn(text, "\n")] = '\0';
	say("      %s: %s\n", name, text);
}

/* Without a lock: who shows this has given up. */
static void print_bucket(const struct worker *w)
{
	struct ufx_domain *d = w->waiting.space->domain;
	struct ufx_table *t = d->table;
	struct ufx_bucket *b;

	if (!t)
		return;
	b = ufx_table_bucket(t, ufx_domain_hash(d, (uintptr_t)w->waiting.word));
	say("      table %p generation %ju of %ju, %u slots, prev %p; bucket %p: "
		"word %#jx root %p\n",
		(void *)t, (uintmax_t)t->generation, (uintmax_t)d->requested, t->mask + 1,
		(void *)t->prev, (void *)b, (uintmax_t)b->word, (void *)b->root);
}

static void print_record(pid_t tid)
{
	struct ufx_thread *t;

	for (t = ufx_thread_first(); t; t = t->next) {
		const struct ufx_waiter *x = (const struct ufx_waiter *)t->first;

		if (t->claimed != (uint32_t)tid || !x)
			continue;
		say("      record: park %u, %u lines, reader %#jx; first waiter: state "
			"%u key %#jx mask %#x next %p\n",
			t->park, t->lines_used, (uintmax_t)t->reader, x->state,
			(uintmax_t)x->key, x->mask, (void *)x->next);
	}
}

static void print_worker(struct worker *w)
{
	struct waiting *x = &w->waiting;
	bool waits = x->number & 1;

	say("    %d %s%s", w->tid, w->activity->name,
		w->joins ? ", waits for one that it made" : "");
	if (waits)
		say(", %s in space %s on %p: watched is %#x, expected %#x (%#x)",
			x->how, x->space->name, (void *)x->word, *x->watch.word,
			x->watch.expected, x->watch.care);
	say("%s\n",
		waits && waits_wrongly(x, now_ms()) ? "  <--- wrongly" : "");
	if (waits)
		print_bucket(w);
	print_record(w->tid);
	print_file(w->tid, "stat");
	print_file(w->tid, "syscall");
}

/* The main thread, and those that workers made by clone. */
static void print_others(void)
{
	DIR *tasks = opendir("/proc/self/task");
	struct dirent *entry;

	while (tasks && (entry = readdir(tasks))) {
		pid_t tid = atoi(entry->d_name);
		int i = 0;

		while (i < WORKERS && workers[i].tid != tid)
			i++;
		if (tid == 0 || i < WORKERS)
			continue;
		say("    %d, none of the workers\n", tid);
		print_record(tid);
		print_file(tid, "syscall");
	}
}

void watchdog_show(void)
{
	int i;

	for (i = 0; i < WORKERS; i++)
		if (workers[i].state == WORKER_RUNS)
			print_worker(&workers[i]);
	print_others();
}

/* ---- crashes ---- */

/* The supervisor has waited long enough; the watchdog should have found why. */
static void overdue(int sig)
{
	(void)sig;
	finding("it does not end");
}

static void crashed(int sig, siginfo_t *info, void *context)
{
	void *frames[40];
	int n = backtrace(frames, 40);

	(void)context;
	say("signal %d at %p in thread %d (%s)\n", sig, info->si_addr,
		(int)syscall(SYS_gettid), self ? self->activity->name : "main");
	backtrace_symbols_fd(frames, n, STDERR_FILENO);
	if (options.hold)
		pause();
	signal(sig, SIG_DFL);
	raise(sig);
}

/* Before the engine's guard, which hands on what is not its own. */
void crash_install(void)
{
	struct sigaction action = { .sa_sigaction = crashed,
				    .sa_flags = SA_SIGINFO | SA_NODEFER };
	void *frame;

	backtrace(&frame, 1); /* loads what it needs */
	signal(SIGTERM, overdue);
	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGBUS, &action, NULL);
	sigaction(SIGABRT, &action, NULL);
}
