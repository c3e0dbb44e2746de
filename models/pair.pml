/* SPDX-License-Identifier: MIT */
// Two buckets at once while tables are replaced by moving: a requeue, a wake
// with an operation. Two wait already; or (-DARRIVES) one comes, and a waker.
// stands for: src/table/place.c: pin_settled, settle, lock_pair,
//   ufx_place_lock_two, ufx_place_unlock_two; src/table/moving.c: replace
// stands for: src/futex/requeue.c: ufx_requeue, move
// rules: R8 R9
// quick: -DREPLACEMENTS=1 -DWAKE_OP
// full: -DREPLACEMENTS=2 -DWAKE_OP
// full: -DREPLACEMENTS=1 -DARRIVES
// negative: SETTLE_LATE -DREPLACEMENTS=1 R9 the second key is settled under the first one's lock
// negative: LOCKS_BY_KEY R9 two locks are taken in the order of the keys
// reached: in_force

#ifndef ARRIVES
#define SECOND_WAITER
#endif
#include "tables.inc"

/* Both buckets, in the order of their addresses. */
inline place_lock_two(k1, k2)
{
	do
	:: pin(table, n1);
		settle(k1);
#ifndef SETTLE_LATE
		settle(k2);
#endif
#ifdef LOCKS_BY_KEY
		first = BUCKET(n1, k1); second = BUCKET(n1, k2);
#else
		atomic {
			first = BUCKET(n1, 0); second = BUCKET(n1, 1)
		}
#endif
		bucket_lock(n1, first, 0, ok);
#ifdef SETTLE_LATE
		if
		:: ok -> ok = false; settle(k2); ok = true
		:: else
		fi;
#endif
		if
		:: ok && first != second ->
			bucket_lock(n1, second, 0, ok);
			if
			:: ok
			:: else -> bucket_unlock(n1, first, 0)
			fi
		:: else
		fi;
		if
		:: ok -> break
		:: else -> unpin(n1)
		fi
	od;
	ok = false
}

/* Moves all from word 0 to word 1, then wakes word 1. */
proctype requeuer()
{
	LOCALS;
	byte less, first, second;

	place_lock_two(0, 1);
	atomic {
		do
		:: m < WAITERS && state[m] == QUEUED && key[m] == 0 && at_t[m] == n1 ->
			key[m] = 1; at_b[m] = BUCKET(n1, 1); less++; m++
		:: m < WAITERS && !(state[m] == QUEUED && key[m] == 0 && at_t[m] == n1) -> m++
		:: m == WAITERS -> break
		od;
		m = 0
	}
	if
	:: first != second ->
		/* Where they go first. */
		atomic { t[n1].count[BUCKET(n1, 1)] = t[n1].count[BUCKET(n1, 1)] + less;
			t[n1].lock[BUCKET(n1, 1)] = t[n1].lock[BUCKET(n1, 1)] & ~LOCKED }
		bucket_unlock(n1, BUCKET(n1, 0), less)
	:: else -> bucket_unlock(n1, first, 0)
	fi;
	unpin(n1);
	atomic { n1 = 0; less = 0; first = 0; second = 0; user[1] = 1 }
	wake(1)
}

#ifdef WAKE_OP
proctype wake_op()
{
	LOCALS;
	byte first, second;

	place_lock_two(1, 0);
	if
	:: first != second -> bucket_unlock(n1, second, 0)
	:: else
	fi;
	bucket_unlock(n1, first, 0);
	unpin(n1)
}
#endif

init {
	atomic {
		t[0].prev = NOBODY; t[1].prev = NOBODY; t[2].prev = NOBODY;
		run replace();
#ifdef ARRIVES
		run waiter(0);
		run waker(0);
#else
		state[0] = QUEUED; state[1] = QUEUED;
		key[1] = 1; at_b[1] = 1;
		t[0].count[0] = 1; t[0].count[1] = 1;
#endif
		run requeuer();
#ifdef WAKE_OP
		run wake_op();
#endif
	}
}
