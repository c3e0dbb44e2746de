// SPDX-License-Identifier: MIT
//
// Numbered grace periods and their combining: publishers unpublish an object,
// take a cookie, wait for its period and free; whoever needs a period leads one.
// Readers are sections that never pause. A publisher's store waits in x86's
// store buffer until its fence; a membarrier reaches readers and publishers one
// after the other, in either order.
//
// stands for: src/grace/period.c: ufx_grace_publish, ufx_grace_get_state,
//   ufx_grace_poll, ufx_grace_cond_sync, make_one, lead; src/grace/rseq.c: barrier
// rules: R1 R2 R8
// quick: -DPUBLISHERS=2 -DREADERS=1
// quick: -DPUBLISHERS=2 -DREADERS=1 -DREFUSE
// full: -DPUBLISHERS=3 -DREADERS=2
// full: -DPUBLISHERS=3 -DREADERS=2 -DREFUSE
// reached: shared_next led_for_us taken_while_running freed_old saw_new aborted
// negative: COOKIE_EARLY R1 the cookie is taken before the publication
// negative: RUNNING_WILL_DO R1 the cookie names the period that is running
// negative: NO_FENCE R1 no fence between publication and cookie
// negative: NUMBER_LATE R1 the leader says its number after the barrier
// negative: PLAIN_BARRIER R2 the barrier does not restart sections
// negative: NO_BARRIER R2 there is no barrier
// negative: DONE_EARLY R8 "done" is said before the barrier
// negative: REFUSAL_COUNTS -DPUBLISHERS=1 -DREADERS=1 -DREFUSE R8 a refused period is counted as elapsed
// negative: NO_SECOND_LOOK - who waited for the leader leads one more for nothing
mtype = { OUT, WITHIN, ABORTED }
mtype section[READERS] = OUT;
bool unpublished[PUBLISHERS], buffered[PUBLISHERS], freed[PUBLISHERS];
byte started, done;
bool leader;

inline see(p) /* the store leaves the buffer. Within atomic. */
{
	if
	:: buffered[p] -> unpublished[p] = true; buffered[p] = false
	:: else
	fi
}

active [READERS] proctype reader()
{
	byte p, me = _pid;
	bool saw;

end:	do
	:: atomic {
			section[me] = WITHIN; saw = false;
			if
			:: p = 0
			:: p = PUBLISHERS - 1
			fi
		};
		saw = unpublished[p];
		if
		:: section[me] == ABORTED ->
aborted:		skip
		:: section[me] != ABORTED && saw ->
saw_new:		skip
		:: atomic { section[me] != ABORTED && !saw -> assert(!freed[p]) }
		fi;
		section[me] = OUT
	od
}

inline abort_readers()
{
#ifndef PLAIN_BARRIER
	for (on : 0 .. READERS - 1) {
		atomic {
			if
			:: section[on] == WITHIN -> section[on] = ABORTED
			:: else
			fi
		}
	}
#endif
	on = 0
}

inline reach_publishers()
{
	for (on : 0 .. PUBLISHERS - 1) {
		atomic { see(on) }
	}
	on = 0
}

inline barrier()
{
#ifdef NO_BARRIER
	on = 0
#else
	if
	:: true -> abort_readers(); reach_publishers()
	:: true -> reach_publishers(); abort_readers()
	fi
#endif
}

active [PUBLISHERS] proctype publisher()
{
	byte cookie, number, on, me = _pid - READERS;

#ifdef COOKIE_EARLY
	cookie = started + 1;
#endif
	buffered[me] = true; /* ufx_grace_publish */
#ifndef NO_FENCE
	atomic { see(me) };
#endif
#ifdef RUNNING_WILL_DO
	cookie = done + 1;
#endif
#if !defined(COOKIE_EARLY) && !defined(RUNNING_WILL_DO)
	cookie = started + 1;
#endif
	if
	:: started != done ->
taken_while_running: skip
	:: else
	fi;
again:	do /* ufx_grace_cond_sync */
	:: done >= cookie -> break
	:: else -> /* make_one */
		atomic { !leader -> leader = true; see(me) };
		if
#ifndef NO_SECOND_LOOK
		:: done >= cookie ->
shared_next:		skip
		:: else ->
#else
		:: true ->
#endif
led_for_us:		number = started + 1; /* lead */
#ifdef REFUSE
			assert(number >= cookie);
#else
			assert(number == cookie); /* it is never one too many */
#endif
#ifndef NUMBER_LATE
			started = number;
#endif
#ifdef DONE_EARLY
			done = number;
#endif
#ifdef REFUSE
			if
			:: true -> /* the kernel refuses: an error, nothing is freed */
#ifdef REFUSAL_COUNTS
				done = number; leader = false; goto again
#else
				leader = false; goto refused
#endif
			:: true
			fi;
#endif
			barrier();
#ifdef NUMBER_LATE
			started = number;
#endif
			done = number
		fi;
		leader = false
	od;
freed_old: freed[me] = true;
refused: skip
}
