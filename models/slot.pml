// SPDX-License-Identifier: MIT
//
// Publish first: the new object is in force at once, the old one, with counters
// of its own, drains behind. Readers get and put; a publisher replaces one
// object after the other; one process makes periods and runs deferred calls.
//
// stands for: src/ref/slot.c: ufx_slot_publish, fold_old, bury, release_dead,
//   ufx_slot_get, ufx_slot_put, ufx_slot_exit; src/ref/counted.c: ufx_pin,
//   ufx_counted_add, ufx_counted_begin, ufx_counters_fold
// rules: R1 R2 R3 R4 R5 R8 R10
// quick: -DREADERS=2 -DLOOPS=1 -DREPLACES=1
// quick: -DREADERS=1 -DLOOPS=1 -DREPLACES=2 -DPLAIN
// full: -DREADERS=2 -DLOOPS=1 -DREPLACES=2
// full: -DREADERS=1 -DLOOPS=2 -DREPLACES=2 -DPLAIN
// reached: got_percpu got_atomic put_percpu last_put buried folded_to_zero released_dead
// negative: COOKIE_EARLY R1 the period may begin before the old state is atomic
// negative: PLAIN_BARRIER R2 the membarrier does not restart sections
// negative: NO_BARRIER R2 no barrier at all
// negative: UNPROTECTED_GET R3 an atomic get counts outside of its section
// negative: NO_BIAS R4 the counter carries no bias
// negative: FOLD_TWICE R4 the cells are added twice
// negative: ONE_CPU R5 one CPU's cell is summed
// negative: NO_PERIOD R8 the old one is folded without a grace period
// negative: FREE_TWICE R8 the last put and the fold both release
// negative: BURY_PLAINLY -DREADERS=2 -DLOOPS=1 -DREPLACES=2 R8 the push on the list of dead objects is a plain store
// negative: PUT_FREES R10 the last put releases by itself
#define SETS (REPLACES + 1)
#include "sections.inc"
#define NONE SETS
#ifdef NO_BIAS
#define BIAS 1
#else
#define BIAS 100
#endif

bool atomic_state[SETS], in_put;
byte current, folded, started, done, cookie[SETS], dead = NONE, next[SETS], released[SETS];
short count[SETS];

inline release(object)
{
	assert(!in_put);
	released[object]++;
	assert(released[object] == 1)
}

proctype reader(byte t)
{
	byte object, n, leaver, top;
	short seen;

again:	atomic { /* whoever is aborted before the load may as well begin later */
		leave(t); seen = 0; object = 0; top = 0;
		if
		:: n == LOOPS -> goto finished
		:: else -> protect(t); object = current
		fi
	};
	assert(section[t] == ABORTED || !released[object]);
	if
	:: !atomic_state[object] ->
		atomic {
			if
			:: section[t] == ABORTED -> goto again
			:: section[t] == WITHIN -> commit_on_some_cpu(t, object, 1)
			:: reading[t] -> cell[CELL(object, 2)]++
			fi;
got_percpu:		skip; leave(t)
		}
	:: else ->
#ifdef UNPROTECTED_GET
		leave(t);
#endif
		seen = count[object];
		atomic {
			if
			:: section[t] == ABORTED -> goto again
			:: else -> assert(seen != 0) /* no get meets a drained object */
			fi;
			assert(!released[object]); /* its counter is in it */
			drain(t);
			if
			:: count[object] != seen -> goto again
			:: else -> count[object]++
			fi;
got_atomic:		skip; leave(t)
		}
	fi;
	assert(!released[object]); /* the user looks at it */
unput:	atomic { /* ufx_slot_put */
		assert(!released[object]);
		leave(t); protect(t);
		if
		:: !atomic_state[object]
		:: else -> leave(t); goto put_atomic
		fi
	};
	atomic {
		if
		:: section[t] == ABORTED -> goto unput
		:: section[t] == WITHIN -> commit_on_some_cpu(t, object, -1)
		:: reading[t] -> cell[CELL(object, 2)]--
		fi;
put_percpu:	n++; goto again
	};
put_atomic: atomic { /* it stays atomic while we hold a reference */
		drain(t); count[object]--; n++;
		if
		:: count[object] == 0
		:: else -> goto again
		fi
	};
last_put: skip; /* nobody but us has it: bury */
#if defined(PUT_FREES)
	d_step { in_put = true; release(object) };
#elif defined(FREE_TWICE)
	d_step { release(object) };
#endif
	assert(!released[object]);
	do
	:: top = dead;
		next[object] = top;
#ifdef BURY_PLAINLY
		dead = object; break
#else
		atomic {
			if
			:: dead == top -> dead = object;
buried:				skip; break
			:: else
			fi
		}
#endif
	od;
	goto again;
finished: skip
}

inline release_dead()
{
	d_step { walk = dead; dead = NONE };
	do
	:: walk == NONE -> break
	:: else ->
released_dead:	d_step { old = next[walk]; release(walk); walk = old }
	od
}

proctype publisher()
{
	byte n, old, walk;

	do
	:: n < REPLACES -> /* ufx_slot_publish, under the slot's lock */
		old = current;
#ifdef COOKIE_EARLY
		cookie[old] = started + 1;
#endif
		current = n + 1;
		count[old] = count[old] + BIAS; /* ufx_counted_begin */
		atomic_state[old] = true;
#ifndef COOKIE_EARLY
		cookie[old] = started + 1; /* ufx_grace_call(fold_old) */
#endif
		release_dead();
		n++
	:: else -> break
	od
}

active proctype driver()
{
	byte on, i;
	short change;

end:	do
	:: d_step { i < REPLACES && cookie[i] -> skip };
		do
		:: done < cookie[i] ->
			started = started + 1;
#ifndef NO_PERIOD
			barrier();
#endif
			done = started
		:: else -> break
		od;
		skip;
		d_step { /* fold_old: ufx_cells_collect */
			cookie[i] = 0;
			change = cell[CELL(i, 0)] + cell[CELL(i, 1)] + cell[CELL(i, 2)];
#ifdef ONE_CPU
			change = change - cell[CELL(i, 1)];
#endif
#ifdef FOLD_TWICE
			change = change + change;
#endif
			cell[CELL(i, 0)] = 0; cell[CELL(i, 1)] = 0; cell[CELL(i, 2)] = 0
		};
		d_step {
			count[i] = count[i] + change - BIAS - 1;
			change = (count[i] == 0 -> 1 : 0)
		};
#ifdef FREE_TWICE
		change = (count[i] == 0 -> 1 : 0); /* another look */
#endif
		if
		:: change ->
folded_to_zero:		d_step { release(i) }
		:: else
		fi;
		atomic { change = 0; i++; folded++ }
	od
}

init {
	byte i, walk = NONE, old;

	atomic {
		for (i : 0 .. REPLACES) { cell[CELL(i, 2)] = 1 }
		for (i : 0 .. READERS - 1) { run reader(i) }
		run publisher()
	}
	_nr_pr == 2 && folded == REPLACES; /* ufx_slot_exit: nobody uses it any more */
	d_step { walk = dead; dead = NONE };
	do
	:: walk == NONE -> break
	:: else -> d_step { old = next[walk]; release(walk); walk = old }
	od;
	skip;
	d_step {
		release(current);
		for (i : 0 .. REPLACES) { assert(released[i] == 1) }
	}
}
