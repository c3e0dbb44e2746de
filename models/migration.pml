// SPDX-License-Identifier: MIT
//
// Replacing when idle: the five steps. The counters are shared by successive
// objects. Readers get and put; updaters replace; one process stands for whoever
// drives deferred calls and makes grace periods, for strangers too (spare).
//
// stands for: src/ref/idle.c: begin, end, ufx_idle_drop, ufx_idle_publish,
//   ufx_idle_dead, ufx_idle_wait, ufx_idle_zero; src/ref/counted.c: ufx_pin,
//   ufx_counted_add, ufx_counted_begin; src/ref/cells.c: ufx_cells_collect;
//   src/ref/slot.c: switch_if_dead, wait_for_switch, ufx_slot_replace_later,
//   withdraw, ufx_slot_get, ufx_slot_put; include/ufutex/section-x86_64.h
// rules: R1 R2 R3 R4 R5 R6 R8
// quick: -DREADERS=2 -DLOOPS=1 -DUPDATERS=1 -DSPARE=0
// quick: -DREADERS=1 -DLOOPS=2 -DUPDATERS=1 -DSPARE=1 -DPLAIN
// full: -DREADERS=2 -DLOOPS=1 -DUPDATERS=1 -DSPARE=1
// full: -DREADERS=1 -DLOOPS=2 -DUPDATERS=2 -DSPARE=0
// full: -DREADERS=1 -DLOOPS=1 -DUPDATERS=2 -DSPARE=1 -DPLAIN -DNO_SECTIONS
// full: -DREADERS=1 -DLOOPS=1 -DUPDATERS=2 -DSPARE=0 -DPLAIN -DWITHDRAW
// reached: got_percpu got_atomic found_zero put_percpu put_atomic last_put
//   aborted skipped waited slept switched folded_to_zero
// negative: COOKIE_EARLY -DREADERS=1 -DLOOPS=1 -DUPDATERS=2 -DSPARE=1 R1 the cookie is taken before the publication
// negative: PLAIN_BARRIER R2 the membarrier does not restart sections
// negative: NO_BARRIER R2 no barrier at all
// negative: UNPROTECTED_GET -DREADERS=1 -DLOOPS=1 -DUPDATERS=2 -DSPARE=0 R3 an atomic get counts outside of its section
// negative: COOKIE_EARLY -DREADERS=1 -DLOOPS=1 -DUPDATERS=2 -DSPARE=1 -DPLAIN -DNO_SECTIONS R1 the same in the modes without sections
// negative: NO_BIAS -DREADERS=2 -DLOOPS=1 -DUPDATERS=1 -DSPARE=0 -DPLAIN -DNO_SECTIONS R4 no bias, in the modes without sections
// negative: GET_FROM_ZERO R3 an atomic get takes zero to one
// negative: SUM_BEFORE_BARRIER R4 the cells are summed when the state changes
// negative: NO_BIAS R4 the counter carries no bias
// negative: FOLD_TWICE -DREADERS=1 -DLOOPS=1 -DUPDATERS=1 -DSPARE=0 R4 the cells are added twice
// negative: FOLDED_LATE R4 "folded" is said after the fold
// negative: ONE_CPU R5 one CPU's cell is summed
// negative: NO_REARM -DREADERS=1 -DLOOPS=1 -DUPDATERS=2 -DSPARE=0 R6 the cells start without the initial reference
// negative: NO_ZEROING -DREADERS=1 -DLOOPS=1 -DUPDATERS=2 -DSPARE=0 R6 the cells are not set to zero
// negative: TWO_AT_ONCE -DREADERS=1 -DLOOPS=1 -DUPDATERS=2 -DSPARE=0 -DWITHDRAW R6 a withdrawn request's migration is not waited for
// negative: NO_STEP_2 -DREADERS=1 -DLOOPS=1 -DUPDATERS=2 -DSPARE=0 R6 the bias comes at once, whatever the cookie says
// negative: FREE_EARLY R8 the old object is released without a grace period
// negative: NO_DRAIN -DREADERS=1 -DLOOPS=1 -DUPDATERS=1 -DSPARE=0 -DPLAIN R8 a grace period waits for no read side
// negative: NO_ZERO_WAKE -DREADERS=1 -DLOOPS=1 -DUPDATERS=1 -DSPARE=0 - the last put wakes nobody
#include "sections.inc"

