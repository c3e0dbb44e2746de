/* SPDX-License-Identifier: MIT */
/* SIGSEGV and SIGBUS, sent: what is said of their actions, and when ignored. */
#include "run.h"

static int pipes[2];

static void none(int sig)
{
	(void)sig;
}

static long reads(void *arg)
{
	char byte;

	(void)arg;
	return read(pipes[0], &byte, 1);
}

/* Has file @name of thread @tid a line that begins with @begin? */
static bool says(pid_t tid, const char *name, const char *begin)
{
	char path[64], line[256];
	bool found = false;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/task/%d/%s", (int)tid, name);
	file = fopen(path, "r");
	if (!file)
		return false; /* it has ended */
	while (!found && fgets(line, sizeof(line), file))
		found = !strncmp(line, begin, strlen(begin));
	fclose(file);
	return found;
}

/* Asleep in call number 0, or no more. */
static void until_in_read(struct blocked *b)
{
	while (!blocked_ended(b) && !says(b->tid, "syscall", "0 "))
		sched_yield();
}

static void until_taken(struct blocked *b)
{
	while (!blocked_ended(b) && !says(b->tid, "status", "SigPnd:\t0000000000000000"))
		sched_yield();
}

static void check(int sig, const char *name)
{
	struct sigaction action, found;
	struct blocked b;

	memset(&action, 0, sizeof(action));
	action.sa_handler = none;
	sigfillset(&action.sa_mask);
	sigaction(sig, &action, NULL);
	sigaction(sig, NULL, &found);
	ok(1, "%s: the mask has SIGKILL: %d, SIGSTOP: %d, SIGTERM: %d", name,
	   sigismember(&found.sa_mask, SIGKILL), sigismember(&found.sa_mask, SIGSTOP),
	   sigismember(&found.sa_mask, SIGTERM));
	signal(sig, SIG_IGN);
	blocked_start(&b, reads, NULL, NULL);
	while (!__atomic_load_n(&b.tid, __ATOMIC_ACQUIRE))
		sched_yield();
	until_in_read(&b);
	pthread_kill(b.thread, sig);
	until_taken(&b);
	until_in_read(&b);
	if (write(pipes[1], "", 1) != 1)
		bail("write");
	is_int(blocked_join(&b), 1, "%s: ignored, it does not end a call", name);
	/* In case it did. */
	signal(sig, SIG_DFL);
}

int main(void)
{
	if (pipe(pipes))
		bail("pipe");
	check(SIGSEGV, "SIGSEGV");
	check(SIGBUS, "SIGBUS");
	return tap_end();
}
