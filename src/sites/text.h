/* SPDX-License-Identifier: MIT */
/* A site's instructions, for people. */
#ifndef UFUTEX_SITES_TEXT_H
#define UFUTEX_SITES_TEXT_H

#include "sites/site.h"

#define UFX_SITE_TEXT 512

/* In AT&T's syntax, with semicolons between. */
void ufx_site_text(const struct ufx_site *site, char text[UFX_SITE_TEXT]);

#endif
