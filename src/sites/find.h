/* SPDX-License-Identifier: MIT */
/* Finding the places of an object where futex(2) may be called. */
#ifndef UFUTEX_SITES_FIND_H
#define UFUTEX_SITES_FIND_H

#include "sites/object.h"
#include "sites/site.h"

/*
 * Fills @sites, to be freed by ufx_sites_free; with none if the object has the
 * engine in it. Only functions that have the
 * bytes of a system call are decoded. Returns NULL, or why not, as
 * ufx_object_open does.
 */
const char *ufx_sites_find(struct ufx_object *object, struct ufx_site_list *sites);
void ufx_sites_free(struct ufx_site_list *sites);

#endif
