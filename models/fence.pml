/* SPDX-License-Identifier: MIT */
// The empty wake against a waiter, with store buffers (x86): a plain store
// reaches memory later; a locked instruction waits until it has. Also while the
// waiter is requeued, and while its bucket is moved to a new table.
// stands for: src/futex/wait.c: lock_and_look; src/futex/wake.c: ufx_wake
// stands for: src/futex/requeue.c: ufx_requeue; src/table/place.c:
//   ufx_place_nobody, ufx_place_unlock_two; include/ufutex/section-x86_64.h:
//   ufx_section_peek; src/table/moving.c: replace, steps 1 to 4
// rules: R9
// quick: -DMOVE
// quick: -DREQUEUE
// full: -DMOVE -DTWO_WAITERS
// full: -DREQUEUE -DTWO_WAITERS
// negative: NO_WAKE_FENCE - the waker's store is in its buffer while it looks
// negative: NO_WAIT_FENCE - the waiter counts up by a plain store
// negative: COUNT_AFTER_LOAD - the waiter looks at the word, then counts up
// negative: PEEK_BEFORE_FENCE - the section begins before the fence
// negative: UNLOCK_FROM_FIRST -DREQUEUE - a requeue lets go of the first bucket first
// negative: PREV_AFTER_BUCKET R9 the section loads the bucket, then what is in front
// negative: PREV_NULL_EARLY R9 in force before the waiters have moved
// negative: COUNT_BEFORE_MARK R9 the old count falls before the mark
// negative: COUNT_WITHOUT_MARK R9 the empty wake tests the count only, and it falls (either alone is right)
// reached: mismatch was_woken goes_on

#define OLD 0 /* MOVE: the key's bucket in the old table; else the first word's */
#define NEW 1 /* in the new one; the second word's */
#define NOWHERE 9
#ifdef TWO_WAITERS
#define WAITERS 2
#else
#define WAITERS 1
#endif

bool user, table, mark, moved; /* the word has changed; the table in force */
#ifdef MOVE
bool prev = true;              /* of the new table */
#endif
byte count[2];
bool lock[2];
bool user_buffered, table_buffered, prev_buffered, count_buffered[2];
byte queued_at[WAITERS] = NOWHERE;
bool woken[WAITERS];

active proctype buffers()
{
end:	do
	:: atomic { user_buffered -> user_buffered = false; user = true }
#ifdef MOVE
	:: atomic { table_buffered -> table_buffered = false; table = NEW }
	:: atomic { !table_buffered && prev_buffered -> prev_buffered = false; prev = false }
#endif
	:: atomic { count_buffered[0] -> count_buffered[0] = false; count[0]++ }
	:: atomic { count_buffered[1] -> count_buffered[1] = false; count[1]++ }
	od
}

active [WAITERS] proctype waiter()
{
	byte at, me = _pid - 1;
	bool value;

#ifdef COUNT_AFTER_LOAD
	value = user;
#endif
	atomic { /* settled: in the new table once the old bucket has moved */
		(!mark && !lock[OLD]) || (moved && !lock[NEW]);
		at = (mark -> NEW : OLD);
		lock[at] = true;
#ifdef NO_WAIT_FENCE
		count_buffered[at] = true
#else
		count[at]++
#endif
	}
#ifndef COUNT_AFTER_LOAD
	value = user;
#endif
	if
	:: value ->
		atomic { !count_buffered[at]; count[at]--; lock[at] = false }
mismatch:	at = 0;
		goto done
	:: else ->
		queued_at[me] = at;
		atomic { !count_buffered[at]; lock[at] = false }
	fi;
	woken[me];
was_woken: at = 0;
done:	skip
}

/* ufx_place_nobody of one bucket without replacement, or of the key's. */
inline peek(b)
{
#ifdef MOVE
	tb = table;
	if
	:: tb == NEW ->
#ifdef PREV_AFTER_BUCKET
		found = (count[NEW] > 0);
		found = found || prev
#else
		if
		:: prev -> found = true
		:: else -> found = (count[NEW] > 0)
		fi
#endif
	:: else ->
#ifdef COUNT_WITHOUT_MARK
		found = (count[OLD] > 0)
#else
		found = (count[OLD] > 0 || mark)
#endif
	fi
#else
	found = (count[b] > 0)
#endif
}

/* The locked path settles, too. */
inline wake(b)
{
#ifndef PEEK_BEFORE_FENCE
	peek(b);
#endif
	if
	:: found ->
		atomic {
#ifdef MOVE
			(!mark && !lock[OLD]) || (moved && !lock[NEW]);
#else
			!lock[b];
#endif
			w = 0;
			do
#ifdef MOVE
			:: w < WAITERS && queued_at[w] != NOWHERE ->
#else
			:: w < WAITERS && queued_at[w] == b ->
#endif
				count[queued_at[w]]--;
				queued_at[w] = NOWHERE; woken[w] = true; w++
#ifdef MOVE
			:: w < WAITERS && queued_at[w] == NOWHERE -> w++
#else
			:: w < WAITERS && queued_at[w] != b -> w++
#endif
			:: w == WAITERS -> break
			od;
			w = 0; found = false
		}
	:: else
	fi
}

active proctype waker()
{
	bool tb, found;
	byte w;

	user_buffered = true; /* [d] the caller's plain store */
#ifdef PEEK_BEFORE_FENCE
	peek(OLD);
#endif
#ifndef NO_WAKE_FENCE
	!user_buffered; /* [e] */
#endif
#ifdef REQUEUE
	wake(OLD);
	wake(NEW)
#else
	wake(OLD)
#endif
}

#ifdef MOVE
active proctype replace()
{
	byte w;

	table_buffered = true; /* 1 publish: a plain store */
	!table_buffered;       /* 2 the bias: a locked instruction */
#ifdef PREV_NULL_EARLY
	prev_buffered = true;
#endif
	atomic { !lock[OLD]; lock[OLD] = true }
#ifdef COUNT_BEFORE_MARK
	count[OLD] = 0;
#endif
	mark = true; /* 3 */
#ifdef COUNT_WITHOUT_MARK
	count[OLD] = 0;
#endif
	do
	:: w < WAITERS && queued_at[w] == OLD ->
		atomic { !lock[NEW]; lock[NEW] = true; count[NEW]++ }
		atomic { queued_at[w] = NEW; lock[NEW] = false; w++ }
	:: w < WAITERS && queued_at[w] != OLD -> w++
	:: w == WAITERS -> break
	od;
	atomic { moved = true; lock[OLD] = false }
goes_on: prev_buffered = true /* 4: a plain store */
}
#endif

#ifdef REQUEUE
active proctype requeue()
{
	byte w, n;

	atomic { !lock[OLD]; lock[OLD] = true }
	atomic { !lock[NEW]; lock[NEW] = true }
	do
	:: w < WAITERS && queued_at[w] == OLD -> atomic { queued_at[w] = NEW; n++; w++ }
	:: w < WAITERS && queued_at[w] != OLD -> w++
	:: w == WAITERS -> break
	od;
#ifdef UNLOCK_FROM_FIRST
	atomic { count[OLD] = count[OLD] - n; lock[OLD] = false }
	atomic { count[NEW] = count[NEW] + n; lock[NEW] = false }
#else
	atomic { count[NEW] = count[NEW] + n; lock[NEW] = false }
	atomic { count[OLD] = count[OLD] - n; lock[OLD] = false }
#endif
}
#endif
