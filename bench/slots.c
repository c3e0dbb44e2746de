/* SPDX-License-Identifier: MIT */
/*
 * The kernel's own table (PR_FUTEX_HASH), replaced in a child process, since a
 * process that has set its slots once never scales by itself again. The child
 * measures; it does a round for each request that comes down a socket, and
 * ends with it.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <ufutex/futex.h>

#include "bench.h"

struct bench_slots_child {
	pid_t pid;
	int fd;
};

struct answer {
	int err;
	struct bench_sample sample;
};

static int set_slots(uint32_t slots)
{
	return prctl(UFX_PR_FUTEX_HASH, UFX_PR_FUTEX_HASH_SET_SLOTS,
		     (unsigned long)slots, 0ul, 0ul) ? -errno : 0;
}

const char *bench_slots_missing(void)
{
	errno = 0;
	if (prctl(UFX_PR_FUTEX_HASH, UFX_PR_FUTEX_HASH_GET_SLOTS, 0ul, 0ul,
		  0ul) < 0)
		return "this kernel has no PR_FUTEX_HASH (Linux 6.16)";
	return NULL;
}

static int child_round(const uint32_t sizes[2], uint64_t ns,
		       struct bench_sample *sample)
{
	struct bench_watch watch;
	uint64_t start, now, n = 0;
	int err = 0;

	bench_watch_begin(&watch);
	start = bench_now();
	do {
		err = set_slots(sizes[0]);
		if (!err)
			err = set_slots(sizes[1]);
		n += 2;
		now = bench_now();
	} while (now - start < ns && !err);
	bench_watch_end(&watch, sample);
	sample->ns = (double)(now - start) / n;
	sample->ops = 1e9 / sample->ns;
	return err;
}

static void child_main(int fd, unsigned int nsleepers, const uint32_t sizes[2])
{
	struct bench_sleepers *sleepers = NULL;
	struct answer answer = { 0 };
	uint64_t ns;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (nsleepers) {
		sleepers = bench_sleepers_start(&bench_side_kernel, nsleepers,
						false, -1);
		answer.err = sleepers ? bench_sleepers_settle(sleepers)
				      : -ENOMEM;
	}
	if (!answer.err)
		answer.err = set_slots(sizes[1]);
	while (read(fd, &ns, sizeof(ns)) == sizeof(ns)) {
		memset(&answer.sample, 0, sizeof(answer.sample));
		if (!answer.err)
			answer.err = child_round(sizes, ns, &answer.sample);
		if (write(fd, &answer, sizeof(answer)) != sizeof(answer))
			break;
	}
	_exit(0); /* its sleepers end with it */
}

struct bench_slots_child *bench_slots_start(unsigned int nsleepers,
					    const uint32_t sizes[2])
{
	struct bench_slots_child *child = calloc(1, sizeof(*child));
	int fds[2];

	if (!child)
		return NULL;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds)) {
		free(child);
		return NULL;
	}
	child->pid = fork();
	if (child->pid == 0) {
		close(fds[0]);
		child_main(fds[1], nsleepers, sizes);
	}
	close(fds[1]);
	child->fd = fds[0];
	if (child->pid > 0)
		return child;
	close(fds[0]);
	free(child);
	return NULL;
}

int bench_slots_round(void *arg, uint64_t ns, struct bench_sample *sample)
{
	struct bench_slots_child *child = arg;
	struct answer answer;

	if (send(child->fd, &ns, sizeof(ns), MSG_NOSIGNAL) != sizeof(ns) ||
	    recv(child->fd, &answer, sizeof(answer), MSG_WAITALL) !=
		    sizeof(answer))
		return -EPIPE;
	*sample = answer.sample;
	return answer.err;
}

void bench_slots_stop(struct bench_slots_child *child)
{
	if (!child)
		return;
	close(child->fd);
	waitpid(child->pid, NULL, 0);
	free(child);
}
