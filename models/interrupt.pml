/* SPDX-License-Identifier: MIT */
// A wait under handlers that need not return. A process is a frame of the victim's
// stack: the thread, a handler over it, and (-DLEVELS=2) one over both. They come
// at any instruction, but are deferred where the thread is inside. Their first step
// is the wrapper, which ends the waits under way; then they return, store to the
// word, wait themselves (-DNESTED), stay until all others have ended, or leave by
// longjmp. With -DUNWRAPPED the lower one may go without the wrapper, and returns.
// Beside them: a waiter without handlers, who wakes one, and the last waker of all.
// stands for: src/futex/block.c: begin, sleep_once, after_mismatch, block, finish,
//   end, wait_once, ufx_futex_interrupt; src/futex/wait.c: ufx_wait_prepare,
//   ufx_wait_leave, wait_for_touch, ufx_wait_finish
// stands for: src/futex/wake.c: ufx_wake
// stands for: src/host/thread.c: ufx_thread_lines, ufx_thread_lines_free
// rules: R12
// compile: -DNOREDUCE
// quick: -DWAITS=1 -DRUNS=1
// quick: -DWAITS=1 -DRUNS=2 -DONE_WAKER -DPARK_ALONE
// quick: -DWAITS=1 -DRUNS=1 -DONE_WAKER -DTIMEOUT
// full: -DWAITS=2 -DRUNS=2
// full: -DWAITS=2 -DRUNS=1 -DNESTED
// full: -DWAITS=1 -DRUNS=2 -DPARK_ALONE
// full: -DWAITS=1 -DRUNS=2 -DTIMEOUT
// full: -DWAITS=1 -DRUNS=2 -DFOREIGN_WAKE
// full: -DWAITS=1 -DRUNS=1 -DLEVELS=2
// full: -DWAITS=1 -DRUNS=1 -DLEVELS=2 -DNESTED -DUNWRAPPED -DONE_WAKER
// negative: KEEP_QUEUED R12 the handler runs while its thread's waiter is queued
// negative: NOT_DEFERRED R12 a handler leaves a critical section
// negative: REGISTER_LATE R12 the wait is registered when its waiter is queued, unmarked
// negative: UNREGISTER_EARLY R12 it is unregistered before its waiter has left, unmarked
// negative: STAY_ASLEEP R12 the wrapper leaves the park word asleep
// negative: INTERRUPTED_UNSEEN R12 the wrapper's mark is not looked at between "asleep" and the kernel
// negative: FORGET_TAKEN R12 the wrapper does not keep that the wait was woken
// negative: FINISH_UNMARKED R12 a handler between the look at the wrapper's mark and the end
// negative: AGAIN_UNCHECKED -DWAITS=1 -DRUNS=1 -DPARK_ALONE R12 the wait queues again whatever the word is now
// negative: LINES_UNMARKED R12 the wait takes its memory before the mark
// negative: LINES_STALE R12 a restarted wait goes on in memory that the wrapper gave back
// negative: LOOK_UNMARKED -DWAITS=1 -DRUNS=1 -DLEVELS=2 -DONE_WAKER R12 the wrapper looks for a wait before it is inside
// negative: OUTER_FORGOTTEN -DWAITS=1 -DRUNS=1 -DLEVELS=2 -DNESTED -DUNWRAPPED -DONE_WAKER R12 an unwrapped handler's wait unregisters the one below
// negative: INNERMOST_ONLY -DWAITS=1 -DRUNS=1 -DLEVELS=2 -DNESTED -DUNWRAPPED -DONE_WAKER R12 the wrapper ends the innermost wait only
// negative: EINTR_FORGOTTEN -DWAITS=1 -DRUNS=1 -DLEVELS=2 -DONE_WAKER - a wait that the kernel ended starts again, as another handler allows it
// negative: FOREIGN_FORGOTTEN -DWAITS=1 -DRUNS=1 -DFOREIGN_WAKE R12 a wait that a system call woke starts again
// reached: mismatch restarted touch_sleeps word_changed was_interrupted jumped_out

