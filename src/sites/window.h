/* SPDX-License-Identifier: MIT */
/* The whole instructions that a jump replaces at one system call. */
#ifndef UFUTEX_SITES_WINDOW_H
#define UFUTEX_SITES_WINDOW_H

#include "sites/code.h"
#include "sites/site.h"

/* The pair of a mov of the number and the system call, if it is one. */
bool ufx_window_pair(struct ufx_code *code, size_t n, struct ufx_site *site);

/*
 * Any window: with what follows, else with what precedes, else with both.
 * @site gets it, and is marked in @code; or it gets the reason why there is
 * none, that of the first that was tried.
 */
void ufx_window_choose(struct ufx_code *code, size_t n, struct ufx_site *site);

/* Instruction @n alone, refused. */
void ufx_window_refuse(const struct ufx_code *code, size_t n,
		       enum ufx_site_refused why, struct ufx_site *site);

#endif
