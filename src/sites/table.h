/* SPDX-License-Identifier: MIT */
/*
 * The sites of one object as a file: a header, then so many records, each a
 * struct ufx_site as it lies in memory. All numbers are little-endian. It can
 * be used where it is mapped, once it has been checked.
 */
#ifndef UFUTEX_SITES_TABLE_H
#define UFUTEX_SITES_TABLE_H

#include <stdint.h>

#include "sites/site.h"

#define UFX_TABLE_MAGIC "UFXSITES" /* without the zero */
#define UFX_TABLE_VERSION 2

struct ufx_table_header {
	char magic[8];
	uint32_t version;
	uint32_t count;
	uint64_t checksum; /* of all other bytes: ufx_table_sum */
	uint64_t text_size; /* of the object's executable segments */
	uint8_t build_id_size;
	uint8_t zero[7];
	uint8_t build_id[64]; /* so many bytes of it, then zeros */
};

/*
 * Is this a table, whole and sound? NULL, or why not, as the end of a sentence
 * that begins with "it".
 */
const char *ufx_table_check(const void *bytes, size_t size);

/* FNV-1a over all but the field checksum; @size is at least the header's. */
uint64_t ufx_table_sum(const void *bytes, size_t size);

/* The records of a table that was checked. */
static inline const struct ufx_site *ufx_table_sites(const void *bytes)
{
	return (const struct ufx_site *)((const struct ufx_table_header *)bytes + 1);
}

#endif
