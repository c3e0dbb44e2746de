/* SPDX-License-Identifier: MIT */
/*
 * Stops at every instruction of a call, in the process itself (x86-64).
 *
 * Two ways to get there:
 *
 *   trap_at    runs the call freely and stops before one instruction, by a
 *              breakpoint (int3) in the code. In a restartable sequence the
 *              signal aborts it, at that very instruction and nowhere else.
 *   trap_step  runs it with the trap flag: a signal after each instruction.
 *
 * Under the trap flag, and under a debugger that steps, no instruction of a
 * sequence is ever carried out: the kernel sends a thread whose instruction
 * pointer lies in its sequence to the abort address each time that it comes
 * back from a signal or a stop, so from the first instruction on. Stepping
 * alone therefore shows the fallback only. trap_record steps with the library
 * told that its struct rseq is elsewhere, where the kernel does not look:
 * then sequences are carried out under the trap flag, and their instructions
 * become known without a disassembler.
 *
 * One thread at a time uses this: the tester.
 */
#ifndef TESTS_SECTION_TRAP_H
#define TESTS_SECTION_TRAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <ufutex/section.h>

/* A descriptor, as the kernel reads it. */
struct trap_section {
	uint32_t version, flags;
	uint64_t start, length, abort;
};
_Static_assert(sizeof(struct trap_section) == 32, "descriptors are 32 bytes apart");

#define TRAP_STEPS_MAX 20000

struct trap_step {
	uintptr_t address;
	unsigned int occurrence; /* 1: the first time that it is carried out */
};

/* What a call does when nothing disturbs it. */
struct trap_trace {
	unsigned int n;
	struct trap_step steps[TRAP_STEPS_MAX];
};

/* The machinery works here and now; NULL, or why not. */
const char *trap_missing(void);

/* The sequence that @address lies in, or NULL. */
const struct trap_section *trap_section_of(uintptr_t address);

/* Is @address in the program's own code, so that it can be patched? */
bool trap_patchable(uintptr_t address);

/* This thread's pointer to the descriptor in force, in its struct rseq. */
uint64_t *trap_rseq_cs(void);

/* Steps through @call, undisturbed; what it did. Returns its result. */
long trap_record(struct trap_trace *trace, long (*call)(void));

/* What was seen at the stop. */
struct trap_seen {
	unsigned int hits;     /* times that the instruction was reached */
	unsigned int aborts;   /* of them, those that aborted a sequence */
	unsigned int wrong;    /* not aborted though within, or elsewhere */
	bool acted;
	bool unbounded;        /* given up: reached far too often */
};

/*
 * Runs @call and stops at @step: @action is called there, in a handler, once.
 * With @always the breakpoint stays, so that a sequence is aborted there
 * every time.
 */
long trap_at(const struct trap_step *step, bool always, long (*call)(void),
	     void (*action)(void), struct trap_seen *seen);

/* Runs @call while every sequence of the program is aborted every time. */
long trap_everywhere(long (*call)(void), struct trap_seen *seen);

/*
 * Steps through @call until @nth instructions are done, calls @action in the
 * handler, then lets it go (or steps on to the end). Returns its result;
 * *@steps says how many there were.
 */
long trap_step(unsigned int nth, bool to_the_end, long (*call)(void),
	       void (*action)(void), unsigned int *steps);

/* Where the call was stopped last, for messages: an address in the file. */
extern uintptr_t trap_where;

/* @address as in the program's file, for objdump and addr2line. */
uintptr_t trap_in_file(uintptr_t address);

/* How many sequences the program has. */
size_t trap_sections_count(void);

/* In an action: the engine has blocked signals, no handler could have come. */
extern bool trap_deaf;

#endif