#include "interrupt.inc"

#ifndef LEVELS
#define LEVELS 1
#endif

#define IDLE 0
#define QUEUED 1
#define TAKEN 2
#define WOKEN 3
#define ASLEEP 1
#define AWAKE 0

#define POOL 2     /* lines of the victim's pool */
#define OTHER POOL /* a waiter without handlers, queued from the start */
#define LINES (POOL + 1)
#define FRAMES (LEVELS + 1)

#define RESTART 1 /* what a handler does to a system call; */
#define EINTR 2   /* and, beside these, how a wait ends: */
#define EAGAIN 3
#define FOREIGN 4
#ifdef ONE_WAKER
#define WAKERS 1
#else
#define WAKERS 2
#endif

bool user;                  /* the program's word has changed */
bool locked;                /* the bucket */
byte count = 1, state[LINES];

byte frame;                 /* which one of the victim's runs */
byte inside, park, used;    /* its record: mark, park word, lines in use, */
byte blocked;               /* 1 + the frame whose wait is under way */
bool kernel;                /* it sleeps */
byte line[FRAMES];          /* struct blocked, on each frame's stack */
byte outer[FRAMES];         /* what was registered before */
bool interrupted[FRAMES], woken[FRAMES];
byte restarts[FRAMES], call[FRAMES]; /* call: what has a handler done to its sleep? */

bool alive[FRAMES];         /* the frame is in its wait */
bool live[POOL];            /* a wake may take it */
byte foreign;               /* a system call woke the word: 1 + the frame that slept */
bool jumped, thread_gone;
bool unwound[LEVELS + 1];
byte owed;                  /* wakes that were counted, less those that waits know */
byte others;                /* that have ended */

/*
 * A wait or a wake with the bucket locked is one step: but the victim's unlocking,
 * so that who leaves there leaves it locked. How count and word are looked at is
 * in fence.pml, when the mark is set and taken off in post.pml.
 */
inline unlock() { atomic { locked = false; inside-- } }

/* Dequeues if it is still queued: true in @left. */
inline leave(w)
{
	atomic {
		!locked;
		inside++; locked = true; left = false;
		if
		:: state[w] == QUEUED -> state[w] = IDLE; left = true; count--
		:: else
		fi
	}
	unlock()
}

/* ufx_wait_finish, marked: true in @token if it was woken. */
inline finish(w)
{
	token = false;
	do
	:: atomic { state[w] == WOKEN -> state[w] = IDLE; token = true; break }
	:: state[w] == TAKEN -> /* wait_for_touch: the park word alone */
		park = ASLEEP;
		if
		:: state[w] == TAKEN ->
			atomic { if :: park == ASLEEP -> kernel = true :: else fi }
touch_sleeps:		!kernel
		:: else
		fi;
		park = AWAKE
	:: state[w] == QUEUED -> leave(w)
	:: state[w] == IDLE -> break
	od
}

/* The wait of frame @f is over: its line is given back. */
inline give_back(f)
{
	live[line[f]] = false;
	assert(used == line[f] + 1);
	used--; UNREGISTER(f); token = false; left = false
}

