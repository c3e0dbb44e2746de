// SPDX-License-Identifier: MIT
//
// Deferred calls and the life of what they work on. The owner of a when-idle
// slot asks for a replacement, so that a call is pending, and tears the slot
// down: itself, or (-DIN_CALL) in another deferred call. A stranger queues a
// call of its own and wants all to have run.
//
// stands for: src/grace/call.c: ufx_grace_call_hurry, ufx_grace_barrier, drive,
//   drive_and_retire, relieve_and_drive; src/ref/idle.c: ufx_idle_drop,
//   ufx_idle_hurry, next_step, begin_unless_gone, ufx_idle_exit, unkeep
// rules: R7 R8
// quick: -DSTRANGERS=1
// quick: -DSTRANGERS=1 -DIN_CALL
// full: -DSTRANGERS=2
// full: -DSTRANGERS=2 -DIN_CALL
// reached: drove_other relieved looked_again began found_gone ended
// negative: NO_KEEPER R7 a pending call keeps nothing
// negative: NO_GONE R7 a call does not ask whether the container has gone
// negative: WAIT_FOR_OWN -DSTRANGERS=1 -DIN_CALL R7 teardown waits for its own call
// negative: WAIT_FOR_ALL -DSTRANGERS=1 -DIN_CALL R7 teardown waits for strangers' calls
// negative: FREE_AT_EXIT R8 teardown frees, whoever keeps
// negative: NO_SECOND_LOOK - the driver retires without another look at the list
// negative: LOOK_BEFORE_UNLOCK - it looks before it gives the role back
// negative: RELIEVED_BY_NOBODY - it retires though nobody waits for the role
// negative: BARRIER_LOOKS - a barrier believes an empty list
#define MIGRATION 0
#define TEARDOWN 1
#define STRANGER 2 /* and the following */
#define CALLS (2 + STRANGERS)
#define BATCHES_MAX 1

chan list = [CALLS] of { byte };
bool driver, long_drive, ran[CALLS];
byte waiting;
mtype = { PERCPU, DROPPED, BEGUN, FOLDED }
mtype step = PERCPU;
byte keepers = 1, migration_freed, object_freed;
bool migration_lock, gone;

inline unkeep() /* the last one frees */
{
	atomic {
		assert(!migration_freed);
		keepers--;
		if
		:: keepers == 0 -> migration_freed++
		:: else
		fi
	}
}

inline unkeep_of_call() /* ufx_idle_unkeep */
{
#ifdef NO_KEEPER
	skip
#else
	unkeep()
#endif
}

inline teardown() /* ufx_slot_exit, ufx_idle_exit */
{
#ifdef WAIT_FOR_OWN
	keepers == 1;
#endif
#ifdef WAIT_FOR_ALL
	!driver;
#endif
	atomic { !migration_lock -> migration_lock = true };
	gone = true;
	migration_lock = false;
	unkeep();
#ifdef FREE_AT_EXIT
	migration_freed++;
#endif
	object_freed = true
}

proctype thread(byte me)
{
	byte i, call, n, batches;
	bool was_relieved;
	chan batch = [CALLS] of { byte };

next:	atomic { call = 0; batches = 0; was_relieved = false; i++ };
	if
	:: me == 0 && i == 1 -> /* ufx_slot_replace_later */
#ifndef NO_KEEPER
		keepers++;
#endif
		step = DROPPED;
		list ! MIGRATION
	:: me == 0 && i == 2 ->
#ifdef IN_CALL
		list ! TEARDOWN
#else
		teardown(); goto next
#endif
	:: me != 0 && i == 1 -> list ! STRANGER + me - 1
	:: me != 0 && i == 2 ->
#ifdef BARRIER_LOOKS
		if
		:: empty(list) -> assert(ran[STRANGER + me - 1]); goto next
		:: else
		fi;
#endif
		goto relieve
	:: i == 3 ->
		if
		:: me != 0 -> assert(ran[STRANGER + me - 1])
		:: else
		fi;
		goto finished
	fi;
	/* ufx_grace_call_hurry */
	atomic {
		if
		:: !driver -> driver = true; goto drive
		:: else
		fi
	};
	if
	:: long_drive -> goto relieve
	:: else -> goto next
	fi;
relieve: waiting++; /* relieve_and_drive */
	atomic { !driver -> driver = true };
	waiting--;
drive:	long_drive = false;
	batches = 1;
	do
	:: empty(list) -> break
	:: nempty(list) && !was_relieved ->
		d_step { /* take_all; then the grace period */
			do
			:: list ? call; batch ! call
			:: empty(list) -> break
			od
		};
		do
		:: empty(batch) -> break
		:: batch ? call ->
			if
			:: call == MIGRATION -> /* next_step */
				assert(!migration_freed);
				if
				:: step == DROPPED -> /* begin_unless_gone */
					atomic { !migration_lock -> migration_lock = true };
					if
#ifndef NO_GONE
					:: gone ->
						migration_lock = false;
found_gone:					ran[MIGRATION] = true;
						unkeep_of_call()
					:: else ->
#else
					:: true ->
#endif
						assert(!object_freed);
						step = BEGUN;
						migration_lock = false;
began:						list ! MIGRATION /* we drive: it is only queued */
					fi
				:: else ->
ended:					step = FOLDED;
					ran[MIGRATION] = true;
					unkeep_of_call()
				fi
			:: call == TEARDOWN -> teardown(); ran[TEARDOWN] = true
			:: call >= STRANGER ->
				if
				:: me == 0 ->
drove_other:				skip
				:: else
				fi;
				ran[call] = true
			fi
		od;
		if
		:: batches >= BATCHES_MAX ->
			long_drive = true;
#ifdef RELIEVED_BY_NOBODY
			was_relieved = true
#else
			was_relieved = (waiting > 0)
#endif
		:: else
		fi;
		batches++
	:: nempty(list) && was_relieved ->
relieved:	skip; break
	od;
	/* drive_and_retire */
#ifdef LOOK_BEFORE_UNLOCK
	n = len(list);
	driver = false;
	if
	:: n == 0 -> goto next
	:: else
	fi;
#else
	driver = false;
#endif
	if
#ifdef NO_SECOND_LOOK
	:: true -> goto next
#else
	:: was_relieved || empty(list) -> goto next
	:: !was_relieved && nempty(list) ->
#endif
looked_again:	skip;
		atomic {
			if
			:: driver -> goto next
			:: else -> driver = true; goto drive
			fi
		}
	fi;
finished: skip
}

init {
	atomic {
		run thread(0);
		run thread(1);
#if STRANGERS > 1
		run thread(2);
#endif
	}
	_nr_pr == 1;
	assert(empty(list) && ran[MIGRATION]);
	assert(migration_freed == 1 && object_freed == 1)
}
