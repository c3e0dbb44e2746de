/* SPDX-License-Identifier: MIT */
// Replacing by moving: a table of two buckets, one of one bucket, and a third
// of two in memory that may be the first one's. Sections are restarted by grace
// periods; waiters sleep and time out. Two buckets at once: pair.pml.
// stands for: src/table/moving.c: replace, retire, drained
// stands for: src/table/table.c: ufx_table_move_bucket, move_waiter
// stands for: src/table/place.h: ufx_place_try, ufx_place_lock, ufx_place_unlock
// stands for: src/table/place.c: pin_settled, settle, ufx_place_lock_slow,
//   ufx_place_nobody
// stands for: src/futex/wait.c: lock_and_look, ufx_wait_prepare, ufx_wait_leave
// stands for: src/futex/wake.c: ufx_wake
// rules: R8 R9
// quick: -DREPLACEMENTS=1
// quick: -DREPLACEMENTS=2 -DTIMEOUT
// full: -DREPLACEMENTS=1 -DSECOND_WAITER
// negative: COUNT_BEFORE_MARK R9 a moved bucket's count falls before the mark
// negative: COUNT_WITHOUT_MARK R9 the empty wake tests the count only, and it falls with the mark
// negative: NO_SETTLE R9 the new table is used before the key's bucket has moved
// negative: MARK_NOT_STICKY R9 the mark goes when the bucket has been moved
// negative: PREV_NULL_EARLY R9 the table says that it is in force before all have moved
// negative: PREV_NOT_SEEN R9 the empty wake does not look at what is in front
// negative: RECYCLE_EARLY -DREPLACEMENTS=2 R8 the old memory is used again before a grace period
// negative: FREE_PINNED -DREPLACEMENTS=1 -DSECOND_WAITER R8 the old table is freed while pinned
// negative: BUCKET_REMEMBERED -DREPLACEMENTS=1 -DTIMEOUT R8 a waiter remembers its bucket
// reached: in_force woken_asleep

#include "tables.inc"

init {
	atomic {
		t[0].prev = NOBODY; t[1].prev = NOBODY; t[2].prev = NOBODY;
		run replace();
		run waiter(0);
		run waker(0);
#ifdef SECOND_WAITER
		run waiter(1);
#endif
	}
}