#define OBJECTS (UPDATERS + 1)
#define NONE OBJECTS
#define BIASED 100
#ifdef NO_BIAS
#define BIAS 1
#else
#define BIAS BIASED
#endif

mtype:step = { PERCPU, DROPPED, BEGUN, FOLDED }
mtype:step step = PERCPU;
bool atomic_state[OBJECTS], locked, call_queued, asleep[UPDATERS];
byte current, pending = NONE, draining, publications;
byte started, done, published = 1, call_cookie, due[OBJECTS], freed[OBJECTS];
byte spare = SPARE;
short count;
byte users; /* who holds a reference */
#ifdef SUM_BEFORE_BARRIER
short early_sum;
#endif

#define dead (atomic_state[current] && step == FOLDED && count == 0)
#define lock() atomic { !locked -> locked = true }
#define unlock() locked = false

inline wake_at_zero() /* ufx_idle_zero */
{
#ifdef NO_ZERO_WAKE
	skip
#else
	d_step { for (sleeper : 0 .. UPDATERS - 1) { asleep[sleeper] = false } sleeper = 0 }
#endif
}

/* Bias, then atomic. Nobody looks at the state and the step without the lock. */
inline begin(object)
{
	count = count + BIAS;
	d_step {
#ifdef SUM_BEFORE_BARRIER
		early_sum = cell[0] + cell[1] + cell[2];
#endif
		atomic_state[object] = true; step = BEGUN
	}
}

inline publish(next) /* ufx_idle_publish, ufx_grace_publish */
{
	d_step { step = PERCPU; atomic_state[next] = false };
#ifdef COOKIE_EARLY
	published = started + 1;
	d_step { current = next; publications++ }
#else
	d_step { current = next; publications++ };
	published = started + 1
#endif
}

inline switch_if_dead() /* the lock is held */
{
	if
	:: dead ->
		assert(users == 0);
		d_step { old = current; next = (pending == NONE -> old : pending) };
		publish(next);
		d_step {
			pending = NONE;
			if /* ufx_grace_call(release_idle) */
			:: next != old ->
#ifdef FREE_EARLY
				freed[old]++
#else
				due[old] = started + 1
#endif
			:: else
			fi;
			old = 0; next = 0
		}
	:: else
	fi
}

proctype reader(byte t)
{
	byte object, version, n, leaver, old, next, sleeper;
	short seen;

again:	atomic { /* whoever is aborted before the load may as well begin later */
		leave(t); seen = 0; object = 0; version = 0;
		if
		:: n == LOOPS -> goto finished
		:: else -> protect(t); object = current; version = publications
		fi
	};
	assert(section[t] == ABORTED || !freed[object]);
	if
	:: !atomic_state[object] ->
		atomic {
			if
			:: section[t] == ABORTED -> goto again
			:: section[t] == WITHIN -> commit_on_some_cpu(t, 0, 1)
			:: reading[t] -> cell[2]++
			fi;
got_percpu:		skip; leave(t); users++
		}
	:: else ->
#ifdef UNPROTECTED_GET
		leave(t);
#endif
		seen = count;
		atomic {
			if
			:: section[t] == ABORTED ->
aborted:			goto again
#ifndef GET_FROM_ZERO
			:: section[t] != ABORTED && seen == 0 -> leave(t); goto slow
#endif
			:: else -> assert(!freed[object]) /* it says where the counter is */
			fi;
			drain(t);
			if
			:: count != seen -> goto again
			:: else -> count++; users++
			fi;
got_atomic:		skip; leave(t)
		}
	fi;
	assert(object == current && !freed[object]);
unput:	atomic { /* ufx_slot_put */
		if
		:: seen != -1 -> users--; seen = -1
		:: else
		fi;
		assert(!freed[object]);
		leave(t); protect(t);
		if
		:: !atomic_state[object]
		:: else -> leave(t); goto put_atomic
		fi
	};
	atomic {
		if
		:: section[t] == ABORTED -> goto unput
		:: section[t] == WITHIN -> commit_on_some_cpu(t, 0, -1)
		:: reading[t] -> cell[2]--
		fi;
put_percpu:	n++; goto again
	};
put_atomic: skip; atomic { /* it stays atomic while we hold a reference */
		drain(t); count--; n++;
		if
		:: count == 0
		:: else -> goto again
		fi
	};
last_put: skip; wake_at_zero();
	goto again;
slow:	lock(); /* ufx_slot_get finds zero: then it may switch, or it would loop */
found_zero: assert(publications != version || dead);
	switch_if_dead();
	unlock();
	goto again;
finished: skip
}

