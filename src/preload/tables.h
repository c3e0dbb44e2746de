/* SPDX-License-Identifier: MIT */
/*
 * Tables of sites (sites/table.h) for objects that are loaded: from the cache
 * that the ufutex command keeps, else made by that command, as a child that
 * the program never hears of.
 */
#ifndef UFX_PRELOAD_TABLES_H
#define UFX_PRELOAD_TABLES_H

#include "preload/objects.h"
#include "sites/table.h"

struct ufx_found_table {
	struct ufx_loaded object;
	const struct ufx_table_header *table; /* NULL: there is none */
	void *pages; /* for this table alone, or NULL */
	size_t size;
};

/*
 * Finds the tables of @count objects. Whoever calls is the only one at a time.
 * Free them by ufx_tables_free, all at once.
 */
void ufx_tables_find(struct ufx_found_table *found, size_t count);
void ufx_tables_free(struct ufx_found_table *found, size_t count);

#endif
