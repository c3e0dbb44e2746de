// SPDX-License-Identifier: MIT
//
// The two fallback banks. Readers that never pause, and grace periods one after
// the other, for ever: each publishes the other object and, once it has elapsed,
// poisons the old one. Leader and readers have x86's store buffers; a reader's
// read-modify-write is a full fence, so the leader's alone can hold something.
//
// stands for: src/grace/reader.c: bank_enter, leave, bank_wait, ufx_banks_drain;
//   src/grace/period.c: lead
// rules: R8 R9
// quick: -DREADERS=2
// full: -DREADERS=3
// check: progress
// reached: straggled drained_other drained_old
// negative: NO_DRAIN R8 a grace period waits for no bank
// negative: NO_FENCE R8 no fence between publication and look (mode shared)
// negative: NO_STRAGGLERS R8 only the bank that was active is waited for
// negative: FLAG R8 a bank is a flag, not a count
// negative: ONE_BANK R9 there is no flip: who never pauses starves the period
// negative: FLIP_LATE R9 the active bank is waited for before the flip
// negative: FLIP_EARLY R9 the flip comes before the wait for stragglers
byte active_bank, bank_readers[2];
bool poisoned[2];
byte where; /* the published object */

/* The leader's store buffer, in order: what others do not see yet. */
mtype = { POINTER, ACTIVE }
chan buffer = [2] of { mtype, byte };
byte leaders_where;

inline drain_one()
{
	if
	:: buffer ? POINTER(where)
	:: buffer ? ACTIVE(active_bank)
	fi
}

inline fence()
{
#ifdef NO_FENCE
	skip
#else
	empty(buffer)
#endif
}

active proctype store_buffer()
{
end:	do
	:: atomic { nempty(buffer) -> drain_one() }
	od
}

active [READERS] proctype reader()
{
	byte bank, object;

end:	do
	:: bank = active_bank; /* may have been long ago when we count ourselves */
		atomic { /* bank_enter */
#ifdef FLAG
			bank_readers[bank] = 1;
#else
			bank_readers[bank]++;
#endif
			if
			:: bank != active_bank ->
straggled:			skip
			:: else
			fi
		};
		object = where;
		assert(!poisoned[object]);
		/* leave; no pause before we come again */
#ifdef FLAG
		bank_readers[bank] = 0
#else
		bank_readers[bank]--
#endif
	od
}

inline bank_wait(bank)
{
#ifndef NO_DRAIN
	do
	:: bank_readers[bank] == 0 -> break
	:: else /* ufx_relax */
	od
#else
	skip
#endif
}

active proctype leader()
{
	byte old, gone;

	do
	:: gone = leaders_where;
		leaders_where = 1 - gone;
		poisoned[leaders_where] = false; /* made anew */
		buffer ! POINTER(leaders_where);
		fence(); /* ufx_grace_get_state, lead */
		old = active_bank; /* our own store to it has left the buffer */
#ifdef ONE_BANK
drained_other:	skip;
		bank_wait(old);
#else
#ifdef FLIP_EARLY
		buffer ! ACTIVE(1 - old); fence();
		bank_wait(1 - old);
drained_other:	skip;
#else
#ifdef FLIP_LATE
		bank_wait(old);
#endif
#ifndef NO_STRAGGLERS
		bank_wait(1 - old);
#endif
drained_other:	buffer ! ACTIVE(1 - old);
#ifndef NO_FLIP_FENCE
		fence();
#endif
#endif
		bank_wait(old);
#endif
drained_old:	poisoned[gone] = true;
progress:	empty(buffer) /* a locked instruction gives the leader's role back */
	od
}
