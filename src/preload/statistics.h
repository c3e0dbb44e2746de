/* SPDX-License-Identifier: MIT */
/*
 * What a process counts, and where others find it: how it lies in memory. The
 * preload writes it, the command reads it, from a file that both have mapped
 * (`ufutex run --stats`) or out of the process (`ufutex stats PID`).
 */
#ifndef UFX_PRELOAD_STATISTICS_H
#define UFX_PRELOAD_STATISTICS_H

#include <stddef.h>
#include <stdint.h>

#include "preload/operations.h"

#define UFX_STATISTICS_MAGIC 0x53544154535f5846u /* FX_STATS */
#define UFX_STATISTICS_VERSION 1u

/* ---- one process -------------------------------------------------------------- */

enum ufx_tier { UFX_TIER_NONE, UFX_TIER_OBSERVE, UFX_TIER_PATCH };

struct ufx_statistics_object {
	uint32_t path; /* in the text */
	uint32_t futex, tested, handler, refused; /* sites */
};

#define UFX_STATISTICS_OBJECTS 512
#define UFX_STATISTICS_TEXT 40000

/* What it is: written by it now and then, the same in a fork child. */
struct ufx_description {
	uint32_t tier;
	uint32_t objects_used, objects_lost;
	uint32_t text_used;
	uint32_t program; /* in the text, as the reason; 0: not known */
	uint32_t reason;  /* 0: none */
	struct ufx_statistics_object objects[UFX_STATISTICS_OBJECTS];
	char text[UFX_STATISTICS_TEXT]; /* strings; the first is empty */
} __attribute__((aligned(4096)));

struct ufx_statistics_slots {
	uint64_t ns; /* since the start */
	uint64_t slots;
};

#define UFX_STATISTICS_CHANGES 64

/* What it counts: begins anew in a fork child. */
struct ufx_live {
	struct ufx_stripe stripes[UFX_STRIPES];
	uint32_t pid;    /* 0: it has not begun */
	uint32_t tables; /* so many came into force */
	uint64_t start;  /* CLOCK_BOOTTIME */
	/* The first of them, then the last ones: number n > 0 at 1 + (n - 1) % .. */
	struct ufx_statistics_slots changes[1 + UFX_STATISTICS_CHANGES];
} __attribute__((aligned(4096)));

struct ufx_section {
	struct ufx_description description;
	struct ufx_live live;
};

/* ---- many processes: a file --------------------------------------------------- */

#define UFX_STATISTICS_VARIABLE "UFUTEX_STATS" /* names it: /proc/PID/fd/N */
#define UFX_STATISTICS_FILE "ufutex-stats" /* memfd's name */
#define UFX_STATISTICS_SECTIONS 512

/* Sections are claimed one after the other, and never given back. */
struct ufx_statistics_file {
	uint64_t magic;
	uint32_t version, size; /* of all of it */
	uint32_t claimed; /* may go on beyond how many there are */
	uint32_t unseen;  /* processes that have not got one */
	uint32_t pids[UFX_STATISTICS_SECTIONS]; /* whose it is; 0: nobody's */
	struct ufx_section sections[UFX_STATISTICS_SECTIONS];
};

/* ---- out of a process --------------------------------------------------------- */

/*
 * The library has an ELF note, whose contents are how far from there an anchor
 * lies, 8 bytes. Addresses are those of the process.
 */
#define UFX_STATISTICS_NOTE "ufutex"
#define UFX_STATISTICS_NOTE_TYPE 2 /* 1 is host/note.h's */

struct ufx_statistics_anchor {
	uint64_t magic;
	uint32_t version;
	uint32_t zero;
	const struct ufx_description *description; /* NULL: it has not begun */
	struct ufx_counting *counting; /* whose stripes begin the other part */
};

/* ---- in the preload ------------------------------------------------------------ */

struct ufx_found_table;

/* Before anything is counted; once. */
void ufx_statistics_start(void);

void ufx_statistics_tier(enum ufx_tier tier, const char *reason);

/* The tier stays, but something is not served. The first reason is kept. */
void ufx_statistics_not_all(const char *reason);

/* Its sites; once more for the same object changes nothing. */
void ufx_statistics_object(const struct ufx_found_table *found);

#endif
