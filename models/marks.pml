// SPDX-License-Identifier: MIT
//
// Modes membarrier and fence: a reader marks its record with a depth, counts on
// its own cell, and leaves; a signal handler may do the same over it at any
// instruction. Readers' stores go through x86's store buffers. -DFENCE: the
// reader empties its own; -DMEMBARRIER: the grace period empties all.
//
// stands for: src/grace/reader.c: ufx_read_begin, leave, ufx_readers_wait;
//   src/grace/fence.c, src/grace/membarrier.c: barrier; src/ref/cells.c:
//   ufx_cells_add (a thread's region)
// rules: R4 R8 R9
// quick: -DFENCE -DREADERS=1 -DLOOPS=2 -DHANDLERS=1
// quick: -DMEMBARRIER -DREADERS=1 -DLOOPS=2 -DHANDLERS=1
// full: -DFENCE -DREADERS=2 -DLOOPS=1 -DHANDLERS=1
// full: -DMEMBARRIER -DREADERS=2 -DLOOPS=2 -DHANDLERS=0
// full: -DMEMBARRIER -DREADERS=1 -DLOOPS=3 -DHANDLERS=2
// compile: -DNOREDUCE
// reached: nested waited left came_back
// negative: NO_FENCE -DFENCE -DREADERS=1 -DLOOPS=1 -DHANDLERS=0 R8 mode fence: no fence behind the mark
// negative: NO_BARRIER -DMEMBARRIER -DREADERS=1 -DLOOPS=1 -DHANDLERS=0 R8 mode membarrier: no barrier before the look
// negative: LOOK_FIRST -DMEMBARRIER -DREADERS=1 -DLOOPS=1 -DHANDLERS=0 R8 the marks are looked at before the barrier
// negative: MARK_LATE -DFENCE -DREADERS=1 -DLOOPS=1 -DHANDLERS=0 R8 the pointer is loaded before the mark
// negative: NO_READERS_WAIT -DFENCE -DREADERS=1 -DLOOPS=1 -DHANDLERS=0 R8 marked threads are not waited for
// negative: FLAG -DFENCE -DREADERS=1 -DLOOPS=1 -DHANDLERS=1 R8 a flag, not a depth: a handler clears it
// negative: UNMARK_EARLY -DFENCE -DREADERS=1 -DLOOPS=1 -DHANDLERS=0 R4 the mark goes before the count
// negative: NO_ENTRIES -DFENCE -DREADERS=1 -DLOOPS=2 -DHANDLERS=0 R9 entries are not counted: who comes back is waited for again
#define ENTERED 16
#define DEPTH(mark) ((mark) % ENTERED)
#define ENTRIES(mark) ((mark) / ENTERED)

bool poisoned, published;      /* the old object; the new one is in force */
bool interrupted[READERS];     /* by a handler */
byte mark[READERS];            /* as others see it */
byte cell[READERS], counted;   /* on the old object; by all who count there */
mtype = { MARK, CELL }
chan buffer[READERS] = [6] of { mtype, byte };
byte own_mark[READERS], own_cell[READERS]; /* as the thread itself sees them */

inline drain_one(t)
{
	if
	:: buffer[t] ? MARK(mark[t])
	:: buffer[t] ? CELL(cell[t])
	fi
}

inline store(what, own, value)
{
	atomic { own = value; buffer[t] ! what(own) }
}

/* One read side at a time and thread, or a handler's over it. */
inline read_side(m, saw)
{
#ifdef MARK_LATE
	saw = published;
#endif
	m = own_mark[t]; /* ufx_read_begin */
#ifdef FLAG
	m = m - DEPTH(m);
#endif
	atomic {
		if
		:: DEPTH(m) == 0 -> m = m + ENTERED
		:: else
		fi;
		m++
	};
	store(MARK, own_mark[t], m);
#if defined(FENCE) && !defined(NO_FENCE)
	empty(buffer[t]);
#endif
#ifndef MARK_LATE
	saw = published;
#endif
	assert(saw || !poisoned); /* loads the state */
#ifdef UNMARK_EARLY
	m = own_mark[t];
	store(MARK, own_mark[t], m - 1);
#endif
	if /* ufx_cells_add: one instruction */
	:: !saw -> atomic { assert(!poisoned); counted++; store(CELL, own_cell[t], own_cell[t] + 1) }
	:: else
	fi;
#ifndef UNMARK_EARLY
	m = own_mark[t]; /* leave */
#ifdef FLAG
	m = m - DEPTH(m) + 1;
#endif
	store(MARK, own_mark[t], m - 1);
#endif
	atomic { m = 0; saw = false }
}

active [READERS] proctype reader() provided (!interrupted[_pid])
{
	byte m, n, t = _pid;
	bool saw;

	do
	:: n < LOOPS -> read_side(m, saw); n++
	:: else -> break
	od
}

/* Runs to its end before its thread goes on. */
active [READERS * HANDLERS] proctype handler()
{
	byte m, t = (_pid - READERS) % READERS;
	bool saw;

	atomic {
		!interrupted[t] -> interrupted[t] = true;
		if
		:: DEPTH(own_mark[t]) ->
nested:			skip
		:: else
		fi
	};
	read_side(m, saw);
	interrupted[t] = false
}

active proctype store_buffers()
{
	byte t;

end:	do
	:: atomic { t < READERS && nempty(buffer[t]) -> drain_one(t) }
#if READERS > 1
	:: atomic { nempty(buffer[1]) -> drain_one(1) }
#endif
	od
}

inline barrier()
{
#if defined(MEMBARRIER) && !defined(NO_BARRIER)
	for (t : 0 .. READERS - 1) {
		atomic {
			do
			:: nempty(buffer[t]) -> drain_one(t)
			:: empty(buffer[t]) -> break
			od
		}
	}
	t = 0
#else
	skip
#endif
}

active proctype leader()
{
	byte t, seen, now;

	published = true; /* and a fence: our own store is out */
#ifndef LOOK_FIRST
	barrier();
#endif
#ifndef NO_READERS_WAIT
	do
	:: t < READERS -> /* ufx_readers_wait */
		seen = mark[t];
		do
		:: DEPTH(seen) == 0 ->
left:			skip; break
		:: else ->
			now = mark[t];
			if
			:: ENTRIES(now) != ENTRIES(seen) ->
came_back:			skip;
#ifdef NO_ENTRIES
				assert(!DEPTH(now))
#else
				break
#endif
			:: else
			fi;
			if
			:: !DEPTH(mark[t]) -> break
			:: else ->
waited:				skip
			fi
		od;
		atomic { t++; seen = 0; now = 0 }
	:: else -> break
	od;
	t = 0;
#endif
#ifdef LOOK_FIRST
	barrier();
#endif
	poisoned = true;
	d_step { /* R4: all that was counted is seen */
		for (t : 0 .. READERS - 1) { counted = counted - cell[t] }
		assert(counted == 0)
	}
}
