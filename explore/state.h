/* SPDX-License-Identifier: MIT */
/* The explorer's state: everything of it that changes. */
#ifndef EXPLORE_STATE_H
#define EXPLORE_STATE_H

#include "model.h"

struct scenario;

struct record { /* of a choice at which something else was possible */
	uint32_t call; /* 8 times its step, and its kind */
	uint32_t costly;
	uint8_t n, chosen;
};

enum strategy { SEARCH, CHANCE, REPLAY };

struct choices {
	enum strategy strategy;
	unsigned int bound; /* SEARCH: how many costly choices */
	unsigned int spent;
	uint32_t call; /* the one under way */
	uint32_t used;  /* records */
	uint32_t given; /* of them, from earlier: to be followed */
	uint64_t random;
	uint32_t one_in; /* CHANCE: how rare other than usual choices are */
	uint32_t change[3]; /* steps at which priorities change */
	uint64_t hash;      /* of the sequence of choices */
	struct record records[RECORDS];
};

struct store {
	uint64_t value;
	const struct view *release; /* what who acquires it gets to see */
	uint16_t at;
};

struct location {
	uintptr_t addr;
	uint16_t newest, oldest;
	uint8_t first; /* the first fiber that touched it */
	struct store stores[HISTORY];
};

#define HASHED 2048 /* a power of two, well above LOCATIONS */
#define VIEWS 16384
#define SHADOWS 8192

struct memory_model {
	bool weak; /* else sequentially consistent */
	uint32_t generation;
	unsigned int used;
	struct { uintptr_t addr; uint32_t generation, index; } hash[HASHED];
	struct location locations[LOCATIONS];
	struct view seen[FIBERS];     /* what each fiber knows */
	struct view acquired[FIBERS]; /* and will know after an acquire fence */
	const struct view *released[FIBERS]; /* its view at its last release fence */
	struct view global;           /* of seq_cst fences */
	struct view pool[VIEWS];
	unsigned int pool_used;
	bool newly_shared;
	uint64_t shared[(1 << 18) / 64]; /* a bit for each word of the arena */
};

struct shadow { /* of four bytes */
	uintptr_t addr;
	uint32_t generation;
	uint16_t last[ACCESSES][FIBERS]; /* of each kind: each fiber's clock then */
};

struct block { /* an allocation */
	char *start;
	size_t size;
	bool live, mapped, wiped;
	const char *kind;
};

struct trace_line {
	uint8_t fiber;
	char text[150];
	uintptr_t pc;
};

struct statistics {
	uint64_t schedules, steps, deepest;
};

#define SITES (1 << 24) /* the program is linked to low addresses */
#define ARENA ((char *)0x100000000000)
#define ARENA_SIZE ((size_t)1 << 20)
#define STACKS ((char *)0x110000000000) /* traces show addresses: always the same */

struct model {
	bool exploring; /* a schedule runs: points are points */
	bool tracing;
	bool forked;
	unsigned int now;
	unsigned int fibers_used;
	void *main_stack_pointer;
	struct fiber fibers[FIBERS];
	char *stacks;
	uint32_t steps;
	uintptr_t pc; /* of the access under way */
	bool found;
	char message[400];
	const struct scenario *scenario;
	char mode[16]; /* of counting */

	struct choices choices;
	struct memory_model memory;
	struct { uint32_t generation; struct shadow shadows[SHADOWS]; } races;
	struct statistics statistics;

	/* host.c */
	char *arena;
	size_t arena_used;
	struct block blocks[BLOCKS];
	unsigned int blocks_used;
	uint8_t block_of_line[ARENA_SIZE / 64];
	bool recycles; /* freed tables are used again at once */
	uint32_t tids;

	/* image.c */
	char *pristine, *kept_data, *kept_arena;
	size_t kept_arena_used;
	unsigned int kept_blocks;
	struct block kept[BLOCKS];
	uint32_t dirty_used;
	uint32_t dirty[1 << 16];
	uint64_t dirty_bits[(1 << 14) / 64 + 1]; /* a bit for each line of the arena */

	/* hooks.c: what a mutant weakens */
	uintptr_t weakened[16];
	unsigned int weakened_used;
	bool weakened_met; /* by some schedule */
	uint8_t *sites; /* the order of each call that was not relaxed */

	/* trace.c */
	struct trace_line *trace;
	uint32_t trace_used;
};

extern struct model *model;

#endif
