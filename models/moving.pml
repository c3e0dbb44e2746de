/* SPDX-License-Identifier: MIT */
// Replacing by moving: a table of two buckets, one of one bucket, and a third
// of two in memory that may be the first one's. Sections are restarted by grace
// periods; waiters sleep and time out; a requeue holds two buckets.
// stands for: src/table/moving.c: replace, retire, drained
// stands for: src/table/table.c: ufx_table_move_bucket, move_waiter
// stands for: src/table/place.h: ufx_place_try, ufx_place_lock, ufx_place_unlock
// stands for: src/table/place.c: pin_settled, settle, ufx_place_lock_slow,
//   lock_pair, ufx_place_lock_two, ufx_place_unlock_two, ufx_place_nobody
// stands for: src/futex/wait.c: lock_and_look, ufx_wait_prepare, leave
// stands for: src/futex/wake.c: ufx_wake
// stands for: src/futex/requeue.c: ufx_requeue, move
// rules: R8 R9
// quick: -DREPLACEMENTS=1
// quick: -DREPLACEMENTS=2 -DTIMEOUT
// quick: -DREPLACEMENTS=1 -DREQUEUE -DSECOND_WAITER -DWAKE_OP -DPAIR
// full: -DREPLACEMENTS=2 -DREQUEUE -DSECOND_WAITER -DWAKE_OP -DPAIR
// full: -DREPLACEMENTS=1 -DSECOND_WAITER
// full: -DREPLACEMENTS=1 -DREQUEUE
// negative: COUNT_BEFORE_MARK R9 a moved bucket's count falls before the mark
// negative: COUNT_WITHOUT_MARK R9 the empty wake tests the count only, and it falls with the mark
// negative: NO_SETTLE R9 the new table is used before the key's bucket has moved
// negative: MARK_NOT_STICKY R9 the mark goes when the bucket has been moved
// negative: PREV_NULL_EARLY R9 the table says that it is in force before all have moved
// negative: PREV_NOT_SEEN R9 the empty wake does not look at what is in front
// negative: RECYCLE_EARLY -DREPLACEMENTS=2 R8 the old memory is used again before a grace period
// negative: FREE_PINNED -DREPLACEMENTS=1 -DSECOND_WAITER R8 the old table is freed while pinned
// negative: BUCKET_REMEMBERED -DREPLACEMENTS=1 -DTIMEOUT R8 a waiter remembers its bucket
// negative: SETTLE_LATE -DREPLACEMENTS=1 -DREQUEUE -DSECOND_WAITER -DPAIR R9 the second key is settled under the first one's lock
// negative: LOCKS_BY_KEY -DREPLACEMENTS=1 -DREQUEUE -DSECOND_WAITER -DWAKE_OP -DPAIR R9 two locks are taken in the order of the keys
// reached: in_force woken_asleep

#define LOCKED 1
#define MOVED 4
#define NOBODY 9 /* no table */
#define IDLE 0
#define QUEUED 1
#define WOKEN 2

#ifdef REQUEUE
#define KEYS 2
#elif defined(SECOND_WAITER)
#define KEYS 2
#else
#define KEYS 1
#endif
#ifdef SECOND_WAITER
#define WAITERS 2
#else
#define WAITERS 1
#endif

/* The word of a bucket in two; both change and are read in one step. */
typedef table_t {
	byte prev;       /* NOBODY: none */
	byte pins;       /* counted */
	bool freed, retired;
	byte lock[2], count[2];
};
table_t t[3];
byte table = 0;          /* d->table */
bool inside[8], abort[8]; /* sections, by _pid; a grace period aborts them */
byte user[2];            /* the program's words: 1 when changed */
byte state[WAITERS], key[WAITERS], at_t[WAITERS], at_b[WAITERS];
byte came[WAITERS], tickets;

/* Table 1 has one bucket; the others have one for each key. */
#define BUCKET(n, k) ((n) == 1 -> 0 : (k))

inline section() { abort[_pid] = false; inside[_pid] = true }
inline section_end() { inside[_pid] = false; abort[_pid] = false }
inline grace_period()
{
	atomic {
		abort[0] = inside[0]; abort[1] = inside[1]; abort[2] = inside[2];
		abort[3] = inside[3]; abort[4] = inside[4]; abort[5] = inside[5];
		abort[6] = inside[6]; abort[7] = inside[7]
	}
}

/* ufx_bucket_lock: blocked lockers sleep (bucket.pml). */
inline bucket_lock(n, b, coming, ok)
{
	atomic {
		(t[n].lock[b] & MOVED) || !(t[n].lock[b] & LOCKED);
		assert(!t[n].freed);
		if
		:: t[n].lock[b] & MOVED -> ok = false
		:: else ->
			t[n].lock[b] = t[n].lock[b] | LOCKED;
			t[n].count[b] = t[n].count[b] + coming;
			ok = true
		fi
	}
}

