/* SPDX-License-Identifier: MIT */
#ifndef TESTS_SECTION_PLUGIN_H
#define TESTS_SECTION_PLUGIN_H

#include <ufutex/caps.h>
#include <ufutex/ref.h>

UFX_BEGIN
UFX_API int plugin_make(struct ufx_ref *ref);
UFX_API void plugin_use(struct ufx_ref *ref, int rounds);
UFX_API void plugin_forget(void);
UFX_API void plugin_use_outside(struct ufx_ref *ref);
UFX_API long plugin_kill(struct ufx_ref *ref);
UFX_API int plugin_mode(void);
UFX_END

#endif
