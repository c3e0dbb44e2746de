/* SPDX-License-Identifier: MIT */
#include "host/lock.h"
#include "table/bucket.h"

#define SPINS UFX_SMALL(100, 1)

/*
 * Sleeps until the lock bits change from those of @word, which are locked.
 * The table stays: the caller has pinned it, or it is fixed.
 */
static void sleep_on(struct ufx_bucket *b, uint64_t word)
{
	if (!(word & UFX_BUCKET_CONTENDED) &&
	    !ufx_cas(&b->word, &word, word | UFX_BUCKET_CONTENDED))
		return;
	ufx_word_wait_briefly(ufx_low_half(&b->word),
			      (uint32_t)(word | UFX_BUCKET_CONTENDED));
}

bool ufx_bucket_lock_slow(struct ufx_bucket *b, uint32_t coming,
			  const struct ufx_epoch *epoch)
{
	uint64_t take = ufx_bucket_take(coming);
	unsigned int spins = 0;
	bool slept = false;

	for (;;) {
		uint64_t word = ufx_load_acquire(&b->word);

		if (word & UFX_BUCKET_MOVED) {
			/*
			 * We were woken alone, and a mover came between that and
			 * our lock: it saw no bit and wakes nobody. The others
			 * that still sleep are ours to wake.
			 */
			if (slept && !UFX_FAULT(MOVED_ALONE))
				ufx_word_wake(ufx_low_half(&b->word), INT32_MAX);
			return false;
		}
		if (!(word & UFX_BUCKET_LOCKED)) {
			/* Others may sleep on: keep telling the unlocker. */
			uint64_t bit = slept && !UFX_FAULT(MARK_LOCK_ONCE) ?
					       UFX_BUCKET_CONTENDED : 0;

			if (ufx_cas(&b->word, &word, (word + take) | bit))
				return true;
		} else if (spins++ < SPINS) {
			ufx_pause();
		} else if (ufx_epoch_over(epoch)) {
			return false;
		} else {
			sleep_on(b, word);
			slept = true;
		}
	}
}

/*
 * The bit has been cleared: whoever sets it again sleeps on a value with it,
 * and its own unlocker will see it. A moved bucket is never locked again, so
 * all go; else one, who sets the bit again for the others, or wakes them if it
 * finds the bucket moved.
 */
void ufx_bucket_wake_lockers(const struct ufx_bucket *b, uint64_t word)
{
	ufx_word_wake(ufx_low_half(&b->word), word & UFX_BUCKET_MOVED ? INT32_MAX : 1);
}

void ufx_bucket_wait_moved(struct ufx_bucket *b, const struct ufx_epoch *epoch)
{
	unsigned int spins = 0;

	for (;;) {
		uint64_t word = ufx_load_acquire(&b->word);

		if (!(word & UFX_BUCKET_LOCKED) || ufx_epoch_over(epoch))
			return;
		if (spins++ < SPINS)
			ufx_pause();
		else
			sleep_on(b, word);
	}
}