inline bucket_unlock(n, b, less)
{
	atomic {
		assert(!t[n].freed && t[n].lock[b] & LOCKED);
		t[n].count[b] = t[n].count[b] - (less);
		t[n].lock[b] = t[n].lock[b] & ~LOCKED
	}
}

/* The last one hands the table over: drained(), reaped at the next one. */
inline unpin(n)
{
	atomic {
		t[n].pins--;
		if
		:: t[n].retired && t[n].pins == 0 -> t[n].freed = true
		:: else
		fi
	}
}

/* Moves what waits in bucket @b of @n to @to. The caller keeps @n. */
inline move_bucket(n, b, to)
{
	bucket_lock(n, b, 0, ok);
	if
	:: !ok -> atomic { !(t[n].lock[b] & LOCKED) } /* ufx_bucket_wait_moved */
	:: else ->
#ifdef COUNT_BEFORE_MARK
		t[n].count[b] = 0;
#endif
		atomic {
			t[n].lock[b] = t[n].lock[b] | MOVED;
#ifdef COUNT_WITHOUT_MARK
			t[n].count[b] = 0;
#endif
			m = 0
		}
		do
		:: m < WAITERS && state[m] == QUEUED && at_t[m] == n && at_b[m] == b ->
			atomic {
				!(t[to].lock[BUCKET(to, key[m])] & LOCKED);
				assert(!t[to].freed && !(t[to].lock[BUCKET(to, key[m])] & MOVED));
				t[to].lock[BUCKET(to, key[m])] = LOCKED;
				t[to].count[BUCKET(to, key[m])]++
			}
			atomic {
				at_t[m] = to;
				at_b[m] = BUCKET(to, key[m]);
				t[to].lock[BUCKET(to, key[m])] = 0;
				m++
			}
		:: m < WAITERS && !(state[m] == QUEUED && at_t[m] == n && at_b[m] == b) -> m++
		:: m == WAITERS -> break
		od;
		m = 0;
		bucket_unlock(n, b, 0);
#ifdef MARK_NOT_STICKY
		t[n].lock[b] = t[n].lock[b] & ~MOVED;
#endif
	fi;
	ok = false
}

/* The table in force, pinned: load and count in one section. */
inline pin(where, into)
{
	do
	:: atomic { section(); into = where }
		atomic {
			if
			:: abort[_pid] -> section_end()
			:: else ->
				section_end();
				if
				:: into != NOBODY ->
					assert(!t[into].freed);
					t[into].pins++
				:: else
				fi;
				break
			fi
		}
	od
}

inline settle(k)
{
#ifndef NO_SETTLE
	if
	:: t[n1].prev != NOBODY ->
		pin(t[n1].prev, from);
		if
		:: from != NOBODY ->
			move_bucket(from, BUCKET(from, k), n1);
			unpin(from);
			from = 0
		:: else -> from = 0
		fi
	:: else
	fi
#else
	skip
#endif
}

/* ufx_place_lock: n1 is locked at key @k, @coming counted up; pinned: by counting. */
inline place_lock(k, coming)
{
	/* ufx_place_try. (The word is loaded before the swap: a failed one gives way.) */
	atomic { section(); n1 = table }
	if
	:: atomic { t[n1].prev != NOBODY -> section_end() }
	:: atomic { t[n1].prev == NOBODY -> skip }
		atomic {
			if
			:: !abort[_pid] && !(t[n1].lock[BUCKET(n1, k)] & (LOCKED | MOVED)) ->
				assert(!t[n1].freed);
				t[n1].lock[BUCKET(n1, k)] = LOCKED;
				t[n1].count[BUCKET(n1, k)] = t[n1].count[BUCKET(n1, k)] + coming;
				ok = true
			:: else
			fi;
			section_end()
		}
	fi;
	pinned = !ok;
	do /* ufx_place_lock_slow */
	:: ok -> break
	:: else ->
		pin(table, n1);
		settle(k);
		bucket_lock(n1, BUCKET(n1, k), coming, ok);
		if
		:: ok
		:: else -> unpin(n1)
		fi
	od;
	ok = false
}

inline place_unlock(k, less)
{
	bucket_unlock(n1, BUCKET(n1, k), less);
	if
	:: pinned -> unpin(n1)
	:: else
	fi;
	pinned = false; n1 = 0
}

#define LOCALS byte n1, m, from; bool ok, pinned

