// SPDX-License-Identifier: MIT
/* A shared object with sequences compiled into it, to be loaded and unloaded. */
#include "plugin.h"

static void ignore(struct ufx_ref *ref)
{
	(void)ref;
}

UFX_API int plugin_make(struct ufx_ref *ref)
{
	return ufx_ref_init(ref, ignore);
}

/* The last sequence that the thread has run is one of this object's. */
UFX_API void plugin_use(struct ufx_ref *ref, int rounds)
{
	for (int i = 0; i < rounds; i++) {
		ufx_ref_get_inline(ref);
		ufx_ref_get_inline(ref);
		ufx_ref_put_inline(ref);
	}
}

UFX_API void plugin_forget(void)
{
	ufx_section_forget();
}

/* The same by the library's own: one that is never unloaded. */
UFX_API void plugin_use_outside(struct ufx_ref *ref)
{
	ufx_ref_get(ref);
	ufx_ref_put(ref);
}

UFX_API long plugin_kill(struct ufx_ref *ref)
{
	return ufx_ref_kill(ref) ? -1 : (long)ref->counters.count;
}

UFX_API int plugin_mode(void)
{
	struct ufx_capabilities caps;

	return ufx_caps(&caps) ? UFX_MODE_NONE : caps.mode;
}
