/* SPDX-License-Identifier: MIT */
// The lock of one bucket: lockers that sleep, and a mover that ends it.
// stands for: src/table/bucket.c: sleep_on, ufx_bucket_lock_slow,
//   ufx_bucket_wake_lockers, ufx_bucket_wait_moved
// stands for: src/table/bucket.h: ufx_bucket_lock, ufx_bucket_unlock
// stands for: src/table/place.h: ufx_place_try (the owner without a pin)
// rules: R8 R9
// quick: -DLOCKERS=2
// full: -DLOCKERS=3
// full: -DLOCKERS=2 -DSIGNALS=2
// negative: NO_WAKE R9 the unlocker does not look at CONTENDED
// negative: NO_BIT_AGAIN -DLOCKERS=3 R9 a woken locker does not set the bit again
// negative: NO_MOVED_WAKE R9 a woken locker that finds MOVED leaves the others asleep
// negative: WAKE_ONE_MOVED R9 the mover's unlock wakes one only
// negative: SLEEP_UNMARKED R9 a locker sleeps without setting CONTENDED
// negative: BIT_AFTER_LOCK R8 CONTENDED is cleared after LOCKED: the table may be gone
// negative: MARK_CLEARED R8 the mover's unlock takes the mark off
// reached: after_sleep found_moved wait_moved late_wake

#define LOCKED 1
#define CONTENDED 2
#define MOVED 4

#ifndef LOCKERS
#define LOCKERS 2
#endif
#ifndef SIGNALS
#define SIGNALS 0
#endif

byte word;          /* b->word, the low half */
bool asleep[8];     /* in the kernel, on the low half; by _pid */
byte owners, pins;  /* who is in the critical section; who holds a counted pin */
bool table_gone;    /* the mover is done and the last pin has gone */
byte signals = SIGNALS;

/* ufx_word_wait: the kernel looks once more, in one step. */
inline word_wait(value)
{
	atomic { if :: word == value -> asleep[_pid] = true :: else fi }
	!asleep[_pid]
}

/* ufx_word_wake(1): any one, since real-time sleepers come before others. */
inline wake_one()
{
	if
	:: asleep[0] -> asleep[0] = false
	:: asleep[1] -> asleep[1] = false
	:: asleep[2] -> asleep[2] = false
	:: asleep[3] -> asleep[3] = false
	:: asleep[4] -> asleep[4] = false
	:: asleep[5] -> asleep[5] = false
	:: asleep[6] -> asleep[6] = false
	:: asleep[7] -> asleep[7] = false
	:: else
	fi
}

inline wake_all()
{
	asleep[0] = false; asleep[1] = false; asleep[2] = false;
	asleep[3] = false; asleep[4] = false; asleep[5] = false;
	asleep[6] = false; asleep[7] = false
}

/*
 * ufx_bucket_unlock: one compare and swap, then a wake that uses the address
 * only. A failed one has done nothing, so loads and their swaps are one step.
 */
inline unlock()
{
	atomic {
		assert(!table_gone && owners == 1 && word & LOCKED);
		owners--;
		seen = word;
		word = word & ~LOCKED;
#ifndef BIT_AFTER_LOCK
		word = word & ~CONTENDED;
#endif
#ifdef MARK_CLEARED
		word = word & ~MOVED;
#endif
	}
#ifdef BIT_AFTER_LOCK
	atomic { assert(!table_gone); word = word & ~CONTENDED }
#endif
	atomic {
		if
#ifndef NO_WAKE
#ifndef WAKE_ONE_MOVED
		:: (seen & CONTENDED) && (seen & MOVED) -> wake_all()
		:: (seen & CONTENDED) && !(seen & MOVED) -> wake_one()
#else
		:: seen & CONTENDED -> wake_one()
#endif
#endif
		:: else
		fi;
		seen = 0
	}
}

/* sleep_on: the swap; the kernel looks once more before it queues us. */
inline sleep_on(locked)
{
	atomic {
		locked;
		assert(!table_gone);
#ifndef SLEEP_UNMARKED
		word = word | CONTENDED;
#endif
		seen = word
	}
	atomic {
		if
		:: word == seen -> asleep[_pid] = true
		:: else
		fi;
		seen = 0
	}
	!asleep[_pid]
}

/*
 * ufx_bucket_lock_slow and what follows it; @moving: in ufx_table_move_bucket,
 * by a settler or by the replacer. Who comes here may sleep, so something else
 * keeps the table: a counted pin, or being the one who replaces it. (Spinning
 * first is looking later.)
 */
proctype locker(bool moving, replacer)
{
	byte seen;
	bool slept = false;

	do
	:: atomic { word & MOVED -> assert(!table_gone) }
		atomic {
			if
#ifndef NO_MOVED_WAKE
			:: slept ->
found_moved:			seen = 0;
				wake_all()
#endif
			:: else
			fi;
			slept = false
		}
		break
	:: atomic { !(word & (LOCKED | MOVED)) ->
			assert(!table_gone && owners == 0);
			word = word | LOCKED;
			owners++;
#ifndef NO_BIT_AGAIN
			if
			:: slept -> word = word | CONTENDED
			:: else
			fi;
#endif
			slept = false }
		if
		:: moving -> word = word | MOVED /* an atomic or */
		:: !moving
		fi;
		unlock();
		goto done
	:: sleep_on((word & LOCKED) && !(word & MOVED));
after_sleep:	slept = true
	od;
	do
	:: atomic { !moving || !(word & LOCKED) -> break }
	:: sleep_on(moving && (word & LOCKED)); /* ufx_bucket_wait_moved */
wait_moved:	assert(word & MOVED)
	od;
done:	assert(!moving || (word & MOVED));
	if
	:: replacer -> /* a grace period, and at the last unpin it goes */
		pins == 0;
		table_gone = true
	:: else -> pins--
	fi
}

/* ufx_place_try: only the lock keeps the table, from the commit to the unlock. */
proctype owner()
{
	byte seen;

	if
	:: atomic { !table_gone && !(word & (LOCKED | MOVED)) ->
			word = word | LOCKED; owners++ }
		unlock();
late_wake:	assert(owners < 2)
	:: true /* gives way to the slow path, which is a locker */
	fi
}

/* A signal, or a wake that was meant for an earlier use of the address. */
active proctype disturber()
{
	do
	:: signals > 0 ->
		atomic { signals--; wake_one() }
	:: break
	od
}

init {
	byte i;

	atomic {
		pins = LOCKERS + 1;
		run owner();
		run locker(true, true);
		run locker(true, false);
		for (i : 1 .. LOCKERS) { run locker(false, false) }
	}
}
