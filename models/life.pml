/* SPDX-License-Identifier: MIT */
// Life of a waiter: two threads that wait, one of them twice in the same memory;
// a waker of all that gathers them in its lobby, and a last one. Timeouts,
// handlers and bare wakes come at any time. The bucket is one lock here.
// stands for: src/futex/wait.c: ufx_wait_prepare, ufx_wait_leave, wait_for_touch,
//   ufx_wait_finish; src/futex/block.c: after_mismatch, sleep_once, block
// stands for: src/futex/wake.c: ufx_take, ufx_release, ufx_wake
// stands for: src/host/park.c: ufx_unpark, ufx_unpark_all
// rules: R8 waiter-life
// quick: -DTHREADS=1 -DWAITS=2
// quick: -DTHREADS=2 -DWAITS=1 -DONE_WAKER
// full: -DTHREADS=2 -DWAITS=1
// full: -DTHREADS=1 -DWAITS=4
// negative: NO_DEQUEUE R8 the waker leaves the waiter in the queue
// negative: TOUCH_AFTER_GONE R8 the waker reads the waiter after its mark
// negative: TIMEOUT_UNCHECKED - who times out leaves without looking at its state
// negative: NOT_WAITED_FOR R8 a taken waiter is reused before its waker's last touch
// negative: WAKE_CHASES -DTHREADS=2 -DWAITS=1 -DNO_TIMEOUT - a wake goes on to waiters that came later
// negative: LOOK_BEFORE_ASLEEP - the sleeper looks, then says that it sleeps
// negative: UNPARK_BEFORE_GONE - the waker looks at the park word, then marks
// negative: LOBBY_WAKES_ONE -DTHREADS=2 -DWAITS=1 -DONE_WAKER - the lobby is woken for one only
// negative: STALE_WORD_ENDS - a changed word ends the wait though the waiter was taken
// reached: lobby_wake touch_sleeps mismatch timed_out was_woken

#define IDLE 0
#define QUEUED 1
#define TAKEN 2
#define WOKEN 3
#define ASLEEP 1
#define AWAKE 0
#define PARK 1   /* where a thread sleeps in the kernel: its park word, */
#define LOBBY 2  /* a waker's lobby: 2 or 3 */

byte user;                  /* the program's word */
bool locked;
byte state[THREADS], park[THREADS], kernel[THREADS], life[THREADS], came[THREADS];
byte tickets, woken_returns, taken_total, ended;

inline lock() { atomic { !locked; locked = true } }
inline unlock() { locked = false }

/* wait_for_touch: the park word alone. */
inline wait_for_touch()
{
	do
	:: state[me] != TAKEN -> break
	:: else ->
		park[me] = ASLEEP;
		if
		:: state[me] == TAKEN ->
			atomic { if :: park[me] == ASLEEP -> kernel[me] = PARK :: else fi }
touch_sleeps:		kernel[me] == 0
		:: else
		fi;
		park[me] = AWAKE
	od
}

/* ufx_wait_leave: the reason to go has come; true in @left. */
inline leave()
{
	lock();
#ifdef TIMEOUT_UNCHECKED
	if
	:: true -> state[me] = IDLE; left = true
#else
	if
	:: state[me] == QUEUED -> state[me] = IDLE; left = true
#endif
	:: else
	fi;
	unlock()
}

