// SPDX-License-Identifier: MIT
/*
 * Four copies of the engine in one process: two of the amalgamation with
 * prefixes, one within a source, and the library. None notices another.
 */
#include <limits.h>
#include <sys/mman.h>
#include <unistd.h>

#include "blocked.h"
#include "copy.h"
#include "hammer.h"

#define EACH 3

static const struct copy *const copies[] = { &copy_one, &copy_own, &copy_library, &copy_two };
#define COPIES (sizeof(copies) / sizeof(copies[0]))

static uint32_t word;

static long sleeps(void *copy)
{
	return ((const struct copy *)copy)->wait(&word, 0);
}

/* ---- the same word, in each copy ---- */

static struct blocked threads[COPIES][EACH];

static void fall_asleep(void)
{
	for (unsigned int c = 0; c < COPIES; c++)
		for (int i = 0; i < EACH; i++) {
			blocked_start(&threads[c][i], sleeps, (void *)copies[c], NULL);
			blocked_wait(&threads[c][i]);
		}
}

static bool joined_with(struct blocked *b, long result)
{
	bool good = true;

	for (int i = 0; i < EACH; i++)
		good &= blocked_join(&b[i]) == result;
	return good;
}

static bool waits(struct blocked *b)
{
	for (int i = 0; i < EACH; i++)
		if (blocked_ended(&b[i]))
			return false;
	return true;
}

/* A wake, or a purge, of one copy after the other; the rest sleeps on. */
static void apart(bool purge)
{
	fall_asleep();
	for (unsigned int c = 0; c < COPIES; c++) {
		const struct copy *copy = copies[c];
		long n = purge ? copy->purge(&word) : copy->wake(&word, INT_MAX);

		is_int(n, EACH, "%s: %s its own", copy->name, purge ? "purges" : "wakes");
		ok(joined_with(threads[c], purge ? -ECANCELED : 0), "which return");
		for (unsigned int other = c + 1; other < COPIES; other++)
			ok(waits(threads[other]), "%s's wait", copies[other]->name);
		is_int(copy->wake(&word, INT_MAX), 0, "%s: nobody is left", copy->name);
	}
}

/* ---- faults ---- */

static void faults(void)
{
	uint32_t *gone = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	for (unsigned int i = 0; i < 2 * COPIES; i++) {
		const struct copy *copy = copies[i % COPIES];

		is_int(copy->wait(gone, 0), -EFAULT, "%s: a word that is not there",
		       copy->name);
	}
}

/* ---- all at once ---- */

static uint32_t balls[COPIES];
static const char *wrong;

/* A ball goes between two threads. */
static void play(struct hammer *h)
{
	const struct copy *copy = h->arg;
	uint32_t *ball = &balls[h->number / 2 % COPIES];
	uint32_t mine = (uint32_t)h->number % 2;

	if (__atomic_load_n(ball, __ATOMIC_ACQUIRE) == mine) {
		__atomic_store_n(ball, !mine, __ATOMIC_RELEASE);
		copy->wake(ball, 1);
	} else {
		copy->wait(ball, !mine);
	}
}

static void replaces(struct hammer *h)
{
	const struct copy *copy = h->arg;
	const char *why = copy->replace(10);

	if (why)
		__atomic_store_n(&wrong, why, __ATOMIC_RELAXED);
	copy->set_slots(h->rounds % 2 ? 64 : 16);
}

/* Wakes by the copies that its thread is not in the midst of, and by that one. */
static void on_signal(int sig)
{
	uint32_t nobody = 0;

	(void)sig;
	for (unsigned int c = 0; c < COPIES; c++)
		if (copies[c]->wake(&nobody, 1) != 0)
			wrong = "a handler woke somebody";
}

static void signals(struct hammer *h)
{
	struct crew *players = h->arg;

	pthread_kill(players->h[hammer_random(h, (uint32_t)players->n)].thread, SIGUSR1);
	usleep(100);
}

static void end_play(struct crew *players)
{
	for (int i = 0; i < players->n; i++)
		__atomic_store_n(&players->h[i].stop, 1, __ATOMIC_RELAXED);
	/* One of two sleeps until it gets the ball, and stops once it has had it. */
	for (int i = 0; i < players->n; i++) {
		struct hammer *h = &players->h[i];

		while (pthread_tryjoin_np(h->thread, NULL) == EBUSY) {
			__atomic_store_n(&balls[i / 2], (uint32_t)i % 2, __ATOMIC_RELEASE);
			((const struct copy *)h->arg)->wake(&balls[i / 2], 1);
			sched_yield();
		}
	}
}

static void storm(void)
{
	struct crew players = { 0 }, others = { 0 };
	struct sigaction action = { .sa_flags = SA_RESTART };

	action.sa_handler = on_signal;
	sigaction(SIGUSR1, &action, NULL);
	for (unsigned int c = 0; c < COPIES; c++) {
		crew_add(&players, play, (void *)copies[c]);
		crew_add(&players, play, (void *)copies[c]);
		crew_add(&others, replaces, (void *)copies[c]);
	}
	crew_add(&others, signals, &players);
	usleep(300000);
	crew_stop(&others);
	end_play(&players);
	for (unsigned int c = 0; c < COPIES; c++)
		ok(players.h[2 * c].rounds + players.h[2 * c + 1].rounds > 2,
		   "%s: its players played", copies[c]->name);
	ok(!wrong, "nothing went wrong: %s", wrong ? wrong : "no");
}

/* ---- fork ---- */

static void in_child(void)
{
	struct blocked b;
	bool good = true;

	for (unsigned int c = 0; c < COPIES; c++) {
		good &= copies[c]->wake(&word, INT_MAX) == 0; /* they stayed behind */
		blocked_start(&b, sleeps, (void *)copies[c], NULL);
		blocked_wait(&b);
		good &= copies[c]->wake(&word, 1) == 1 && blocked_join(&b) == 0;
		good &= !copies[c]->replace(10);
	}
	_exit(!good);
}

static void forks(void)
{
	pid_t pid;

	fall_asleep();
	pid = tap_fork();
	if (!pid)
		in_child();
	ok(tap_reap(pid, "copies after a fork"), "all work in a child");
	for (unsigned int c = 0; c < COPIES; c++) {
		is_int(copies[c]->wake(&word, INT_MAX), EACH, "%s: the parent's are there",
		       copies[c]->name);
		joined_with(threads[c], 0);
	}
}

int main(void)
{
	for (unsigned int c = 0; c < COPIES; c++)
		is_str(copies[c]->mode(), copies[0]->mode(), "%s has the mode of the others",
		       copies[c]->name);
	apart(false);
	apart(true);
	faults();
	storm();
	forks();
	return tap_end();
}
