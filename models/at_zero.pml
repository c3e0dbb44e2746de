/* SPDX-License-Identifier: MIT */
// Replacing at zero: a table of two buckets, one of one, and again one of two.
// How the count comes to tell the truth is in the models of src/ref.
// stands for: src/table/at_zero.c: replace, wait_for_switch, switch_if_dead,
//   pin_failed, free_old
// stands for: src/table/table.c: ufx_table_move_bucket
// stands for: src/table/place.c: pin_table, ufx_place_lock_slow, ufx_place_nobody
// stands for: src/futex/wait.c: lock_and_look, ufx_wait_leave
// stands for: src/futex/wake.c: ufx_wake
// stands for: src/ref/idle.c: ufx_idle_wait, ufx_idle_zero (the sleep until zero)
// rules: R3 R6 R8
// quick: -DREPLACEMENTS=1 -DTIMEOUT
// quick: -DREPLACEMENTS=2
// full: -DREPLACEMENTS=2 -DTIMEOUT
// full: -DREPLACEMENTS=1 -DTIMEOUT -DWAITERS=2
// negative: COUNTS_DOWN R8 counts of the old table are taken down before the mark
// negative: SWITCH_PINNED R8 the switch does not look at the count
// negative: PIN_FROM_ZERO R3 a pin takes the count from zero to one
// negative: FREE_AT_SWITCH -DREPLACEMENTS=2 R8 the old table is freed without a grace period
// negative: NO_ZERO_WAKE R6 the last unpin does not wake the requester
// negative: PUBLISH_BEFORE_MOVE R8 the new table is used before the waiters have moved
// negative: SECTION_NOT_ABORTED R6 the grace period before the fold does not abort sections
// reached: nobody zero_sleeps

#define MOVED 4
#define IDLE 0
#define QUEUED 1
#define WOKEN 2
#define BIAS 50
#ifndef WAITERS
#define WAITERS 1
#endif

typedef table_t { bool freed, atomic_state; bool lock[2], moved[2]; byte count[2] };
table_t t[3];
byte table, pending = 9;  /* d->table, d->pending: 9 is none */
short count, cells = 1;   /* the domain's counters, shared by its tables */
bool folded;              /* STEP_FOLDED */
bool domain_lock, zero_sleeper;
bool inside[8], abort[8]; /* sections */
byte user, state[WAITERS], at_t[WAITERS], at_b[WAITERS];
byte to_free = 9;         /* free_old waits for its grace period */

/* The keys of the waiters: 0, and 1. */
#define BUCKET(n, k) ((n) == 1 -> 0 : (k))

inline grace_period()
{
	atomic {
		abort[0] = inside[0]; abort[1] = inside[1]; abort[2] = inside[2];
		abort[3] = inside[3]; abort[4] = inside[4]; abort[5] = inside[5];
		abort[6] = inside[6]; abort[7] = inside[7];
		if
		:: to_free != 9 -> t[to_free].freed = true; to_free = 9
		:: else
		fi
	}
}

/* ufx_idle_publish; the cells were re-armed by the fold, and the count is zero. */
inline publish(n)
{
	atomic { folded = false; t[n].atomic_state = false; table = n }
}

/* The domain is locked. Nobody holds a pin, so no bucket is locked. */
inline switch_if_dead()
{
	if
#ifdef SWITCH_PINNED
	:: pending != 9 && t[table].atomic_state && folded ->
#else
	:: pending != 9 && t[table].atomic_state && folded && count == 0 ->
#endif
		old = table; b = 0;
#ifdef PUBLISH_BEFORE_MOVE
		publish(pending);
#endif
		do
		:: b < 2 && (b == 0 || old != 1) ->
#ifdef COUNTS_DOWN
			t[old].count[b] = 0;
#endif
			atomic {
				!t[old].lock[b];
				t[old].lock[b] = true;
				t[old].moved[b] = true
			}
			m = 0;
			do
			:: m < WAITERS && state[m] == QUEUED && at_t[m] == old && at_b[m] == b ->
				atomic {
					at_t[m] = pending;
					at_b[m] = BUCKET(pending, m);
					t[pending].count[at_b[m]]++;
				m++
				}
			:: m < WAITERS && !(state[m] == QUEUED && at_t[m] == old && at_b[m] == b) -> m++
			:: m == WAITERS -> break
			od;
			t[old].lock[b] = false;
			b++
		:: else -> break
		od;
#ifndef PUBLISH_BEFORE_MOVE
		publish(pending);
#endif
#ifdef FREE_AT_SWITCH
		t[old].freed = true;
#else
		to_free = old;
#endif
		atomic { pending = 9; old = 0; b = 0; m = 0 }
	:: else
	fi
}

/* What a section's commit does. The ghost says I1: all pins are of one table. */
inline commit()
{
	if
	:: seen_atomic -> count++
	:: else -> cells++
	fi;
	assert(!t[n1].freed && n1 == table);
	ok = true; seen_atomic = false
}