proctype updater(byte u)
{
	byte old, next, sleeper;
	bool asked, dropped;
	mtype:step s = PERCPU;
	short n;

	do
	:: lock();
		switch_if_dead();
		if
		:: pending == NONE && asked -> unlock(); break
		:: pending == NONE && !asked ->
			d_step { asked = true; pending = u + 1 };
#ifndef TWO_AT_ONCE
			if /* ufx_idle_drop */
			:: step != PERCPU -> unlock(); goto asked_it
			:: else
			fi;
#endif
			draining = current;
			if
#ifndef NO_STEP_2
			:: done < published ->
waited:			step = DROPPED
			:: done >= published ->
#else
			:: true ->
#endif
skipped:			skip; begin(draining)
			fi;
			unlock();
			d_step { /* ufx_idle_hurry */
				assert(!call_queued); call_cookie = started + 1; call_queued = true
			};
asked_it:		skip
		:: else ->
			unlock();
			s = step; n = count; /* ufx_idle_wait */
			if
			:: s == FOLDED && n >= BIASED / 2 -> count < BIASED / 2 || step != FOLDED
			:: s == FOLDED && n > 0 && n < BIASED / 2 ->
				d_step {
					if /* futex(2) compares the low half */
					:: count % BIASED == n -> asleep[u] = true
					:: else
					fi
				};
slept:			!asleep[u]
			:: (s == FOLDED && n <= 0) || s == PERCPU
			:: s == DROPPED || s == BEGUN -> step != s
			fi;
			s = PERCPU; n = 0
		fi
#ifdef WITHDRAW
	:: asked -> /* the kernel refuses us grace periods */
		lock();
		if
		:: pending == u + 1 -> pending = NONE; freed[u + 1]++
		:: else
		fi;
		unlock(); break
#endif
	od;
switched: skip
}

inline period() /* lead */
{
	started = started + 1;
	barrier();
	d_step {
		done = started;
		for (i : 0 .. OBJECTS - 1) { /* release_idle, of a call that waits */
			if
			:: due[i] && due[i] <= done -> freed[i]++; due[i] = 0
			:: else
			fi
		}
		i = 0
	}
}

/* ufx_cells_collect. If anybody still counts, one instant is as bad as another. */
inline collect()
{
	d_step {
		change = cell[0] + cell[1] + cell[2];
#ifdef ONE_CPU
		change = change - cell[1];
#endif
#ifdef FOLD_TWICE
		change = change + change;
#endif
#ifdef SUM_BEFORE_BARRIER
		change = early_sum;
#endif
#ifndef NO_ZEROING
		cell[0] = 0; cell[1] = 0; cell[2] = 0;
#endif
		change = change - 1 - BIAS
	}
}

active proctype driver()
{
	byte on, i, sleeper;
	short change;

end:	do
	:: call_queued ->
		call_queued = false;
next_step:	do
		:: done < call_cookie -> period()
		:: else -> break
		od;
		if
		:: step == DROPPED -> begin(draining); call_cookie = started + 1; goto next_step
		:: else
		fi;
		collect(); /* end */
#ifndef NO_REARM
		cell[REGIONS - 1]++;
#endif
#ifndef FOLDED_LATE
		step = FOLDED;
#endif
		d_step { count = count + change; change = (count == 0 -> 1 : 0) };
#ifdef FOLDED_LATE
		step = FOLDED;
#endif
		if
		:: change ->
			change = 0;
folded_to_zero:		skip; wake_at_zero()
		:: else
		fi
	:: spare > 0 -> spare--; period()
	od
}

init {
	byte i;

	cell[REGIONS - 1] = 1;
	atomic {
		for (i : 0 .. READERS - 1) { run reader(i) }
		for (i : 0 .. UPDATERS - 1) { run updater(i) }
	}
	_nr_pr == 2 && !call_queued && (step == PERCPU || dead);
	d_step {
		for (i : 0 .. OBJECTS - 1) {
			assert(freed[i] + (due[i] -> 1 : 0) == (i == current -> 0 : 1))
		}
		for (i : 0 .. READERS - 1) { count = count + pending_add[i] }
		assert(count + cell[0] + cell[1] + cell[2] == 1) /* the initial reference */
	}
}
