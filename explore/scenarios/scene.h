/* SPDX-License-Identifier: MIT */
/* What scenarios share: a domain, its words, and short names for operations. */
#ifndef EXPLORE_SCENE_H
#define EXPLORE_SCENE_H

#include <errno.h>

#include <ufutex/domain.h>
#include <ufutex/futex.h>
#include <ufutex/grace.h>
#include <ufutex/ref.h>

#include "futex/wait.h"
#include "futex/wake.h"
#include "table/domain.h"
#include "scenario.h"

/*
 * Words of a scene: 0 and 1 share a bucket of a table with two, 2 lies in the
 * other. Set by scene_domain.
 */
extern uint32_t *word[3];
extern struct ufx_domain *domain;

/* A domain of two slots, with its table. */
void scene_domain(void);
/* The same with 0: no table yet; or more slots. */
void scene_domain_slots(uint32_t slots);

uint32_t peek(uint32_t *w);
void set(uint32_t *w, uint32_t value); /* relaxed, as any program's store */

/* Waits while *@w is @value: 0 woken, or -errno. */
long wait_on(uint32_t *w, uint32_t value);
/* The same with a deadline that may pass at any time. */
long wait_timed(uint32_t *w, uint32_t value);
/* Waits until *@w is not @value any more, as a lock does. */
void wait_until_not(uint32_t *w, uint32_t value);
/* Waits for either word to leave 0: the index of the woken one, or -errno. */
long wait_on_two(uint32_t *a, uint32_t *b);
/* A waiter of the calling thread that takes any wake. */
struct ufx_waiter *scene_waiter(void);
long wake(uint32_t *w, uint32_t n);
void set_and_wake(uint32_t *w, uint32_t value, uint32_t n);
void set_slots(uint32_t slots);

/* Threads and a check of many scenarios: about the first word. */
void waits_until_set(void);
void sets_and_wakes(void);
void nobody_left(void); /* must be queued */

/* Is nobody queued in the domain, and every count of the table 0? */
bool nobody_queued(void);

/* ---- for scenarios that count ---- */

extern long results[FIBERS]; /* of each thread's wait; -1: none */
extern long counted[FIBERS]; /* what each thread's wakes said */

/* scene_domain, and no results yet. */
void scene_domain_and_results(void);

/* Threads: one wait for word 0, or one wake of it without a store. */
void waits(void);
void waits_timed(void);
void wakes(void);
/* The two phases: nobody looks at the word again once it has been queued. */
void prepares_and_polls(void);

/* Each wake that was counted ended one wait, and no wait ended for nothing. */
void counts_are_exact(void);

#endif