proctype waiter(byte me; byte waits)
{
	bool left, deadline, mis, alone;
	byte i;

	do
	:: i < waits ->
#ifndef NO_TIMEOUT
		if :: deadline = true :: deadline = false fi;
#endif
		lock();
		if
		:: user ->
			unlock();
mismatch:		deadline = false;
			break
		:: else ->
			atomic { life[me]++; state[me] = QUEUED; tickets++; came[me] = tickets }
			unlock()
		fi;
		do /* block */
		:: state[me] == WOKEN -> break
		:: left -> break
		:: else ->
#ifdef LOOK_BEFORE_ASLEEP
			if
			:: state[me] == WOKEN -> break
			:: else -> park[me] = ASLEEP
			fi;
#else
			park[me] = ASLEEP;
#endif
			atomic {
				if
#ifndef LOOK_BEFORE_ASLEEP
				:: state[me] == WOKEN
#endif
				:: else -> mis = true
				fi
			}
			if
			:: mis -> /* futex_waitv: both words as expected? */
				mis = false;
				atomic {
					if
					:: park[me] == ASLEEP && (!user || alone) -> kernel[me] = PARK
					:: park[me] == ASLEEP && user && !alone -> mis = true
					:: else
					fi
				}
				if
				:: mis -> /* after_mismatch: then on the park word alone */
					mis = false;
#ifdef STALE_WORD_ENDS
					left = true; state[me] = IDLE;
#else
					leave();
					alone = !left /* taken: its mark comes */
#endif
				:: !mis && deadline ->
					/* also a handler; whatever the kernel woke meanwhile */
					atomic { deadline = false; kernel[me] = 0 }
timed_out:				park[me] = AWAKE;
					break
				:: !mis -> kernel[me] == 0
				fi
			:: else
			fi;
			park[me] = AWAKE
		od;
		park[me] = AWAKE;
		do /* ufx_wait_finish */
		:: state[me] == WOKEN ->
was_woken:		atomic { state[me] = IDLE; woken_returns++ }
			break
		:: state[me] == TAKEN ->
#ifdef NOT_WAITED_FOR
			atomic { state[me] = IDLE; woken_returns++ }
			break
#else
			wait_for_touch()
#endif
		:: state[me] == QUEUED ->
			leave()
		:: state[me] == IDLE -> break
		od;
		left = false; alone = false;
		i++
	:: else -> break
	od;
	ended++
}

/* ufx_wake of all; the lobby is this waker's. */
proctype waker(byte lobby; bool last)
{
	byte w, begun, taken, gathered;
	byte lives[THREADS];
	bool mine[THREADS], awaken[THREADS];

	if
	:: last -> user = 1
	:: else
	fi;
again:	lock();
	atomic {
		if
		:: begun == 0 -> begun = tickets + 1
		:: else
		fi;
		w = 0;
		do
		:: w < THREADS && state[w] == QUEUED ->
			assert(came[w] < begun); /* nobody who came later */
#ifndef NO_DEQUEUE
			state[w] = TAKEN;
#endif
			mine[w] = true; lives[w] = life[w];
			taken++; taken_total++; w++
		:: w < THREADS && state[w] != QUEUED -> w++
		:: w == THREADS -> break
		od;
		w = 0
	}
	unlock();
	do /* ufx_release: mark, the last touch; the park words were copied */
	:: w < THREADS && mine[w] ->
#ifdef UNPARK_BEFORE_GONE
		atomic { awaken[w] = (park[w] == ASLEEP); park[w] = AWAKE }
#endif
		assert(life[w] == lives[w]);
		state[w] = WOKEN;
#ifdef TOUCH_AFTER_GONE
		assert(life[w] == lives[w] && state[w] == WOKEN);
#endif
		w++
	:: w < THREADS && !mine[w] -> w++
	:: w == THREADS -> break
	od;
	w = 0;
	do /* ufx_unpark_all: gathers who sleeps; ufx_unpark where it is one */
	:: w < THREADS && mine[w] ->
#ifndef UNPARK_BEFORE_GONE
		atomic { awaken[w] = (park[w] == ASLEEP); park[w] = AWAKE }
#endif
		atomic {
			if
			:: awaken[w] && taken > 1 && kernel[w] == PARK ->
				kernel[w] = lobby; gathered++
			:: awaken[w] && taken == 1 && kernel[w] == PARK -> kernel[w] = 0
			:: else
			fi;
			awaken[w] = false; mine[w] = false; lives[w] = 0; w++
		}
	:: w < THREADS && !mine[w] -> w++
	:: w == THREADS -> break
	od;
	w = 0;
	if
	:: gathered ->
lobby_wake:	w = 0;
		atomic {
			do
			:: w < THREADS && kernel[w] == lobby && gathered ->
				kernel[w] = 0; gathered--; w++
#ifdef LOBBY_WAKES_ONE
				; break
#endif
			:: w < THREADS && !(kernel[w] == lobby && gathered) -> w++
			:: w == THREADS -> break
			od;
			w = 0; gathered = 0
		}
	:: else
	fi;
#ifdef WAKE_CHASES
	if
	:: taken && taken < THREADS -> taken = THREADS; goto again
	:: else
	fi;
#endif
	ended++
}

active proctype check()
{
	atomic {
		ended == THREADS + 2;
		/* Each waiter that was taken has returned "woken", and no other. */
		assert(woken_returns == taken_total)
	}
}

init {
	byte i;

	atomic {
		for (i : 0 .. THREADS - 1) { run waiter(i, WAITS) }
#ifndef ONE_WAKER
		run waker(LOBBY, false);
#else
		ended++;
#endif
		run waker(LOBBY + 1, true)
	}
}
