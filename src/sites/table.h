/* SPDX-License-Identifier: MIT */
/*
 * The sites of one object as a file: a header, then so many records, each a
 * struct ufx_site as it lies in memory. All numbers are little-endian. It can
 * be used where it is mapped, once it has been checked. table.c needs nothing
 * but memcmp of a C library.
 */
#ifndef UFUTEX_SITES_TABLE_H
#define UFUTEX_SITES_TABLE_H

#include <stdint.h>

#include "sites/site.h"

#define UFX_TABLE_MAGIC "UFXSITES" /* without the zero */
#define UFX_TABLE_VERSION 3

enum ufx_table_flags {
	UFX_TABLE_OWN = 1, /* the object has the engine in it: leave it alone */
	UFX_TABLE_FLAGS = 1, /* all of them */
};

struct ufx_table_header {
	char magic[8];
	uint32_t version;
	uint32_t count;
	uint64_t checksum; /* of all other bytes: ufx_table_sum */
	uint64_t text_size; /* of the object's executable segments */
	uint8_t build_id_size; /* 0: it has none */
	uint8_t flags;
	uint8_t zero[2];
	uint32_t error; /* not 0: the object could not be searched */
	uint8_t build_id[64]; /* so many bytes of it, then zeros */
};

/*
 * Is this a table, whole and sound? NULL, or why not, as the end of a sentence
 * that begins with "it".
 */
const char *ufx_table_check(const void *bytes, size_t size);

/*
 * How long the table is that begins at @bytes, where others may follow it.
 * 0: there is none, or not all of it.
 */
size_t ufx_table_length(const void *bytes, size_t size);

/* FNV-1a over all but the field checksum; @size is at least the header's. */
uint64_t ufx_table_sum(const void *bytes, size_t size);

/* The records of a table that was checked. */
static inline const struct ufx_site *ufx_table_sites(const void *bytes)
{
	return (const struct ufx_site *)((const struct ufx_table_header *)bytes + 1);
}

#endif
