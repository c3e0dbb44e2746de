/* SPDX-License-Identifier: MIT */
/* The objects that the loader has mapped, and their identity. */
#ifndef UFX_PRELOAD_OBJECTS_H
#define UFX_PRELOAD_OBJECTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UFX_BUILD_ID_BYTES 64

struct ufx_loaded {
	const void *id;   /* the loader's own record of it */
	uintptr_t bias;   /* its addresses are so much higher than in the file */
	const char *path; /* valid as long as it is mapped */
	uint8_t build_id[UFX_BUILD_ID_BYTES];
	uint32_t build_id_size; /* 0: none */
};

/* Hears of one; false ends the listing. */
typedef bool ufx_object_seen(void *context, const struct ufx_loaded *object);

/*
 * All that are loaded, in every namespace; not the kernel's, nor this library.
 * False if @seen said so. Under the loader's lock, or before there are threads.
 */
bool ufx_objects_each(ufx_object_seen *seen, void *context);

/* The file that this library is of, and where in it its text begins. */
const char *ufx_objects_own(uint64_t *offset);

/* Is it still there? */
bool ufx_objects_have(const void *id, uintptr_t bias);

/*
 * Has the loader call @hook whenever it has mapped or unmapped objects, before
 * it runs any of their code. NULL or why not. The text must be open.
 */
const char *ufx_objects_watch(void (*hook)(void));

#endif
