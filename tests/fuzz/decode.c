// SPDX-License-Identifier: MIT
/*
 * Bytes to calls. Most bytes choose from small tables in which what is odd is
 * common; some values are taken as they come. Whatever could block gets a
 * timeout that ends at once. What is left out on purpose is left out here:
 * see README, where each such place is named.
 */
#include "fuzz.h"

#include <limits.h>
#include "futex_numbers.h"
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define COMMANDS 0x7f /* an operation without its flags */
#define LOCK_PI2 13
#define N(array) (sizeof(array) / sizeof((array)[0]))

/* ---- bytes ---- */

static uint8_t take8(struct fuzz_input *in)
{
	if (!in->left)
		return 0;
	in->left--;
	return *in->bytes++;
}

static uint32_t take32(struct fuzz_input *in)
{
	uint32_t value = 0;

	for (int i = 0; i < 4; i++)
		value = value << 8 | take8(in);
	return value;
}

/* One in eight is not aligned. */
static struct fuzz_place take_place(struct fuzz_input *in)
{
	uint8_t byte = take8(in);
	struct fuzz_place place = { (uint8_t)(byte % fuzz_places()),
				    byte < 224 ? 0 : 1 + byte % 3 };

	/* README: user-end. */
	if (fuzz_user_is_wide() && fuzz_place_is_behind_user(place))
		place.where = 0;
	return place;
}

/* A count, most often one at some border. */
static int take_count(struct fuzz_input *in)
{
	static const int counts[] = { 1, 0, 2, -1, INT_MAX, INT_MIN };
	uint8_t byte = take8(in);

	return byte % 8 < N(counts) ? counts[byte % 8] : (int)take32(in);
}

/* What a word may hold; some of them mean something to PI. */
static uint32_t take_value(struct fuzz_input *in)
{
	uint32_t tid = (uint32_t)syscall(SYS_gettid);
	const uint32_t values[] = { 0, 1, UINT32_MAX, INT_MAX, 1u << 31, tid,
				    tid | FUTEX_WAITERS, FUTEX_OWNER_DIED };
	uint8_t byte = take8(in);

	return byte % 16 < N(values) ? values[byte % 16] : take32(in);
}

/* The value to expect of a word: equal to what it holds in half of the cases. */
static uint32_t take_expected(struct fuzz_input *in, struct fuzz_place place)
{
	uint8_t byte = take8(in);
	uint32_t value;

	if (byte % 8 == 7)
		return take32(in);
	if (!fuzz_word_get(place, &value))
		value = 0;
	if (byte % 8 < 4)
		return value;
	return value ^ (byte % 8 == 4 ? 1u : byte % 8 == 5 ? 1u << 31 : UINT32_MAX);
}

static uint32_t take_bits(struct fuzz_input *in)
{
	static const uint32_t bits[] = { UINT32_MAX, 0, 1, 1u << 31 };
	uint8_t byte = take8(in);

	return byte % 8 < N(bits) ? bits[byte % 8] : take32(in);
}

/* 64 bits of which 32 are good. */
static uint64_t widen(struct fuzz_input *in, uint32_t value)
{
	uint8_t byte = take8(in);

	return byte < 240 ? value : value | 1ull << (32 + byte % 32);
}

/* ---- timeouts ---- */

/* Does this end a wait at once? @relative to now, or to the clock's start. */
static bool ends(const struct timespec *t, bool relative)
{
	if (t->tv_sec < 0 || t->tv_nsec < 0 || t->tv_nsec >= 1000000000)
		return true; /* refused */
	return relative ? t->tv_sec == 0 && t->tv_nsec <= 1 : t->tv_sec <= 1;
}

static void take_timeout(struct fuzz_input *in, struct fuzz_call *call,
			 bool relative, bool may_block)
{
	static const struct timespec times[] = {
		{ 0, 0 },	  { 0, 1 },	   { 1, 0 },
		{ 0, 999999999 }, { 0, 1000000000 }, { 0, -1 },
		{ -1, 0 },	  { LONG_MIN, 0 }, { 0, LONG_MAX },
		{ 0, LONG_MIN },  { -1, -1 },	   { LONG_MAX, 999999999 },
		{ LONG_MAX, 1000000000 }, { 1000000000, 0 },
		{ 1l << 33, 0 },  { 1, 999999999 },
	};
	uint8_t time = take8(in), spot = take8(in);

	call->timed = true;
	call->timeout = times[time < 128 ? time & 3 : time & 15];
	call->spot = spot < 128 ? FUZZ_SPOT_GOOD : spot % FUZZ_SPOTS;
	if (!may_block)
		return;
	if (call->spot == FUZZ_SPOT_NULL)
		call->spot = FUZZ_SPOT_GOOD;
	if (!ends(&call->timeout, relative))
		call->timeout = (struct timespec){ 0, 0 };
}

static clockid_t take_clock(struct fuzz_input *in)
{
	static const clockid_t clocks[] = { CLOCK_MONOTONIC, CLOCK_REALTIME,
					    CLOCK_BOOTTIME, CLOCK_TAI, -1, 100 };

	return clocks[take8(in) % N(clocks)];
}

