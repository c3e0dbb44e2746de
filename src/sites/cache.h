/* SPDX-License-Identifier: MIT */
/*
 * Tables of objects that were searched before, in $XDG_CACHE_HOME/ufutex/sites
 * or ~/.cache/ufutex/sites. A table has its object's build-id as its name.
 */
#ifndef UFUTEX_SITES_CACHE_H
#define UFUTEX_SITES_CACHE_H

#include <limits.h>

#include "sites/object.h"
#include "sites/site.h"

struct ufx_sites_cache {
	char path[PATH_MAX]; /* of the table, "" if the object can have none */
};

/* Where the table of @object is or would be. */
void ufx_cache_find(struct ufx_sites_cache *cache, const struct ufx_object *object);

enum ufx_cache_answer {
	UFX_CACHE_HIT,
	UFX_CACHE_MISS, /* there is none, or one of another version */
	UFX_CACHE_BAD,  /* there is one that is not to be used */
};

/*
 * Takes the table. Bad is also one whose sites are not what the object has
 * there; @why then gets the end of a sentence that begins with "it".
 */
enum ufx_cache_answer ufx_cache_read(const struct ufx_sites_cache *cache,
				     const struct ufx_object *object,
				     struct ufx_site_list *sites,
				     const char **why);

/*
 * The table of @object, @size bytes to be freed. Where @sites is NULL, it is one
 * that tells of an error.
 */
void *ufx_cache_table(const struct ufx_object *object,
		      const struct ufx_site_list *sites, size_t *size);

bool ufx_cache_write_all(int fd, const void *bytes, size_t size);

/* Tries to keep it; nobody gets to see half of it. */
void ufx_cache_write(const struct ufx_sites_cache *cache,
		     const struct ufx_object *object,
		     const struct ufx_site_list *sites);

#endif
