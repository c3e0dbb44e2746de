/* SPDX-License-Identifier: MIT */
#include "host/rule.h"

#ifdef UFX_DEBUG
#include <stdio.h>
#include <stdlib.h>

UFX_TLS unsigned int ufx_thread_called;

void ufx_rule_broken(const char *function, const char *rule)
{
	fprintf(stderr, "ufutex: %s: broken rule: %s\n", function, rule);
	abort();
}
#endif
