// SPDX-License-Identifier: MIT
/*
 * Compiled once for each copy: UFX_STATIC, which makes the engine a part of this
 * file; UFX_PREFIX; or neither, with COPY_LIBRARY for the library itself.
 */
#if defined(UFX_STATIC)
#include "ufutex.c"
#elif defined(COPY_LIBRARY)
#include <ufutex/domain.h>
#include <ufutex/futex.h>
#include <ufutex/ref.h>
#else
#include "ufutex.h"
#endif

#include <limits.h>
#include <stdlib.h>

#include "copy.h"

#define TEXT_NOW(x) #x
#define TEXT(x) TEXT_NOW(x)

static long wait(uint32_t *word, uint32_t value)
{
	return ufx_futex(word, UFX_FUTEX_WAIT | UFX_FUTEX_PRIVATE, value, NULL, NULL, 0);
}

static long wake(uint32_t *word, uint32_t n)
{
	return ufx_futex(word, UFX_FUTEX_WAKE | UFX_FUTEX_PRIVATE, n, NULL, NULL, 0);
}

static long purge(uint32_t *word)
{
	return ufx_domain_purge(ufx_domain_default(), (uintptr_t)word, 4);
}

static int set_slots(uint32_t slots)
{
	return ufx_domain_set_slots(ufx_domain_default(), slots);
}

/* ---- an object that is replaced ---- */

static void release(struct ufx_object *object)
{
	free(object);
}

static struct ufx_object *make(void)
{
	struct ufx_object *object = malloc(sizeof(*object));

	if (object && ufx_object_init(object, UFX_SLOT_PUBLISH_FIRST, release)) {
		free(object);
		object = NULL;
	}
	return object;
}

static const char *replace_once(struct ufx_slot *slot)
{
	struct ufx_object *pinned = ufx_slot_get_inline(slot), *next = make();

	if (!next || !pinned)
		return "no object";
	if (ufx_slot_replace(slot, next))
		return "not replaced";
	if (slot->current != next)
		return "another object is there";
	ufx_slot_put_inline(slot, pinned);
	return NULL;
}

static const char *replace(unsigned int n)
{
	const char *wrong = NULL;
	struct ufx_slot slot;

	if (ufx_slot_init(&slot, UFX_SLOT_PUBLISH_FIRST, make()))
		return "no slot";
	while (n-- && !wrong)
		wrong = replace_once(&slot);
	ufx_slot_exit(&slot);
	return wrong;
}

static const char *mode(void)
{
	struct ufx_capabilities caps;

	return ufx_caps(&caps) ? "none" : ufx_mode_name(caps.mode);
}

const struct copy COPY = {
	TEXT(COPY), wait, wake, purge, replace, set_slots, mode
};