/* A wait for @value of the word there: can it block? */
static bool may_block(struct fuzz_place place, uint64_t value)
{
	uint32_t word;

	return fuzz_word_get(place, &word) && word == value;
}

/* ---- futex(2) ---- */

static bool is_pi(uint32_t op)
{
	switch (op & COMMANDS) {
	case FUTEX_LOCK_PI:
	case FUTEX_UNLOCK_PI:
	case FUTEX_TRYLOCK_PI:
	case FUTEX_WAIT_REQUEUE_PI:
	case FUTEX_CMP_REQUEUE_PI:
	case LOCK_PI2:
		return true;
	}
	return false;
}

static bool is_timed(uint32_t op)
{
	switch (op & COMMANDS) {
	case FUTEX_WAIT:
	case FUTEX_WAIT_BITSET:
	case FUTEX_LOCK_PI:
	case FUTEX_WAIT_REQUEUE_PI:
	case LOCK_PI2:
		return true;
	}
	return false;
}

static uint32_t take_op(struct fuzz_input *in)
{
	uint32_t op = take8(in) & 15;
	uint8_t byte = take8(in);

	if (byte % 4 != 2)
		op |= FUTEX_PRIVATE_FLAG;
	if (byte / 4 % 4 == 3)
		op |= FUTEX_CLOCK_REALTIME;
	if (byte >= 240)
		op |= 16;
	else if (byte >= 224)
		op |= 512u << take8(in) % 23;
	return op;
}

/*
 * README: pi-owners. Who is not this thread and might be another one of the
 * machine is taken out of the word.
 */
static void forget_owner(struct fuzz_place place)
{
	uint32_t value, tid;

	if (!fuzz_word_get(place, &value))
		return;
	tid = value & FUTEX_TID_MASK;
	if (tid && tid < 1u << 22 && tid != (uint32_t)syscall(SYS_gettid))
		fuzz_word_set(place, 0);
}

/* README: shifts. */
static uint32_t without_wild_shift(uint32_t encoded)
{
	return encoded >> 31 ? encoded & ~(0xfe0u << 12) : encoded;
}

static void decode_futex(struct fuzz_input *in, struct fuzz_call *call)
{
	uint32_t command;

	call->op = take_op(in);
	command = call->op & COMMANDS;
	call->word = take_place(in);
	call->word2 = take_place(in);
	if (is_pi(call->op)) {
		forget_owner(call->word);
		forget_owner(call->word2);
	}
	if (is_timed(call->op)) {
		call->val = take_expected(in, call->word);
		take_timeout(in, call, command == FUTEX_WAIT,
			     is_pi(call->op) ||
				     may_block(call->word, call->val));
	} else {
		call->val = (uint32_t)take_count(in);
		call->number = widen(in, (uint32_t)take_count(in));
	}
	if (command == FUTEX_CMP_REQUEUE || command == FUTEX_CMP_REQUEUE_PI)
		call->val3 = take_expected(in, call->word);
	else if (command == FUTEX_WAKE_OP)
		call->val3 = without_wild_shift(take32(in));
	else
		call->val3 = take_bits(in);
}

/* ---- futex2 ---- */

#define PRIVATE UFX_FUTEX2_PRIVATE
#define U32 UFX_FUTEX2_U32

static uint32_t take_flags(struct fuzz_input *in)
{
	static const uint32_t flags[] = {
		U32 | PRIVATE, U32, U32 | PRIVATE | UFX_FUTEX2_NUMA,
		U32 | PRIVATE | UFX_FUTEX2_MPOL, U32 | UFX_FUTEX2_NUMA,
		0 | PRIVATE, 1 | PRIVATE, 3 | PRIVATE, U32 | PRIVATE | 16,
		U32 | PRIVATE | 64, U32 | PRIVATE | 256, U32 | PRIVATE | 1u << 31,
	};
	uint8_t byte = take8(in);

	if (byte < 128)
		return flags[0];
	return byte % 16 < N(flags) ? flags[byte % 16] : take32(in);
}

static void decode_wake(struct fuzz_input *in, struct fuzz_call *call)
{
	call->word = take_place(in);
	call->flags = take_flags(in);
	call->nr = take_count(in);
	call->mask = widen(in, take_bits(in));
}

static void decode_wait(struct fuzz_input *in, struct fuzz_call *call)
{
	call->word = take_place(in);
	call->flags = take_flags(in);
	call->val = widen(in, take_expected(in, call->word));
	call->mask = widen(in, take_bits(in));
	take_timeout(in, call, false, may_block(call->word, call->val));
	call->clock = take_clock(in);
}

static void decode_entry(struct fuzz_input *in, struct fuzz_entry *entry)
{
	uint8_t more;

	memset(entry, 0, sizeof(*entry));
	entry->place = take_place(in);
	entry->flags = take_flags(in);
	entry->val = take_expected(in, entry->place);
	more = take8(in);
	if (more >= 250)
		entry->val |= 1ull << 32;
	else if (more >= 244)
		entry->reserved = more;
}

static enum fuzz_spot take_list(struct fuzz_input *in)
{
	uint8_t byte = take8(in);

