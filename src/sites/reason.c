/* SPDX-License-Identifier: MIT */
#include "sites/site.h"

const char *ufx_site_reason(enum ufx_site_refused refused)
{
	static const char *const reasons[] = {
		[UFX_SITE_USABLE] = "usable",
		[UFX_REFUSED_TARGET] = "something may jump into it",
		[UFX_REFUSED_TRANSFER] = "a branch, call or return is next to it",
		[UFX_REFUSED_ROOM] = "the function has too little room",
		[UFX_REFUSED_OVERLAP] = "another site is too near",
		[UFX_REFUSED_UNDECODED] = "the function does not decode to its end",
		[UFX_REFUSED_SPLIT] = "something may jump into an instruction of the function",
		[UFX_REFUSED_COMPUTED] = "the function computes jumps within itself",
		[UFX_REFUSED_OUTSIDE] = "it is in no function that is known",
		[UFX_REFUSED_SIGNAL] = "signal handlers return to it",
		[UFX_REFUSED_STACK] = "it moves the stack pointer",
	};

	return refused < UFX_REFUSED_REASONS ? reasons[refused] : "unknown";
}
