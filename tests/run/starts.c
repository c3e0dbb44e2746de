/* SPDX-License-Identifier: MIT */
/*
 * Starts each program that it is given, in every way, while its own threads
 * lock and wait; becomes a daemon's parent, and at last another program.
 */
#include <fcntl.h>
#include <spawn.h>

#include "lockers.h"
#include "run.h"

extern char **environ;

static int out[2]; /* what children say */

static void said(char *text, size_t size)
{
	size_t used = 0;
	ssize_t got;

	close(out[1]);
	while (used < size - 1 &&
	       (got = read(out[0], text + used, size - 1 - used)) > 0)
		used += (size_t)got;
	text[used] = '\0';
	close(out[0]);
	text[strcspn(text, "\n")] = '\0';
}

static pid_t fork_it(char **argv)
{
	pid_t pid = fork();

	if (pid == 0) {
		dup2(out[1], STDOUT_FILENO);
		execv(argv[0], argv);
		_exit(127);
	}
	return pid;
}

__attribute__((noinline)) static pid_t vfork_it(char **argv)
{
	pid_t pid = vfork();

	if (pid == 0) {
		dup2(out[1], STDOUT_FILENO);
		execve(argv[0], argv, environ);
		_exit(127);
	}
	return pid;
}

static pid_t spawn_it(char **argv)
{
	posix_spawn_file_actions_t actions;
	pid_t pid = -1;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
	if (posix_spawn(&pid, argv[0], &actions, NULL, argv, environ))
		return -1;
	posix_spawn_file_actions_destroy(&actions);
	return pid;
}

static struct way {
	const char *name;
	pid_t (*start)(char **argv);
} ways[] = {
	{ "fork", fork_it }, { "vfork", vfork_it }, { "posix_spawn", spawn_it },
};

static const char *base(const char *path)
{
	return strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
}

static void by_shell(const char *program)
{
	char command[512], text[128] = "";
	FILE *stream;
	int status;

	snprintf(command, sizeof(command), "%s shell", program);
	stream = popen(command, "re");
	if (!stream || !fgets(text, sizeof(text), stream))
		strcpy(text, "nothing");
	status = stream ? pclose(stream) : -1;
	text[strcspn(text, "\n")] = '\0';
	ok(1, "%s by popen: says \"%s\", ends with %x", base(program), text, status);
	snprintf(command, sizeof(command), "%s system >/dev/null", program);
	ok(1, "%s by system: ends with %x", base(program), system(command));
}

static void start_it(const char *program)
{
	for (unsigned int i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
		char *argv[] = { (char *)program, (char *)ways[i].name, NULL };
		char text[256];
		pid_t pid;

		if (pipe2(out, O_CLOEXEC))
			bail("pipe: %s", strerror(errno));
		pid = ways[i].start(argv);
		said(text, sizeof(text));
		ok(1, "%s by %s: says \"%s\", ends with %d", base(program),
		   ways[i].name, text, ending(pid));
	}
	by_shell(program);
}

/* Forks twice, leaves the session, closes what it had: nobody waits for it. */
static void daemonise(const char *program)
{
	char *argv[] = { (char *)program, (char *)"daemon", NULL };
	char text[256];
	pid_t pid;

	if (pipe2(out, O_CLOEXEC))
		bail("pipe: %s", strerror(errno));
	pid = fork();
	if (pid == 0) {
		setsid();
		if (fork())
			_exit(0);
		dup2(out[1], STDOUT_FILENO);
		close_range(3, ~0u, 0);
		crowd_of(2, lock_always, NULL);
		execv(argv[0], argv);
		_exit(127);
	}
	is_int(ending(pid), 0, "a daemon's first child ends");
	said(text, sizeof(text));
	ok(1, "a daemon says \"%s\"", text);
}

static void *exec_in_thread(void *arg)
{
	char *argv[] = { arg, (char *)"thread", NULL };

	alarm(20);
	execv(argv[0], argv);
	_exit(127);
}

static void by_thread(const char *program)
{
	pid_t pid = tap_fork();

	if (pid == 0) {
		dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), STDOUT_FILENO);
		start(exec_in_thread, (void *)program);
		for (;;)
			pause();
	}
	is_int(ending(pid), 3, "exec in a second thread");
}

int main(int argc, char **argv)
{
	pthread_t threads[2];
	long turns = 0;

	for (int i = 0; i < 2; i++)
		threads[i] = start(lock_always, NULL);
	for (int i = 2; i < argc; i++)
		start_it(argv[i]);
	start_it("/nothing/there");
	by_thread(argv[1]);
	set(&over, 1);
	for (int i = 0; i < 2; i++) {
		void *result;

		pthread_join(threads[i], &result);
		turns += (long)result;
	}
	is_int(counter, turns, "the mutex counts right");
	daemonise(argv[1]);
	if (tap_end())
		return 1;
	execl(argv[1], "answer", "in the end", (char *)NULL);
	return 2;
}