/* ufx_wait in frame @f. */
inline wait(f)
{
	do
	:: LINE_BEFORE(f);
		atomic {
			!locked;
			inside++; locked = true; alive[f] = true;
			LINE(f);
			assert(used <= POOL);
			interrupted[f] = false; restarts[f] = false; woken[f] = false;
			REGISTER(f);
			if
			:: DIFFERS ->
mismatch:			UNREGISTER(f); used--; how = EAGAIN
			:: else ->
				how = 0; alone = false; count++;
				state[line[f]] = QUEUED; live[line[f]] = true
			fi
		}
		unlock();
		if
		:: how == EAGAIN -> break
		:: else -> REGISTER_AFTER(f)
		fi;
		do /* block */
		:: park = ASLEEP; /* sleep_once */
			if
			:: state[line[f]] == WOKEN -> break
			:: else
			fi;
			if
			:: SEEN(f) -> break
			:: else
			fi;
			do /* the kernel: a handler makes it compare again, or end */
			:: atomic {
				call[f] = 0;
				if
				:: ASLEEP_OK -> kernel = true
				:: else -> how = EAGAIN; break
				fi
			   }
			   atomic {
				if
				:: !kernel && call[f] == RESTART
				:: !kernel && call[f] != RESTART -> how = call[f]; call[f] = 0; break
				:: kernel && TIMES_OUT -> kernel = false; how = EINTR; break
				fi
			   }
			od;
			park = AWAKE;
			atomic {
				if
				:: state[line[f]] == WOKEN || interrupted[f] || how == EINTR ||
				   how == FOREIGN -> break
				:: else
				fi
			}
			if
			:: how == EAGAIN && user && !alone -> /* after_mismatch */
				leave(line[f]);
				if
				:: left ->
word_changed:				left = false; break
				:: else -> alone = true /* taken, or the wrapper was there */
				fi
			:: else
			fi;
			how = 0
		od;
		park = AWAKE;
		UNREGISTER_BEFORE(f);
		MARK_AND_LOOK(f);
		if
		:: mine_to_end ->
			finish(line[f]);
			atomic { woken[f] = token; give_back(f); mine_to_end = false; inside-- }
			break
		:: else ->
was_interrupted:	inside--;
			if
			:: WAS_WOKEN(f) -> break
			:: !WAS_WOKEN(f) && RESTARTS(f) ->
				assert(how != EINTR);
restarted:			how = RESTART
			:: !WAS_WOKEN(f) && !RESTARTS(f) -> how = EINTR; break
			fi
		fi
	od;
	atomic {
		if
		:: woken[f] -> owed--
		:: else
		fi;
		if
		:: foreign == f + 1 -> assert(woken[f] || how == FOREIGN); foreign = 0
		:: else
		fi;
		clear(f);
		how = 0; alone = false
	}
}

inline clear(f) /* the frame is left */
{
	alive[f] = false; woken[f] = false; interrupted[f] = false;
	restarts[f] = false; line[f] = 0; outer[f] = 0; call[f] = 0
}

proctype victim() provided (frame == 0)
{
	bool left, alone, token, mine_to_end;
	byte how, rounds;

	do
	:: rounds < WAITS ->
		rounds++;
		{
			wait(0)
		} unless {
			atomic {
				jumped;
jumped_out:			jumped = false;
				left = false; alone = false; token = false; how = 0;
				mine_to_end = false
			}
		}
	:: else -> break
	od;
	thread_gone = true
}

/* ufx_futex_interrupt, in a handler that was not deferred. */
inline interrupt()
{
#ifdef KEEP_QUEUED
	live[0] = false; live[1] = false
#else
#ifdef LOOK_UNMARKED
	f = blocked;
	inside++;
#else
	atomic { inside++; f = blocked }
#endif
	do
	:: f ->
		atomic { f--; assert(alive[f]) }
		finish(line[f]);
		atomic {
#ifndef FORGET_TAKEN
			woken[f] = token;
#endif
			interrupted[f] = true; restarts[f] = restart;
			give_back(f);
#ifndef STAY_ASLEEP
			park = AWAKE;
#endif
#ifdef INNERMOST_ONLY
			f = 0
#else
			f = blocked
#endif
		}
	:: else -> break
	od;
	atomic { restart = false; inside-- }
#endif
}

/* Out of the handler, those below it, and the thread's wait. */
inline jump()
{
	for (f : 0 .. LEVELS) {
		if
		:: woken[f] -> owed-- /* it came before the handler */
		:: else
		fi;
		clear(f)
	}
	if
	:: below -> unwound[below] = true
	:: else
	fi;
	jumped = true; frame = 0; foreign = 0
}

