/* SPDX-License-Identifier: MIT */
/* A ref and a slot of one object, for tests that count what sequences do. */
#ifndef TESTS_SECTION_COUNTED_H
#define TESTS_SECTION_COUNTED_H

#include <ufutex/ref.h>

#include "ref/cells.h"
#include "tap.h"

static struct ufx_ref ref;
static struct ufx_object object;
static struct ufx_slot slot;

static void ignore(struct ufx_ref *r)
{
	(void)r;
}

static void ignore_object(struct ufx_object *o)
{
	(void)o;
}

static void counted_start(void)
{
	ufx_object_init(&object, UFX_SLOT_PUBLISH_FIRST, ignore_object);
	if (ufx_ref_init(&ref, ignore) ||
	    ufx_slot_init(&slot, UFX_SLOT_PUBLISH_FIRST, &object))
		bail("nothing to count");
}

/* References to both, as the cells have them. */
static int64_t counted(void)
{
	return ufx_cells_sum(ref.counters.cells) + ufx_cells_sum(object.counters.cells);
}

#endif
