/* SPDX-License-Identifier: MIT */
/*
 * What the parts of the explorer share. The engine runs here on a model of a
 * machine: threads are fibers of one thread, and every access to shared
 * memory, every step of a restartable sequence and every system call is a
 * point at which a choice decides what happens next.
 *
 *   fiber.c     stacks, and the switch between them
 *   schedule.c  who runs next; signals; the end of a schedule
 *   choose.c    where choices come from: search, chance, replay
 *   views.c     what a load may return on a machine with weak memory
 *   races.c     plain accesses that nothing orders
 *   hooks.c     what the compiler calls for each access (thread sanitizer)
 *   section.c   restartable sequences
 *   kernel.c    system calls
 *   host.c      memory, thread records, CPUs
 *   image.c     the engine's data, put back before each schedule
 *   trace.c     a schedule as text
 *
 * All that the explorer itself changes lies in *model: the program's own data
 * are put back before each schedule.
 */
#ifndef EXPLORE_MODEL_H
#define EXPLORE_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FIBERS 6
#define CPUS 2
#define STACK_SIZE 65536
#define STEPS_MAX 12000 /* of a schedule; beyond it something goes in circles */
#define LOCATIONS 384   /* atomic words that a schedule may touch */
#define HISTORY 4       /* stores to a word that can still be read */
#define BLOCKS 64       /* allocations of a schedule */
#define RECORDS 20000   /* choices of a schedule */
#define TLS_SIZE 96

enum fiber_state {
	FIBER_NONE,
	FIBER_RUNNABLE,
	FIBER_ASLEEP, /* in a system call */
	FIBER_DONE,
};

/* A fiber in a futex wait. */
struct sleeper {
	const uint32_t *addr[4];
	unsigned int n;
	bool timed;
	int result; /* index of the word that was woken, or -errno */
};

struct section; /* section-model.h */

struct fiber {
	void *stack_pointer;
	void (*run)(void);
	enum fiber_state state;
	bool yielded; /* lets somebody else take a step first */
	unsigned int handlers; /* running, one over the other */
	bool blocks_signals;
	bool signalled; /* its handler is to run when it goes on */
	struct section *section;
	unsigned int cpu;
	unsigned int signals; /* that it is still to get */
	void *landing[5]; /* of a handler that leaves */
	uint32_t priority;    /* search by chance */
	struct sleeper sleeper;
	char tls[TLS_SIZE]; /* its thread-local words while it does not run */
};

/* What a fiber has seen: of each word the oldest store that it may read. */
struct view {
	uint16_t at[LOCATIONS];
	uint16_t clock[FIBERS + 2]; /* for races: steps of each that are its past */
};

/* ---- schedule.c ---- */

/* A point before a visible step on @addr (NULL: always one). */
void point(const void *addr);
/* The same, but only a signal may come: what others never see. */
void point_local(void);
/* The running fiber cannot go on until another has taken a step. */
void point_yield(void);
/* It sleeps until somebody makes it runnable again. */
void point_sleep(void);
/* Delivers what signal it got while asleep. True if there was one. */
bool take_signal(void);
void take_all_signals(void);
/* The schedule ends here with a finding. */
void finding(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));
/* Ends all other fibers: this one is the only thread of a fork's child. */
void only_this_fiber(void);
/* Sends the sections that other fibers are in to their abort address. */
void abort_sections(void);
void run_schedule(void);
struct fiber *fiber_now(void);

/* ---- choose.c ---- */

/* What is chosen; each at most once a step. */
enum choice { CHOICE_SIGNAL, CHOICE_FIBER, CHOICE_STORE, CHOICE_SECTION, CHOICE_OTHER };

/*
 * Which of @n possibilities: 0 is the usual one. @costly has a bit for each
 * that counts against the bound of the search.
 */
unsigned int choose(enum choice kind, unsigned int n, uint32_t costly);
/* Which of the fibers; the low 4 bits of each tell which, the rest why. */
unsigned int choose_fiber(const uint8_t *fibers, unsigned int n, uint32_t costly);
void choose_begin(void);
/* Makes the next schedule of the search; false: there is none. */
bool choose_next(void);

/* ---- views.c ---- */

void views_reset(void);
void views_start_fiber(unsigned int fiber);
uint64_t view_load(const void *addr, unsigned int size, int order);
void view_store(void *addr, unsigned int size, uint64_t value, int order);
/* A read-modify-write, of the newest store always; the new value. */
void view_rmw(void *addr, unsigned int size, uint64_t value, int order);
/* A compare-and-swap that found another value. */
void view_failed_cas(const void *addr, unsigned int size, int order);
/* A plain store is about to change @size bytes. */
void view_plain_store(const void *addr, size_t size);
void view_fence(int order);
/* A barrier on every CPU at once. */
void view_barrier(void);
/* Stores of long ago have reached the running fiber. */
void view_settle(void);
/* Has a word that is accessed ever been touched by two fibers? */
bool view_shared(const void *addr);

/* ---- races.c ---- */

enum access { ACCESS_READ, ACCESS_WRITE, ACCESS_ATOMIC_READ, ACCESS_ATOMIC_WRITE };
#define ACCESSES 4

void races_reset(void);
void race_check(const void *addr, size_t size, enum access access);

/* ---- host.c ---- */

/* Ends the schedule if @addr lies in memory that was given back. */
void memory_check(const void *addr, size_t size);
/* The same within a page fault: what is mapped may be looked at. */
void memory_check_mapped(const void *addr, size_t size);
/* What a fork does to the child's memory. */
void memory_wipe(void);
const char *memory_name(const void *addr, char *buffer, size_t size);
bool memory_is_arena(const void *addr);
/* Set-up ran as the first thread; it was none of them. */
void threads_forget(void);

/* ---- hooks.c ---- */

/* The order of an access by the call that returns to @pc: a mutant weakens it. */
int order_at(uintptr_t pc, int order);

/* ---- fiber.c ---- */

void fiber_switch(void **save, void *to);
void fiber_prepare(unsigned int i);
void fibers_start(void);
bool on_a_stack(const void *addr);

/* ---- image.c ---- */

void image_keep(void); /* as it is now */
void image_restore(void);
void image_pristine(void); /* as the program began */
void image_dirty(const void *addr, size_t size);
bool image_is_tls(const void *addr);
void image_tls_out(struct fiber *f);
void image_tls_in(const struct fiber *f);

/* ---- trace.c ---- */

void trace_step(const char *what, const void *addr, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void trace_note(const char *format, ...) __attribute__((format(printf, 1, 2)));
void trace_print(void);

#endif