	return byte < 128 ? FUZZ_SPOT_GOOD : byte % FUZZ_SPOTS;
}

/*
 * README: mixed-waitv. All words become what the first is: private, NUMA,
 * MPOL, or not.
 */
static void unmix(struct fuzz_call *call)
{
	const uint32_t kind = PRIVATE | UFX_FUTEX2_NUMA | UFX_FUTEX2_MPOL;

	for (unsigned int i = 1; i < call->entries; i++)
		call->entry[i].flags = (call->entry[i].flags & ~kind) |
				       (call->entry[0].flags & kind);
}

static void decode_waitv(struct fuzz_input *in, struct fuzz_call *call)
{
	static const int many[] = { 0, FUZZ_ENTRIES, 129, 128, 127, -1 };
	uint8_t byte = take8(in);
	unsigned int given = 1 + (byte & 3);
	bool blocks = true;

	call->nr = byte >> 2 < 8 ? many[(byte >> 2) % N(many)] : (int)given;
	call->entries = call->nr > 0 ? (unsigned int)call->nr : given;
	call->list = take_list(in);
	call->flags = take8(in) < 240 ? 0 : 1;
	/* A few are chosen; a long list repeats them. */
	for (unsigned int i = 0; i < call->entries; i++) {
		if (i < given)
			decode_entry(in, &call->entry[i]);
		else
			call->entry[i] = call->entry[i % given];
	}
	unmix(call);
	for (unsigned int i = 0; i < call->entries; i++)
		blocks &= may_block(call->entry[i].place, call->entry[i].val);
	/* The zeros of that page: reserved, but nothing to rely on. */
	take_timeout(in, call, false, blocks || call->list == FUZZ_SPOT_READONLY);
	call->clock = take_clock(in);
}

static void decode_requeue(struct fuzz_input *in, struct fuzz_call *call)
{
	call->entries = 2;
	call->list = take_list(in);
	call->flags = take8(in) < 240 ? 0 : 1;
	call->nr = take_count(in);
	call->nr2 = take_count(in);
	decode_entry(in, &call->entry[0]);
	decode_entry(in, &call->entry[1]);
	/* README: old-requeue. */
	if (fuzz_requeue_mixes())
		call->entry[1].flags = call->entry[0].flags;
}

/* ---- slots ---- */

/* README: slots. False: not that number, in this process, once more. */
static bool may_set(struct fuzz_input *in, uint32_t slots)
{
	if (slots == 1 || (slots & (slots - 1)))
		return true; /* refused */
	return in->fresh && slots <= 4096 && in->resets++ < 3;
}

static void decode_hash(struct fuzz_input *in, struct fuzz_call *call)
{
	static const uint64_t ops[] = { 2, 0, 3, 4, UINT64_MAX, 1ull << 32 | 1,
					1ull << 32 | 2 };
	static const uint64_t slots[] = {
		16, 0, 2, 4, 64, 1024, 4096, 1, 3, 15, 48, INT_MAX, UINT32_MAX,
		UINT64_MAX, 1ull << 32, 1ull << 32 | 1, 1ull << 32 | 16, 1ull << 63 | 3,
	};
	static const uint64_t flags[] = { 1, 2, 1ull << 32, UINT64_MAX };
	uint8_t op = take8(in), size = take8(in), flag = take8(in);

	call->arg[0] = op < 128 ? 1 : ops[op % N(ops)];
	call->arg[1] = slots[size < 128 ? size % 8 : size % N(slots)];
	call->arg[2] = flag < 192 ? 0 : flags[flag % N(flags)];
	call->arg[3] = take8(in);
	if (call->arg[0] == 1 && !call->arg[2] && !may_set(in, (uint32_t)call->arg[1]))
		call->arg[0] = 2;
}

/* ---- the sequence ---- */

bool fuzz_decode(struct fuzz_input *input, struct fuzz_call *call)
{
	static const enum fuzz_kind kinds[] = {
		FUZZ_FUTEX, FUZZ_WAITV, FUZZ_WAKE, FUZZ_WAIT,
		FUZZ_REQUEUE, FUZZ_HASH, FUZZ_STORE, FUZZ_FUTEX,
	};
	uint8_t byte;

	if (!input->left)
		return false;
	memset(call, 0, sizeof(*call));
	byte = take8(input);
	/* A process of its own is for the slots. */
	call->kind = input->fresh && byte >= 128 ? FUZZ_HASH :
						   kinds[byte % N(kinds)];
	switch (call->kind) {
	case FUZZ_FUTEX:
		decode_futex(input, call);
		break;
	case FUZZ_WAITV:
		decode_waitv(input, call);
		break;
	case FUZZ_WAKE:
		decode_wake(input, call);
		break;
	case FUZZ_WAIT:
		decode_wait(input, call);
		break;
	case FUZZ_REQUEUE:
		decode_requeue(input, call);
		break;
	case FUZZ_HASH:
		decode_hash(input, call);
		break;
	case FUZZ_STORE:
		call->word = take_place(input);
		call->val = take_value(input);
		break;
	}
	return true;
}
