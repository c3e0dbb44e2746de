// SPDX-License-Identifier: MIT
/* The lock of slow paths. */
#include "host/lock.h"

#include "blocked.h"
#include "hammer.h"

static uint32_t lock;
static long plain;

static void count(struct hammer *h)
{
	ufx_lock(&lock);
	plain++;
	if (hammer_random(h, 128) == 0)
		nap_us(1);
	ufx_unlock(&lock);
}

static long take(void *arg)
{
	(void)arg;
	ufx_lock(&lock);
	ufx_unlock(&lock);
	return 0;
}

static void one_thread(void)
{
	ok(ufx_lock_try(&lock), "a free lock is taken");
	ok(!ufx_lock_try(&lock), "not twice");
	ufx_unlock(&lock);
	ok(ufx_lock_try(&lock), "but again, when it was given back");
	ufx_unlock(&lock);
	is_int(lock, 0, "it is free");
}

#define SLEEPERS 6

static void sleepers(void)
{
	struct blocked b[SLEEPERS];
	int i, asleep = 0;

	ufx_lock(&lock);
	for (i = 0; i < SLEEPERS; i++)
		blocked_start(&b[i], take, NULL, NULL);
	for (i = 0; i < SLEEPERS; i++)
		asleep += blocked_wait(&b[i]);
	is_int(asleep, SLEEPERS, "those who wait for it sleep");
	ufx_unlock(&lock);
	for (i = 0; i < SLEEPERS; i++)
		blocked_join(&b[i]);
	ok(1, "all get it in the end");
}

static void storm(void)
{
	struct crew c = { 0 };
	long long rounds;
	int i;

	for (i = 0; i < 4; i++)
		crew_add(&c, count, NULL);
	nap_us(150000);
	rounds = (long long)crew_stop(&c);
	is_int(plain, rounds, "one holder at a time");
	is_int(lock, 0, "it is free at the end");
}

int main(void)
{
	one_thread();
	sleepers();
	storm();
	return tap_end();
}
