// SPDX-License-Identifier: MIT
/*
 * Threads whose restartable sequences the kernel does not restart, because it
 * knows of none: a pthread that has taken its registration back, a child of
 * vfork (marked, as the preload does it), a bare clone with a TLS of its own.
 */
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "host/thread.h"
#include "torture.h"

#ifndef SYS_rseq
#define SYS_rseq 334
#endif
#define RSEQ_SIGNATURE 0x53053053

extern const ptrdiff_t __rseq_offset __attribute__((weak));

/* What all of them do; nothing that allocates. */
static void live_a_little(struct worker *w)
{
	struct space *s = &spaces[rnd(w, SPACES)];
	int i;

	for (i = 0; i < 4; i++) {
		if (token_try(&s->hot[rnd(w, HOT)]))
			token_give(s, &s->hot[rnd(w, HOT)], rnd(w, GIVES));
		cold.step(w);
	}
}

/* ---- a pthread without its registration ---- */

static void without(struct worker *w)
{
	int i;

	if (&__rseq_offset)
		syscall(SYS_rseq, (char *)__builtin_thread_pointer() + __rseq_offset, 32,
			1, RSEQ_SIGNATURE);
	for (i = 0; i < 20; i++) {
		live_a_little(w);
		objects.step(w);
		refs.step(w);
	}
	count(COUNT_unregistered, 1);
}

static void step_without(struct worker *w)
{
	struct worker *born = worker_start(w->activity, without);

	if (born)
		worker_join(born);
	nap_us(500);
}

const struct activity unregistered = {
	"unregistered", 1, NULL, step_without, NULL, NULL
};

/* ---- a child of vfork ---- */

__attribute__((noinline)) static pid_t vfork_and_live(struct worker *w)
{
	pid_t pid = vfork();

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		live_a_little(w);
		_exit(0);
	}
	return pid;
}

static void step_vfork(struct worker *w)
{
	sigset_t all, old;
	int status;
	pid_t pid;

	/* One that comes meanwhile would run with a mark that is not for it. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	ufx_thread_unregistered++;
	pid = vfork_and_live(w);
	ufx_thread_unregistered--;
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (pid < 0)
		return;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	fork_judge(status, "vfork");
	count(COUNT_vforks, 1);
	nap_us(500);
}

const struct activity vforks = { "vforks", 1, NULL, step_vfork, NULL, NULL };

/* ---- a bare clone ---- */

#if defined(__x86_64__)
#define BLOCK 16384 /* of the creator's, with its thread pointer in it */
#define STACK 262144

struct bare {
	struct worker *w;
	char block[BLOCK] __attribute__((aligned(64)));
	char stack[STACK] __attribute__((aligned(64)));
};

static int bare_live(void *arg)
{
	struct bare *b = arg;
	int i;

	ufx_thread_record = NULL;
	ufx_thread_inside = ufx_thread_posted = 0;
	for (i = 0; i < 4; i++)
		live_a_little(b->w);
	return 0;
}

/* A copy of our own block; returns the thread pointer in it. */
static char *copy_tls(struct bare *b)
{
	char *tp = __builtin_thread_pointer(), *copy, *top;
	pthread_attr_t attr;
	void *stack;
	size_t size;

	if (pthread_getattr_np(pthread_self(), &attr))
		return NULL;
	pthread_attr_getstack(&attr, &stack, &size);
	pthread_attr_destroy(&attr);
	top = (char *)stack + size;
	if (tp > top || tp < top - BLOCK)
		return NULL;
	memcpy(b->block, top - BLOCK, BLOCK);
	copy = b->block + BLOCK - (top - tp);
	((void **)copy)[0] = ((void **)copy)[2] = copy;
	if (&__rseq_offset) {
		*(uint64_t *)(copy + __rseq_offset + 8) = 0;
		*(int32_t *)(copy + __rseq_offset + 4) = -1;
	}
	return copy;
}

static void step_clone(struct worker *w)
{
	static const int flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND |
				 CLONE_THREAD | CLONE_SYSVSEM | CLONE_SETTLS |
				 CLONE_CHILD_CLEARTID | CLONE_PARENT_SETTID;
	struct bare *b = mmap(NULL, sizeof(*b), PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	sigset_t all, old;
	pid_t tid = 0, now;
	char *tls;

	if (b == MAP_FAILED)
		return;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	tls = copy_tls(b);
	b->w = w;
	if (tls && clone(bare_live, b->stack + STACK, flags, b, &tid, tls, &tid) > 0)
		count(COUNT_clones, 1);
	/* It uses our worker, and so has to be gone before we go on. */
	while ((now = __atomic_load_n(&tid, __ATOMIC_SEQ_CST)) != 0)
		syscall(SYS_futex, &tid, 0, now, NULL, NULL, 0);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	munmap(b, sizeof(*b));
	nap_us(500);
}

const struct activity clones = { "clones", 1, NULL, step_clone, NULL, NULL };
#else
static void step_clone(struct worker *w)
{
	(void)w;
	nap_us(100000);
}

const struct activity clones = { "clones", 0, NULL, step_clone, NULL, NULL };
#endif
