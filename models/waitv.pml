/* SPDX-License-Identifier: MIT */
// A wait on two words: an earlier entry may be woken while a later one is found
// to differ, or after the wait has ended for another reason: its index counts.
// stands for: src/futex/block.c: begin, finish, any_woken, block, after_mismatch
// stands for: src/futex/wait.c: ufx_wait_leave, ufx_wait_finish
// stands for: src/futex/requeue.c: move (the first word's waiter to a third key)
// rules: waiter-life
// quick: -DTIMEOUT
// quick:
// full: -DTIMEOUT -DREQUEUE
// full: -DREQUEUE
// negative: MISMATCH_WINS -DTIMEOUT - a mismatch is returned though an entry was woken
// negative: REST_LEFT -DTIMEOUT - entries that are queued stay so when the wait ends
// negative: TIMEOUT_WINS -DTIMEOUT - a deadline is returned though an entry was woken
// negative: FIRST_LOOKED_AT -DONE_WAKER - the sleeper looks at its first entry only
// negative: KEY_NOT_CHECKED -DREQUEUE - a changed word ends the wait of a requeued entry
// reached: queued_both later_differs mismatch_asleep ends_woken

#define IDLE 0
#define QUEUED 1
#define WOKEN 3 /* TAKEN is in life.pml */
#define NOTHING 7
#define OTHER 5

byte user[3], state[2], key[2];
bool locked[3], taken[2], park, asleep;
byte result = OTHER;
bool ended;

inline lock(at) { atomic { !locked[at]; locked[at] = true } }

/* ufx_wait_leave, by key @at: true in @left if the entry was queued on it. */
inline leave(entry, from)
{
	lock(from);
	left = false;
	if
#ifdef KEY_NOT_CHECKED
	:: state[entry] == QUEUED ->
#else
	:: state[entry] == QUEUED && key[entry] == from ->
#endif
		state[entry] = IDLE; left = true
	:: else
	fi;
	locked[from] = false
}

active proctype waiter()
{
	byte i, n, k, alone;
	bool left, deadline;

#ifdef TIMEOUT
	if :: deadline = true :: deadline = false fi;
#endif
	do /* begin: prepare each */
	:: i < 2 ->
		lock(i);
		if
		:: user[i] ->
			locked[i] = false;
			if
			:: i ->
later_differs:			result = NOTHING
			:: else -> result = NOTHING
			fi;
			break
		:: else ->
			atomic { state[i] = QUEUED; key[i] = i; n++ }
			locked[i] = false;
			i++
		fi
	:: else -> break
	od;
	if
	:: n == 2 ->
queued_both:	k = 0;
		do /* block */
		:: park = true; /* asleep, fence, look */
			if
#ifdef FIRST_LOOKED_AT
			:: state[0] == WOKEN -> break
#else
			:: state[0] == WOKEN || state[1] == WOKEN -> break
#endif
			:: else
			fi;
			atomic {
				left = false;
				if
				:: !park
				:: park && !alone && (user[0] || user[1]) -> left = true
				:: else -> asleep = true
				fi
			}
			if
			:: left -> /* after_mismatch */
				i = 0;
				do
				:: i < 2 && user[i] ->
					leave(i, i);
					if
					:: left -> result = NOTHING; break
					:: else -> alone = 1; break
					fi
				:: i < 2 && !user[i] -> i++
				:: i == 2 -> break
				od;
mismatch_asleep:	i = 0;
				if
				:: result == NOTHING -> break
				:: else
				fi
			:: !left && deadline ->
				atomic { asleep = false; result = NOTHING; break }
			:: !left -> !asleep
			fi
		od;
		park = false
	:: else
	fi;
	i = n;
	do /* finish, from the last: the first woken one stays */
	:: i > 0 ->
		i--;
		do
#ifdef REST_LEFT
		:: i == 1 -> break
#endif
		:: state[i] == WOKEN ->
			state[i] = IDLE;
#ifdef MISMATCH_WINS
			result = (result == NOTHING -> NOTHING : i);
#else
#ifdef TIMEOUT_WINS
			result = (deadline && result == NOTHING -> NOTHING : i);
#else
			result = i;
#endif
#endif
			break
		:: state[i] == QUEUED -> k = key[i]; leave(i, k)
		:: state[i] == IDLE -> break
		od
	:: else -> break
	od;
	assert(result != OTHER && state[0] == IDLE && state[1] == IDLE);
	/* A wake that was counted is returned, with an index that was woken. */
	assert((result == NOTHING) == (!taken[0] && !taken[1]));
	if
	:: result != NOTHING ->
ends_woken:	assert(taken[result])
	:: else
	fi;
	ended = true
}

/* Changes the word and wakes it. */
inline wake(k)
{
	lock(k);
	do
	:: w < 2 && state[w] == QUEUED && key[w] == k ->
		atomic { taken[w] = true; w++; state[w - 1] = WOKEN }
		if :: park -> atomic { park = false; asleep = false } :: else fi
	:: w < 2 && !(state[w] == QUEUED && key[w] == k) -> w++
	:: w == 2 -> break
	od;
	w = 0;
	locked[k] = false
}

#ifdef ONE_WAKER
active proctype waker()
{
	byte w, mine = 1;
#else
active [2] proctype waker()
{
	byte w, mine = _pid - 1;
#endif

	user[mine] = 1;
	wake(mine)
}

#ifdef REQUEUE
active proctype requeue()
{
	byte w;

	lock(0);
	lock(2);
	atomic { if :: state[0] == QUEUED && key[0] == 0 -> key[0] = 2 :: else fi }
	locked[2] = false;
	locked[0] = false;
	wake(2)
}
#endif