/* Frame @me. */
inline handlers(me)
{
	do
	:: thread_gone && frame < me -> break
	:: atomic {
#ifdef NOT_DEFERRED
		runs < RUNS && frame < me && !jumped && !thread_gone ->
#else
		runs < RUNS && frame < me && !jumped && !thread_gone && !inside ->
#endif
		runs++;
		if :: restart = true :: restart = false fi;
		below = frame; frame = me;
		if
		:: kernel -> kernel = false; call[below] = (restart -> RESTART : EINTR)
		:: else
		fi
	   }
		{
			if
			:: interrupt()
#ifdef UNWRAPPED
			:: me == 1 -> unwrapped = true
#endif
			fi;
			if
			:: true
			:: user = true
			:: others == WAKERS && state[OTHER] == IDLE /* stopped */
#ifdef NESTED
			:: me == 1 -> wait(me)
#endif
			fi;
			atomic {
				if
				:: frame = below
				:: !unwrapped -> jump()
				fi;
				below = 0; f = 0; unwrapped = false; restart = false
			}
		} unless {
			atomic {
				unwound[me];
				unwound[me] = false;
				left = false; alone = false; token = false; restart = false;
				unwrapped = false; mine_to_end = false; how = 0; below = 0; f = 0
			}
		}
	od
}

#define LOCALS bool left, alone, token, restart, unwrapped, mine_to_end; byte how, below, runs, f

proctype handler() provided (frame <= 1)
{
	LOCALS;

	handlers(1)
}

#if LEVELS == 2
proctype second() provided (frame <= 2)
{
	LOCALS;

	handlers(2)
}
#endif

/* ufx_wake: takes up to @n, marks them, the last touch, and wakes who sleeps. */
proctype waker(byte n; bool last)
{
	bool awaken;
	bool mine[LINES];
	byte got, w;

	if
	:: last -> user = true
	:: else
	fi;
	if
	:: !count -> goto out
	:: else
	fi;
	atomic {
		!locked;
		do
		:: got < n && state[0] == QUEUED -> state[0] = TAKEN; mine[0] = true; got++; assert(live[0])
		:: got < n && state[1] == QUEUED -> state[1] = TAKEN; mine[1] = true; got++; assert(live[1])
		:: got < n && state[2] == QUEUED -> state[2] = TAKEN; mine[2] = true; got++
		:: else -> break
		od;
		owed = owed + got; count = count - got; got = 0
	}
	do
	:: atomic {
		if
		:: mine[0] -> w = 0
		:: mine[1] -> w = 1
		:: mine[2] -> w = 2
		:: else -> break
		fi;
		assert(state[w] == TAKEN); /* its owner is still there */
		mine[w] = false;
		if
		:: w < POOL -> state[w] = WOKEN
		:: else -> state[w] = IDLE; owed-- /* it returns */
		fi
	   }
		if
		:: w < POOL ->
			atomic { awaken = (park == ASLEEP); park = AWAKE }
			atomic {
				if
				:: awaken -> kernel = false
				:: else
				fi;
				awaken = false; w = 0
			}
		:: else
		fi;
		w = 0
	od;
out:	others++
}

#ifdef FOREIGN_WAKE
/* Not redirected to the engine; or nobody sleeps. */
proctype foreign_wake()
{
	atomic {
		if
		:: kernel && inside == 0 -> kernel = false; call[frame] = FOREIGN; foreign = frame + 1
		:: thread_gone
		fi
	}
}
#endif

active proctype check()
{
	byte w;

	atomic {
		thread_gone && others == WAKERS && frame == 0;
		assert(!locked && !count && !used && !blocked && !inside);
		assert(!kernel);
		for (w : 0 .. LINES - 1) { assert(state[w] == IDLE) }
		assert(!owed)
	}
}

init {
	atomic {
		state[OTHER] = QUEUED;
		run victim();
		run handler();
#if LEVELS == 2
		run second();
#endif
#ifdef FOREIGN_WAKE
		run foreign_wake();
#endif
#ifndef ONE_WAKER
		run waker(1, false);
#endif
		run waker(LINES, true)
	}
}
