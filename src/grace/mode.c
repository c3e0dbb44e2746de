/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "grace/mode.h"
#include "grace/period.h"
#include "grace/reader.h"
#include "host/address.h"
#include "host/lock.h"
#include "host/park.h"
#include "host/quota.h"
#include "host/setting.h"
#include "host/thread.h"

static const struct ufx_mode_ops *const all[] = {
	&ufx_mode_rseq, &ufx_mode_membarrier, &ufx_mode_fence, &ufx_mode_shared
};

#define ALL (sizeof(all) / sizeof(all[0]))

const struct ufx_mode_ops *ufx_mode = &ufx_mode_fence;
uint32_t ufx_grace_started; /* 0 no, 1 somebody is at it, 2 yes, 3 failed */
static int start_error;
static const char *missing[UFX_MODE_COUNT];

const char *ufx_mode_name(enum ufx_mode mode)
{
	for (unsigned int i = 0; i < ALL; i++)
		if (all[i]->mode == mode)
			return all[i]->name;
	return "none";
}

const char *ufx_mode_missing(enum ufx_mode mode)
{
	return mode > UFX_MODE_NONE && mode < UFX_MODE_COUNT ? missing[mode] : NULL;
}

/* The mode called @name, or the best one; NULL: not there, or no such name. */
static const struct ufx_mode_ops *choose(const char *name)
{
	for (unsigned int i = 0; i < ALL; i++) {
		if (name && *name ? ufx_setting_is(name, all[i]->name) :
				    !missing[all[i]->mode])
			return missing[all[i]->mode] ? NULL : all[i];
	}
	return NULL;
}

static int start(void)
{
	const struct ufx_mode_ops *chosen;
	uint32_t spin;

	if (ufx_thread_start() || ufx_readers_start() || ufx_period_start())
		return -ENOMEM;
	ufx_park_start();
	ufx_address_start();
	ufx_quota_start();
	for (unsigned int i = 0; i < ALL; i++)
		missing[all[i]->mode] = all[i]->probe();
	chosen = choose(ufx_setting("UFUTEX_REFS"));
	if (!chosen || !ufx_spin_parse(ufx_setting("UFUTEX_SPIN"), &spin))
		return -EOPNOTSUPP;
	ufx_spin_set(spin);
	ufx_mode = chosen;
#if UFX_HAVE_SECTIONS || UFX_MODEL
	if (chosen != &ufx_mode_rseq)
		ufx_store(&ufx_section_env.cpus, 0); /* every section is slow */
#endif
	return 0;
}

int ufx_grace_start(void)
{
	uint32_t none = 0;
	unsigned int round = 0;

	if (ufx_thread_inside) /* a handler amid the start: its thread cannot go on */
		return -EAGAIN;
	if (ufx_cas(&ufx_grace_started, &none, 1)) {
		ufx_enter_inside();
		start_error = start();
		ufx_leave_inside();
		ufx_store_release(&ufx_grace_started, start_error ? 3 : 2);
	}
	while (ufx_load_acquire(&ufx_grace_started) == 1)
		ufx_relax(&round);
	return start_error;
}

#if !UFX_PORTABLE && !UFX_EMBEDDED
/* So that registrations happen before there are threads, where they are slow. */
__attribute__((constructor)) static void start_early(void)
{
	ufx_grace_start();
}
#endif
