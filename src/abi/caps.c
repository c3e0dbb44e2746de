/* SPDX-License-Identifier: MIT */
/* ufx_caps: one answer gathered from all layers. */
#include <errno.h>
#include <string.h>

#include <ufutex/caps.h>

#include "grace/mode.h"
#include "grace/period.h"
#include "grace/reader.h"
#include "host/cpu.h"
#include "host/memory.h"
#include "host/park.h"
#include "table/domain.h"

int ufx_caps(struct ufx_capabilities *caps)
{
	struct ufx_domain *d;

	memset(caps, 0, sizeof(*caps));
	caps->error = ufx_start();
	for (int mode = UFX_MODE_NONE; mode < UFX_MODE_COUNT; mode++)
		caps->missing[mode] = ufx_mode_missing((enum ufx_mode)mode);
	caps->cpus = ufx_cpus_possible();
	caps->waitv = ufx_park_has_waitv();
	if (caps->error)
		return caps->error;
	caps->mode = ufx_mode->mode;
	caps->wipe_on_fork = ufx_pages_wiped();
	caps->grace_periods = ufx_periods_made();
	caps->grace_failures = ufx_periods_failed();
	caps->aborts = ufx_read_aborts();
	d = ufx_domain_default();
	if (!d) { /* UFUTEX_REPLACE names no way */
		caps->error = -EOPNOTSUPP;
		return caps->error;
	}
	caps->replace = ufx_domain_config(d)->options.replace;
	caps->leaked_tables = ufx_load(&d->leaked);
	return 0;
}
