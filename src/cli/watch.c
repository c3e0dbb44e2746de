/* SPDX-License-Identifier: MIT */
/*
 * The parent of a program that is counted. The program has the terminal and the
 * process group that it would have without: so what the terminal sends, both
 * get, and only what was sent to the parent alone is passed on.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "cli/watch.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/results.h"
#include "preload/statistics.h"

static struct ufx_results results;

/* ---- before -------------------------------------------------------------------- */

static int make_file(void)
{
	int fd = memfd_create(UFX_STATISTICS_FILE, MFD_CLOEXEC);
	struct ufx_statistics_file *f = MAP_FAILED;
	char path[64];

	if (fd >= 0 && !ftruncate(fd, sizeof(*f)))
		f = mmap(NULL, sizeof(*f), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (f == MAP_FAILED)
		return ufx_cli_error("run", "no memory for statistics: %s",
				     strerror(errno));
	f->magic = UFX_STATISTICS_MAGIC;
	f->version = UFX_STATISTICS_VERSION;
	f->size = sizeof(*f);
	results.file = f;
	snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)getpid(), fd);
	setenv(UFX_STATISTICS_VARIABLE, path, 1);
	return 0;
}

int ufx_watch_prepare(const char *how)
{
	int error = ufx_results_open(&results, how);

	return error ? error : make_file();
}

/* ---- the program ---------------------------------------------------------------- */

/* As the parent was started. */
struct before {
	sigset_t mask;
	struct sigaction child;
};

static _Noreturn void be_program(const struct ufx_watched *w, const struct before *b,
				 pid_t parent)
{
	sigaction(SIGCHLD, &b->child, NULL);
	/* Whoever kills the command means the program. */
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (getppid() != parent)
		_exit(2);
	sigprocmask(SIG_SETMASK, &b->mask, NULL);
	_exit(w->become(w->context));
}

/* ---- signals -------------------------------------------------------------------- */

static void pass_on(pid_t child, const siginfo_t *info)
{
	if (info->si_code == SI_QUEUE)
		sigqueue(child, info->si_signo, info->si_value);
	else
		kill(child, info->si_signo);
}

/* Without a terminal nobody would continue us when the program goes on. */
static bool has_job_control(void)
{
	int fd = open("/dev/tty", O_RDONLY | O_NOCTTY | O_CLOEXEC);

	if (fd >= 0)
		close(fd);
	return fd >= 0 && getsid(0) != getpid();
}

/* Has anything happened to it that nobody has been told of yet? */
static bool has_news(pid_t child)
{
	siginfo_t info = { 0 };

	return !waitid(P_PID, (id_t)child, &info,
		       WNOHANG | WNOWAIT | WEXITED | WSTOPPED | WCONTINUED) &&
	       info.si_pid;
}

/*
 * Has the program ended? If it has stopped so do we, and who started us finds
 * a stopped job; it goes on when we do.
 */
static bool has_ended(pid_t child, int *status)
{
	while (waitpid(child, status, WNOHANG | WUNTRACED | WCONTINUED) == child) {
		if (WIFCONTINUED(*status) || (WIFSTOPPED(*status) && !has_job_control()))
			continue;
		if (!WIFSTOPPED(*status))
			return true;
		raise(SIGSTOP);
		/* Who continued us did it for all, and it may have stopped again; or for us alone. */
		if (!has_news(child))
			kill(child, SIGCONT);
	}
	return false;
}

static int wait_for(pid_t child, const sigset_t *all)
{
	siginfo_t info;
	int status;

	for (;;) {
		if (sigwaitinfo(all, &info) < 0)
			continue;
		if (info.si_signo == SIGCHLD) {
			if (has_ended(child, &status))
				return status;
		} else if (info.si_code <= 0) {
			pass_on(child, &info);
		}
	}
}

/* All but those that our own mistakes would cause. */
static void block(sigset_t *all, struct before *b)
{
	static const int own[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGSYS, SIGABRT };
	struct sigaction child = { .sa_handler = SIG_DFL };

	sigfillset(all);
	for (unsigned int i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		sigdelset(all, own[i]);
	sigprocmask(SIG_BLOCK, all, &b->mask);
	sigaction(SIGCHLD, &child, &b->child);
}

/* ---- the end -------------------------------------------------------------------- */

/* By the same signal, if that can be; the core is the program's. */
static int end_as(int status)
{
	static const struct rlimit none;
	struct sigaction act = { .sa_handler = SIG_DFL };
	sigset_t set;
	int signal = WTERMSIG(status);

	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	setrlimit(RLIMIT_CORE, &none);
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	sigaction(signal, &act, NULL);
	sigemptyset(&set);
	sigaddset(&set, signal);
	raise(signal);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	return 128 + signal;
}

int ufx_watch(const struct ufx_watched *w)
{
	pid_t parent = getpid(), child;
	struct before before;
	sigset_t all;
	int status;

	block(&all, &before);
	child = fork();
	if (child < 0)
		return ufx_cli_error("run", "no process: %s", strerror(errno));
	if (!child)
		be_program(w, &before, parent);
	status = wait_for(child, &all);
	results.command = w->command;
	if (w->unreached)
		ufx_results_add_unreached(&results, (uint32_t)child, w->path, w->unreached);
	ufx_results_write(&results);
	return end_as(status);
}