/* ufx_pin: {table; its state; count up, from zero not}, one section. */
inline pin_table()
{
	do
	:: atomic { abort[_pid] = false; inside[_pid] = true; n1 = table }
		seen_atomic = t[n1].atomic_state;
		atomic {
			inside[_pid] = false;
#ifdef SECTION_NOT_ABORTED
			abort[_pid] = false;
#endif
			if
			:: abort[_pid] -> seen_atomic = false; ok = false
#ifndef PIN_FROM_ZERO
			:: !abort[_pid] && seen_atomic && count == 0 -> ok = false
			:: !abort[_pid] && !(seen_atomic && count == 0) -> commit()
#else
			:: !abort[_pid] -> commit()
#endif
			fi
		}
		if
		:: ok -> break
		:: !ok && seen_atomic -> /* ufx_replace_pin_failed */
		seen_atomic = false;
			atomic { !domain_lock -> domain_lock = true }
			switch_if_dead();
			domain_lock = false
		:: !ok && !seen_atomic
		fi
	od;
	ok = false
}

inline place_lock(k, coming)
{
	pin_table();
	atomic {
		!t[n1].lock[BUCKET(n1, k)];
		assert(!t[n1].freed && !t[n1].moved[BUCKET(n1, k)]);
		t[n1].lock[BUCKET(n1, k)] = true;
		t[n1].count[BUCKET(n1, k)] = t[n1].count[BUCKET(n1, k)] + coming
	}
}

inline place_unlock(k, less)
{
	atomic {
		assert(!t[n1].freed && t[n1].lock[BUCKET(n1, k)]);
		t[n1].count[BUCKET(n1, k)] = t[n1].count[BUCKET(n1, k)] - (less);
		t[n1].lock[BUCKET(n1, k)] = false
	}
	atomic {
		assert(table == n1);
		if
		:: t[n1].atomic_state -> count--; zero = (count == 0)
		:: else -> cells--
		fi
	}
	if
#ifndef NO_ZERO_WAKE
	:: zero -> zero_sleeper = false /* ufx_idle_zero */
#endif
	:: else
	fi;
	atomic { zero = false; n1 = 0 }
}

#define LOCALS byte n1, old, b, m; bool ok, seen_atomic, zero

proctype waiter(byte me)
{
	LOCALS;
	bool deadline;

#ifdef TIMEOUT
	if :: deadline = true :: deadline = false fi;
#endif
	place_lock(me, 1);
	if
	:: user ->
		place_unlock(me, 1);
		goto done
	:: else ->
		atomic { state[me] = QUEUED; at_t[me] = n1; at_b[me] = BUCKET(n1, me) }
		place_unlock(me, 0)
	fi;
	if
#ifdef TIMEOUT
	:: deadline -> /* leave, by key */
		if
		:: state[me] == WOKEN
		:: else ->
			place_lock(me, 0);
			if
			:: state[me] == QUEUED ->
				assert(at_t[me] == n1 && at_b[me] == BUCKET(n1, me));
				state[me] = IDLE;
				place_unlock(me, 1)
			:: else -> place_unlock(me, 0)
			fi
		fi
#endif
	:: state[me] == WOKEN
	fi;
done:	skip
}

/* Stores to the words, full fence, wakes each. */
proctype waker()
{
	LOCALS;
	byte k, less;
	bool found;

	user = 1;
	do
	:: k < WAITERS ->
		do /* ufx_place_nobody: a section that only reads */
		:: atomic { abort[_pid] = false; inside[_pid] = true; n1 = table }
			atomic {
				inside[_pid] = false;
				if
				:: abort[_pid]
				:: else ->
					/* Freed memory reads as zero, or as the next table. */
					found = !t[n1].freed && (t[n1].count[BUCKET(n1, k)] ||
						t[n1].moved[BUCKET(n1, k)]);
					n1 = 0;
					break
				fi
			}
		od;
		if
		:: found ->
			found = false;
			place_lock(k, 0);
			atomic {
				less = 0;
				if
				:: state[k] == QUEUED && at_t[k] == n1 ->
					state[k] = WOKEN; less = 1
				:: else
				fi
			}
			place_unlock(k, less);
			less = 0
		:: else ->
nobody:			less = 0
		fi;
		k++
	:: else -> break
	od
}

proctype replace()
{
	byte r, old, b, m, next;

	do
	:: r < REPLACEMENTS ->
		atomic {
			!domain_lock; domain_lock = true;
			if
			:: r == 0 -> next = 1
			:: r == 1 && t[0].freed -> next = 0
			:: else -> next = 2
			fi;
			t[next].freed = false;
			t[next].count[0] = 0; t[next].count[1] = 0;
			t[next].moved[0] = false; t[next].moved[1] = false
		}
		atomic { pending = next; domain_lock = false }
		grace_period(); /* ufx_idle_drop: for the publication */
		count = count + BIAS; /* begin */
		t[table].atomic_state = true;
		grace_period();
		atomic { count = count + cells - BIAS - 1; cells = 1; folded = true } /* end */
		do /* wait_for_switch */
		:: atomic { !domain_lock; domain_lock = true }
			switch_if_dead();
			atomic {
				domain_lock = false;
				if
				:: pending == 9 -> break
				:: else
				fi
			}
			/* ufx_idle_wait: the kernel looks at the count once more. */
			atomic {
				if
				:: folded && count -> zero_sleeper = true
				:: else
				fi
			}
zero_sleeps:		!zero_sleeper
		od;
		r++
	:: else -> break
	od;
	grace_period()
}

init {
	byte i;

	atomic {
		for (i : 0 .. WAITERS - 1) { run waiter(i) }
		run waker();
		run replace()
	}
}
