/* SPDX-License-Identifier: MIT */
/* The lock of a bucket alone: who sleeps on it is woken, also when it moves. */
#include "all.h"
#include "scene.h"
#include "table/bucket.h"

static struct ufx_bucket *bucket;
static uint32_t *guarded; /* plain: a race on it is a lock that does not hold */

static void make_bucket(void)
{
	bucket = scene_memory(sizeof(*bucket));
	guarded = scene_memory(4);
}

static void locks(void)
{
	if (!ufx_bucket_lock(bucket, 0, NULL))
		return;
	++*guarded;
	ufx_bucket_unlock(bucket, 0);
}

static void all_had_it(void)
{
	must(*guarded == 3);
	must(!bucket->word);
}

const struct scenario bucket_lock = {
	.name = "bucket-lock",
	.what = "three lock a bucket, and sleep on it",
	.rules = "bucket-lock",
	.setup = make_bucket,
	.threads = { locks, locks, locks },
	.check = all_had_it,
};

static void marks_moved(void)
{
	must(ufx_bucket_lock(bucket, 0, NULL));
	__atomic_fetch_or(&bucket->word, UFX_BUCKET_MOVED, __ATOMIC_SEQ_CST);
	ufx_bucket_unlock(bucket, 0);
}

static void waits_till_moved(void)
{
	if (!ufx_bucket_lock(bucket, 0, NULL))
		ufx_bucket_wait_moved(bucket, NULL);
	else
		ufx_bucket_unlock(bucket, 0);
}

static void is_moved(void)
{
	must((bucket->word & 7) == UFX_BUCKET_MOVED);
}

const struct scenario bucket_moved = {
	.name = "bucket-moved",
	.what = "a bucket is marked moved while others sleep on its lock",
	.rules = "bucket-lock",
	.setup = make_bucket,
	.threads = { waits_till_moved, waits_till_moved, marks_moved, locks },
	.check = is_moved,
};
