/* SPDX-License-Identifier: MIT */
/* A place where a program may call futex(2), and what a jump there replaces. */
#ifndef UFUTEX_SITES_SITE_H
#define UFUTEX_SITES_SITE_H

#include <stddef.h>
#include <stdint.h>

#define UFX_SITE_BYTES 16
#define UFX_JUMP_SIZE 5 /* a jump to anywhere within 2 GiB */

enum ufx_site_kind {
	UFX_SITE_FUTEX,   /* the number is a constant: futex's, or one of its kin's */
	UFX_SITE_TESTED,  /* it is known at run time only */
	UFX_SITE_HANDLER, /* it is rt_sigaction's */
	UFX_SITE_UNLIKELY, /* refused; but nothing there could make it one of these */
	UFX_SITE_KINDS,
};

/* Why a site cannot be patched. */
enum ufx_site_refused {
	UFX_SITE_USABLE,
	UFX_REFUSED_TARGET,
	UFX_REFUSED_TRANSFER,
	UFX_REFUSED_ROOM,
	UFX_REFUSED_OVERLAP,
	UFX_REFUSED_UNDECODED,
	UFX_REFUSED_SPLIT,
	UFX_REFUSED_COMPUTED,
	UFX_REFUSED_OUTSIDE,
	UFX_REFUSED_SIGNAL,
	UFX_REFUSED_STACK,
	UFX_REFUSED_REASONS,
};

enum ufx_site_flags {
	UFX_SITE_RELATIVE = 1, /* @relocation is to be corrected in a copy */
	UFX_SITE_FLAGS = 1,    /* all of them */
};

/*
 * The window of one that is refused is the system call alone. Where it was not
 * possible to decode, it may be something else.
 */
struct ufx_site {
	uint64_t address; /* of the window */
	uint8_t length;
	uint8_t syscall; /* where in it the system call is */
	uint8_t kind, refused, flags;
	uint8_t relocation; /* where in it a displacement of 4 bytes is */
	uint8_t zero[2];
	uint8_t bytes[UFX_SITE_BYTES]; /* @length of them, then zeros */
};

struct ufx_site_list {
	struct ufx_site *list; /* by address, none over another */
	size_t count;
};

/* The reason in a few words; reason.c needs nothing else. */
const char *ufx_site_reason(enum ufx_site_refused refused);

#endif