proctype waiter(byte me)
{
	LOCALS;
	byte k = me;
	bool deadline;

#ifdef TIMEOUT
	if :: deadline = true :: deadline = false fi;
#endif
	place_lock(k, 1);
	if
	:: user[k] ->
		place_unlock(k, 1);
		goto done
	:: else ->
		atomic {
			state[me] = QUEUED; key[me] = k;
			at_t[me] = n1; at_b[me] = BUCKET(n1, k);
			tickets++; came[me] = tickets
		}
		place_unlock(k, 0)
	fi;
	if
#ifdef TIMEOUT
	:: deadline -> /* it has passed */
		do /* ufx_wait_finish */
		:: state[me] == WOKEN -> break
		:: else ->
			k = key[me];
#ifdef BUCKET_REMEMBERED
			n1 = at_t[me];
			bucket_lock(n1, at_b[me], 0, ok);
			ok = false;
#else
			place_lock(k, 0);
#endif
			if
			:: state[me] == QUEUED && key[me] == k ->
				assert(at_t[me] == n1 && at_b[me] == BUCKET(n1, k));
				state[me] = IDLE;
				place_unlock(k, 1);
				break
			:: else -> place_unlock(k, 0)
			fi
		od
#endif
	:: state[me] == WOKEN -> /* sleeps */
woken_asleep:	k = 0
	fi;
done:	skip
}

/* ufx_wake of all, by @k. Its caller has stored to the word; a full fence. */
inline wake(k)
{
	atomic { section(); n1 = table; m = 0 } /* ufx_place_nobody */
	if
#ifdef PREV_NOT_SEEN
	:: false
#else
	:: atomic { t[n1].prev != NOBODY -> section_end(); m = 1 }
#endif
	:: else -> atomic {
			if
			:: abort[_pid] -> m = 1 /* looks again, or locks */
#ifdef COUNT_WITHOUT_MARK
			:: !abort[_pid] && t[n1].count[BUCKET(n1, k)] -> m = 1
#else
			:: !abort[_pid] && (t[n1].count[BUCKET(n1, k)] ||
					    (t[n1].lock[BUCKET(n1, k)] & MOVED)) -> m = 1
#endif
			:: else -> m = 0
			fi;
			section_end() }
	fi;
	if
	:: m ->
		atomic { m = 0; n1 = 0 }
		place_lock(k, 0);
		m = 0;
		atomic { /* ufx_take */
			less = 0;
			do
			:: m < WAITERS && state[m] == QUEUED && key[m] == k &&
			   at_t[m] == n1 ->
				state[m] = WOKEN; less++; m++
			:: m < WAITERS && !(state[m] == QUEUED && key[m] == k &&
			   at_t[m] == n1) -> m++
			:: m == WAITERS -> break
			od;
			m = 0
		}
		place_unlock(k, less);
		less = 0
	:: else ->
		n1 = 0
	fi
}

proctype waker(byte k)
{
	LOCALS;
	byte less;

	user[k] = 1;
	wake(k);
#ifdef SECOND_WAITER
	atomic { k = 1; user[k] = 1 }
	wake(k)
#endif
}

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

#ifdef REQUEUE
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
#endif

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

/* The domain's lock is held: one replacement after the other. */
proctype replace()
{
	byte old, next, b, r, m;
	bool ok;

	do
	:: r < REPLACEMENTS ->
		old = table;
		atomic {
			if
			:: r == 0 -> next = 1
			:: r == 1 && t[0].freed -> next = 0 /* its memory again */
			:: else -> next = 2
			fi;
			t[next].freed = false; t[next].retired = false;
			t[next].lock[0] = 0; t[next].lock[1] = 0;
			t[next].count[0] = 0; t[next].count[1] = 0;
			t[next].prev = old
		}
		table = next;
#ifdef PREV_NULL_EARLY
		t[next].prev = NOBODY;
#endif
		b = 0;
		do
		:: b < 2 && (b == 0 || old != 1) ->
			move_bucket(old, b, next);
			b++
		:: else -> break
		od;
in_force:	t[next].prev = NOBODY;
#ifndef RECYCLE_EARLY
		grace_period();
#endif
		atomic { /* fold */
			t[old].retired = true;
			if
#ifdef FREE_PINNED
			:: true -> t[old].freed = true
#else
			:: t[old].pins == 0 -> t[old].freed = true
#endif
			:: else
			fi
		}
		r++
	:: else -> break
	od
}

init {
	atomic {
		t[0].prev = NOBODY; t[1].prev = NOBODY; t[2].prev = NOBODY;
		run replace();
#ifdef PAIR /* two wait already; what locks two buckets, and the replacer */
		state[0] = QUEUED; state[1] = QUEUED;
		key[1] = 1; at_b[1] = 1;
		t[0].count[0] = 1; t[0].count[1] = 1;
#else
		run waiter(0);
		run waker(0);
#ifdef SECOND_WAITER
		run waiter(1);
#endif
#endif
#ifdef REQUEUE
		run requeuer();
#endif
#ifdef WAKE_OP
		run wake_op();
#endif
	}
}
