/* SPDX-License-Identifier: MIT */
/* Debug builds alone: a broken rule ends the program. */
#include "futex/node.h"

#ifdef UFX_DEBUG
#include <stdio.h>
#include <stdlib.h>

void ufx_rule_broken(const char *function, const char *rule)
{
	fprintf(stderr, "ufutex: %s: broken rule: %s\n", function, rule);
	abort();
}
#endif
