// SPDX-License-Identifier: MIT
/* A sequence of calls on both sides, and what differs. */
#include "fuzz.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* What has been done so far. */
struct record {
	unsigned int calls, asked;
	struct fuzz_call call[FUZZ_CALLS];
	long answer[FUZZ_CALLS][FUZZ_SIDES];
	char difference[128];
	bool loud;
};

/*
 * A signal (the fuzzer has a timer) may end a wait before its timeout does:
 * that is nobody's fault.
 */
static long ask(fuzz_answer *whom, const struct fuzz_call *call,
		enum fuzz_side side)
{
	long answer;

	do {
		answer = whom(call, side);
	} while (answer == -EINTR);
	return answer;
}

static bool asked(const struct fuzz_call *call)
{
	return call->kind != FUZZ_STORE && fuzz_kernel_has(call->kind);
}

static void show_call(const struct fuzz_call *call)
{
	fputs("#   ", stderr);
	fuzz_show(stderr, call);
	if (!fuzz_kernel_has(call->kind))
		fputs(" (not known to this kernel)", stderr);
}

static void show_answers(const struct fuzz_call *call, const long *answer)
{
	if (asked(call)) {
		fputs(" = ", stderr);
		fuzz_show_answer(stderr, answer[FUZZ_KERNEL]);
		if (answer[FUZZ_KERNEL] != answer[FUZZ_ENGINE]) {
			fputs("; the engine: ", stderr);
			fuzz_show_answer(stderr, answer[FUZZ_ENGINE]);
		}
	}
	fputc('\n', stderr);
}

/* One call, on both sides; do they agree? */
static bool make(struct record *r, const struct fuzz_call *call, long *answer,
		 fuzz_answer *other)
{
	int saved;

	if (call->kind == FUZZ_STORE)
		fuzz_word_set(call->word, (uint32_t)call->val);
	if (!asked(call))
		return true;
	r->asked++;
	answer[FUZZ_KERNEL] = ask(fuzz_ask_kernel, call, FUZZ_KERNEL);
	errno = EXDEV;
	answer[FUZZ_ENGINE] = ask(other, call, FUZZ_ENGINE);
	saved = errno;
	if (answer[FUZZ_KERNEL] != answer[FUZZ_ENGINE])
		strcpy(r->difference, "the answers");
	else if (saved != EXDEV)
		strcpy(r->difference, "errno: the engine has changed it");
	else
		return fuzz_memory_same(r->difference, sizeof(r->difference));
	return false;
}

/* The next one. False: they differ. */
static bool next(struct record *r, fuzz_answer *other)
{
	const struct fuzz_call *call = &r->call[r->calls];
	long *answer = r->answer[r->calls++];
	bool same;

	memset(answer, 0, sizeof(r->answer[0]));
	if (r->loud)
		show_call(call);
	same = make(r, call, answer, other);
	if (r->loud)
		show_answers(call, answer);
	return same;
}

static void tell(const struct record *r)
{
	for (unsigned int i = 0; i < r->calls && !r->loud; i++) {
		show_call(&r->call[i]);
		show_answers(&r->call[i], r->answer[i]);
	}
	fprintf(stderr, "#   what differs: %s\n", r->difference);
}

enum fuzz_result fuzz_compare(const uint8_t *bytes, size_t size,
			      fuzz_answer *other, bool show)
{
	static struct record r;
	struct fuzz_input input = { .bytes = bytes, .left = size };

	r.calls = r.asked = 0;
	r.loud = show;
	input.fresh = size && bytes[0] == FUZZ_FRESH;
	if (input.fresh) {
		input.bytes++;
		input.left--;
	}
	fuzz_memory_reset();
	while (r.calls < FUZZ_CALLS && fuzz_decode(&input, &r.call[r.calls])) {
		if (next(&r, other))
			continue;
		tell(&r);
		return FUZZ_DIFFERS;
	}
	return r.asked ? FUZZ_SAME : FUZZ_NOTHING;
}

enum fuzz_result fuzz_compare_in_child(const uint8_t *bytes, size_t size,
				       fuzz_answer *other, bool show)
{
	int status = -1;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		signal(SIGALRM, SIG_DFL);
		alarm(20); /* a call that blocks after all */
		_exit((int)fuzz_compare(bytes, size, other, show));
	}
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (pid > 0 && WIFEXITED(status) && (WEXITSTATUS(status) == FUZZ_SAME ||
					     WEXITSTATUS(status) == FUZZ_NOTHING))
		return (enum fuzz_result)WEXITSTATUS(status);
	if (pid > 0 && WIFSIGNALED(status))
		fprintf(stderr, "\n#   died by signal %d\n", WTERMSIG(status));
	return FUZZ_DIFFERS;
}
