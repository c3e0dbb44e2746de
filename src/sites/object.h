/* SPDX-License-Identifier: MIT */
/*
 * An ELF object as the kernel's loader sees it: segments at their addresses,
 * and the functions in them. Addresses are the object's own, before it is
 * loaded anywhere.
 */
#ifndef UFUTEX_SITES_OBJECT_H
#define UFUTEX_SITES_OBJECT_H

#include <libelf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UFX_BUILD_ID_MAX 64

struct ufx_segment {
	uint64_t address;
	size_t size; /* of what the file has of it */
	const uint8_t *bytes;
	bool executable;
};

/* What one or more entries of .eh_frame describe. */
struct ufx_function {
	uint64_t start, end;
	uint64_t pads; /* its table of landing pads; 0: it has none */
	bool signal; /* where handlers return to */
};

struct ufx_object {
	uint8_t build_id[UFX_BUILD_ID_MAX];
	size_t build_id_size; /* 0: it has none, or one that is too long */
	bool own; /* it has the engine in it: the note of host/note.h */
	uint64_t text_size; /* of its executable segments */
	struct ufx_segment *segments; /* by address */
	size_t segment_count;
	struct ufx_function *functions; /* by address, none over another */
	size_t function_count;
	Elf *elf;
	int fd;
};

/* Returns NULL, or why not, as the end of a sentence that begins with "it". */
const char *ufx_object_open(struct ufx_object *object, const char *path);
void ufx_object_close(struct ufx_object *object);

/*
 * Reads the functions' boundaries, unless they are there. Returns NULL, or why
 * not.
 */
const char *ufx_object_functions(struct ufx_object *object);

/* Which function is the first that ends behind @address; their count: none. */
size_t ufx_object_function(const struct ufx_object *object, uint64_t address);

/* The segment that @address is in, or NULL. */
const struct ufx_segment *ufx_object_segment(const struct ufx_object *object,
					     uint64_t address);

/*
 * Is @address in code? Segments that are executable may have constants, too;
 * what the sections' headers say of them counts, if there are any.
 */
bool ufx_object_is_code(const struct ufx_object *object, uint64_t address);

/* The bytes from @address on; @left gets how many the segment has of them. */
const uint8_t *ufx_object_bytes(const struct ufx_object *object,
				uint64_t address, size_t *left);

/*
 * The name of the symbol that @address is in and how far behind its beginning,
 * for people; NULL if none is known.
 */
const char *ufx_object_name(const struct ufx_object *object, uint64_t address,
			    uint64_t *offset);

#endif
