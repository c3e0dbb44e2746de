/* SPDX-License-Identifier: MIT */
// Posted wakes: one thread, and signal handlers over it and over each other,
// at any instruction. A process is a frame; lower frames stand still.
// stands for: src/futex/post.c: merge, append, ufx_post, run_page, run_posted
// stands for: src/futex/wake.c: ufx_wake
// stands for: src/host/thread.h: ufx_enter_inside, ufx_leave_inside
// rules: R11
// quick: -DFIRST=1 -DSECOND=2
// full: -DFIRST=2 -DSECOND=2
// full: -DFIRST=2 -DSECOND=2 -DMAX=2
// negative: LOOK_BEFORE_CLEAR R11 posted wakes are looked at before the mark is cleared
// negative: NO_POSTING R11 a handler's wake takes the lock
// negative: UNMARKED_LOCK R11 the lock is taken before the mark is set
// negative: DROP_WHEN_FULL R11 a wake that finds the page full is dropped
// negative: MERGE_PLAIN R11 a merge adds in two steps
// negative: TAKE_PLAIN R11 an entry is taken in two steps
// negative: PAGE_PLAIN R11 the next page is linked whatever is there by now
// negative: COPY_LATE -DFIRST=2 -DSECOND=2 R11 an entry is copied after its count was taken
// negative: FILL_COUNT_FIRST -DFIRST=2 -DSECOND=2 R11 an entry has its count before its key
// reached: posted merged next_page ran ran_again

#ifndef FIRST
#define FIRST 2   /* wakes of the handler over the thread */
#endif
#ifndef SECOND
#define SECOND 2  /* runs of the handler over both, a wake each */
#endif
#ifndef MAX
#define MAX 1     /* UFX_POSTED_MAX */
#endif
#define PAGES 4
#define KEYS 3
#define ENTRIES 16 /* what a frame may have copied */

typedef page { byte used, next; byte key[MAX]; byte count[MAX] };
page pages[PAGES]; /* 0 is in the record; next 0: none */
byte fresh = 1;    /* pages handed out */
byte inside;       /* ufx_thread_inside */
bool marked;       /* ufx_thread_posted */
bool locked;       /* the bucket's lock; only this thread uses it */
byte frame;        /* which one runs */
byte owed[KEYS], done[KEYS];
byte ended;

/* ufx_post, with the mark set: so nobody runs posted wakes above us. */
inline post(k)
{
	p = 0; found = false;
	do
	:: i = 0; /* merge */
		do
		:: !found && i < pages[p].used ->
			if
			:: pages[p].count[i] && pages[p].key[i] == k ->
#ifdef MERGE_PLAIN
				n = pages[p].count[i];
				pages[p].count[i] = n + 1;
#else
				pages[p].count[i] = pages[p].count[i] + 1;
#endif
merged:				found = true
			:: else -> i++
			fi
		:: else -> break
		od;
		if
		:: found -> break
		:: else -> /* append */
#ifdef TAKE_PLAIN
			i = pages[p].used;
			if
			:: i < MAX -> pages[p].used = i + 1; found = true
			:: else
			fi;
#else
			atomic {
				i = pages[p].used;
				if
				:: i < MAX -> pages[p].used = i + 1; found = true
				:: else
				fi
			}
#endif
			if
			:: found ->
#ifdef FILL_COUNT_FIRST
				pages[p].count[i] = 1;
				pages[p].key[i] = k;
#else
				pages[p].key[i] = k;
				pages[p].count[i] = 1;
#endif
				break
			:: else
			fi
		fi;
#ifdef DROP_WHEN_FULL
		break;
#endif
		if
		:: pages[p].next == 0 ->
			atomic { n = fresh; assert(n < PAGES); fresh++ }
#ifdef PAGE_PLAIN
			pages[p].next = n
#else
			atomic {
				if
				:: pages[p].next == 0 -> pages[p].next = n
				:: else /* given back */
				fi
			}
#endif
		:: else
		fi;
next_page:	p = pages[p].next
	od;
	p = 0; i = 0; n = 0; found = false;
posted:	marked = true
}

/* run_page for each page: onto @mine, which is this frame's. */
inline copy_posted()
{
	marked = false;
	p = 0;
	do
	:: limit = pages[p].used;
		i = 0;
		do
		:: i < limit ->
#ifdef COPY_LATE
			n = pages[p].count[i]; pages[p].count[i] = 0;
#else
			mine[have] = pages[p].key[i];
#endif
			atomic {
#ifdef COPY_LATE
				skip
			}
			atomic {
				mine[have] = pages[p].key[i];
#else
				n = pages[p].count[i]; pages[p].count[i] = 0;
#endif
				do /* as many wakes as were counted */
				:: n > 0 -> mine[have + 1] = mine[have]; have++; n--
				:: else -> mine[have] = 0; break
				od
			}
			i++
		:: else -> break
		od;
		pages[p].used = 0;
		if
		:: pages[p].next == 0 -> break
		:: else -> p = pages[p].next
		fi
	od;
	p = 0; i = 0; limit = 0
}

/* ufx_leave_inside; the nested run of posted wakes adds to what is to be done. */
inline leave_inside()
{
#ifdef LOOK_BEFORE_CLEAR
	early = marked;
#endif
	inside--;
	if
#ifdef LOOK_BEFORE_CLEAR
	:: early && inside == 0 ->
#else
	:: marked && inside == 0 ->
#endif
ran:		skip;
		copy_posted()
	:: else
	fi
}

/* The locked part of ufx_wake, in this order in every caller. */
inline locked_part(k)
{
#ifdef UNMARKED_LOCK
	assert(!locked); locked = true;
	inside++;
#else
	inside++;
	assert(!locked); /* else it waits for its own thread */
	locked = true;
#endif
	done[k]++;
	locked = false;
	leave_inside()
}

/* ufx_wake where the mark is not set, and what it finds posted at its end. */
inline carry_out(k)
{
	mine[0] = k; have = 1;
	do
	:: have > 0 ->
		have--; k_now = mine[have]; mine[have] = 0;
		locked_part(k_now);
ran_again:	k_now = 0
	:: else -> break
	od
}

inline wake(k)
{
	owed[k]++;
	if
#ifndef NO_POSTING
	:: inside -> post(k)
#endif
	:: else -> carry_out(k)
	fi
}

#define LOCALS byte p, i, n, limit, have, k_now; bool found, early; byte mine[ENTRIES]

active proctype thread() provided (frame == 0)
{
	LOCALS;

	owed[0]++;
	carry_out(0);
	ended++
}

/* Handlers begin at any instruction; the frame below goes on when they end. */
active proctype handler() provided (frame <= 1)
{
	LOCALS;
	byte w;

	atomic { frame == 0 -> frame = 1 }
	do
	:: w < FIRST ->
		if
		:: wake(1)
		:: wake(2)
		fi;
		w++
	:: else -> break
	od;
	frame = 0;
	ended++
}

active proctype second() provided (frame <= 2)
{
	LOCALS;
	byte w, below;

	do
	:: w < SECOND ->
		atomic { frame < 2; below = frame; frame = 2 }
		if
		:: wake(1)
		:: wake(2)
		fi;
		w++;
		atomic { frame = below; below = 0 }
	:: else -> break
	od;
	ended++
}

active proctype check()
{
	byte k;

	atomic {
		ended == 3;
		for (k : 0 .. KEYS - 1) { assert(owed[k] == done[k]) }
	}
}
