/* SPDX-License-Identifier: MIT */
/*
 * Random calls, to the kernel and to the engine: do they agree?
 *
 * An input of some bytes is decoded (decode.c) to a short sequence of calls of
 * one thread, none of which can block. Each is made on the kernel by a bare
 * system call and on the engine (sides.c), on memory of the same layout, a
 * copy each (memory.c). Results, errors and the memory must be the same
 * (compare.c). README says what is left out, and why.
 */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <ufutex/futex.h>

/* ---- memory.c: where words, timeouts and lists of words may be ---- */

enum fuzz_side { FUZZ_KERNEL, FUZZ_ENGINE, FUZZ_SIDES };

/* Maps both copies, once. False: why, on standard error. */
bool fuzz_memory_start(void);

/* All that is writable becomes zero. */
void fuzz_memory_reset(void);

/* Are the copies the same? Else the first difference, in words. */
bool fuzz_memory_same(char *text, size_t size);

/* A place of a word: an index into a table, and by how many bytes it is off. */
struct fuzz_place {
	uint8_t where, off;
};

unsigned int fuzz_places(void); /* how many there are */
const char *fuzz_place_name(struct fuzz_place place);
bool fuzz_place_is_behind_user(struct fuzz_place place);
void *fuzz_place_address(struct fuzz_place place, enum fuzz_side side);

/* What the word there holds; false: no memory, or none that can be read. */
bool fuzz_word_get(struct fuzz_place place, uint32_t *value);
/* Stores on both sides; nothing where that is not possible. */
void fuzz_word_set(struct fuzz_place place, uint32_t value);

/* Places of a structure: in memory, partly so, or not at all. */
enum fuzz_spot {
	FUZZ_SPOT_GOOD,
	FUZZ_SPOT_NULL,
	FUZZ_SPOT_ODD,       /* in memory, moved by 1 */
	FUZZ_SPOT_HALF,      /* in memory, moved by 4 */
	FUZZ_SPOT_END,       /* ends where memory does */
	FUZZ_SPOT_OVER_END,  /* its last 8 bytes are behind the end of memory */
	FUZZ_SPOT_OVER_END4, /* its last 4 bytes */
	FUZZ_SPOT_READONLY,  /* zeros, which cannot be changed */
	FUZZ_SPOT_NONE,      /* PROT_NONE */
	FUZZ_SPOT_HOLE,      /* not mapped */
	FUZZ_SPOT_BEYOND,    /* of a file, behind its end */
	FUZZ_SPOT_ONE,       /* address 1 */
	FUZZ_SPOT_KERNEL,
	FUZZ_SPOT_LAST,      /* the last byte of all */
	FUZZ_SPOTS
};

/* Can all of a structure be read there? */
bool fuzz_spot_good(enum fuzz_spot spot);
const char *fuzz_spot_name(enum fuzz_spot spot);
/*
 * Puts @size bytes of @data there, as far as there is memory. @list: to the
 * place of lists of words, else to that of timeouts.
 */
void *fuzz_spot_put(enum fuzz_spot spot, bool list, const void *data, size_t size,
		    enum fuzz_side side);

/* ---- decode.c ---- */

#define FUZZ_CALLS 16   /* at most, of one input */
#define FUZZ_ENTRIES 130 /* of futex_waitv: at most 128 are legal */

enum fuzz_kind {
	FUZZ_FUTEX,
	FUZZ_WAITV,
	FUZZ_WAKE,
	FUZZ_WAIT,
	FUZZ_REQUEUE,
	FUZZ_HASH,
	FUZZ_STORE, /* no call: a word is set on both sides */
};

struct fuzz_entry {
	struct fuzz_place place;
	uint64_t val;
	uint32_t flags, reserved;
};

struct fuzz_call {
	enum fuzz_kind kind;
	struct fuzz_place word, word2;
	uint32_t op, flags; /* op of futex, flags of the others */
	uint64_t val, mask; /* of futex2: 64 bits; @val of STORE */
	uint32_t val3;
	int nr, nr2; /* counts; of futex_waitv: how many entries */
	bool timed;  /* the argument is a timeout, not a number */
	uint64_t number;
	struct timespec timeout;
	enum fuzz_spot spot, list; /* of the timeout, of the list */
	clockid_t clock;
	unsigned int entries; /* how many were decoded */
	struct fuzz_entry entry[FUZZ_ENTRIES];
	uint64_t arg[4]; /* op, arg3 to arg5 of PR_FUTEX_HASH */
};

struct fuzz_input {
	const uint8_t *bytes;
	size_t left;
	bool fresh;          /* a process of its own: slots may be set */
	unsigned int resets; /* how often they were */
};

/* The first byte of an input that wants a process of its own. */
#define FUZZ_FRESH 0xf5

/* False: the input has ended. Looks at the memory as it is by then. */
bool fuzz_decode(struct fuzz_input *input, struct fuzz_call *call);

/* ---- sides.c ---- */

/* Returns what the call returns, or -errno. */
typedef long fuzz_answer(const struct fuzz_call *call, enum fuzz_side side);

long fuzz_ask_kernel(const struct fuzz_call *call, enum fuzz_side side);
long fuzz_ask_engine(const struct fuzz_call *call, enum fuzz_side side);

/* Looks at the machine; once. */
void fuzz_sides_start(void);
/* Kernels before 6.18.22 and the like take two words with different flags. */
bool fuzz_requeue_mixes(void);
/* Five levels of page tables: more addresses are a user's. */
bool fuzz_user_is_wide(void);
/* Would this kernel serve the call at all? */
bool fuzz_kernel_has(enum fuzz_kind kind);

/* ---- show.c ---- */

/* As C would have it; not the whole line. */
void fuzz_show(FILE *out, const struct fuzz_call *call);
void fuzz_show_answer(FILE *out, long answer);

/* ---- compare.c ---- */

/* Also how a child ends. */
enum fuzz_result {
	FUZZ_SAME = 0,
	FUZZ_DIFFERS = 1,
	FUZZ_NOTHING = 77, /* no call that this kernel knows */
};

/*
 * Decodes and makes the calls: of the kernel, and of @other. If the two do not
 * agree, the sequence with both answers goes to standard error; with @show
 * it does so call by call, whatever comes.
 */
enum fuzz_result fuzz_compare(const uint8_t *bytes, size_t size,
			      fuzz_answer *other, bool show);

/* The same in a child, where nothing was called before. */
enum fuzz_result fuzz_compare_in_child(const uint8_t *bytes, size_t size,
				       fuzz_answer *other, bool show);

#endif
