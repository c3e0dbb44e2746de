// SPDX-License-Identifier: MIT
/* A debug build (UFX_DEBUG): broken rules end the program and say which. */
#include <ufutex/domain.h>
#include <ufutex/wait.h>
#include <ufutex/wake.h>

#include "broken.h"
#include "tap.h"

static struct ufx_domain *d;
static const struct ufx_condition condition = { .key = 1 };

static void tell(void *handle)
{
	(void)handle;
}

static const struct ufx_parker parker = { tell };

static void no_domain(void)
{
	ufx_domain_wake(NULL, 1, 1, UFX_ALL);
}

static void no_mask(void)
{
	ufx_domain_wake(d, 1, 1, 0);
}

static void prepare_twice(void)
{
	struct ufx_node n = { .handle = NULL };

	ufx_node_prepare(d, &n, &condition, &parker, NULL);
	ufx_node_prepare(d, &n, &condition, &parker, NULL);
}

static void finish_unprepared(void)
{
	struct ufx_node n = { .handle = NULL };

	ufx_node_finish(&n, NULL);
}

static void odd_size(void)
{
	static uint32_t word;
	struct ufx_condition c = { .key = 1, .word = &word, .size = 3 };
	struct ufx_node n = { .handle = NULL };

	ufx_node_prepare(d, &n, &c, &parker, NULL);
}

static void block_on_guest(void)
{
	struct ufx_node n = { .handle = NULL };

	ufx_node_prepare(d, &n, &condition, &parker, NULL);
	ufx_node_block(&n, NULL, NULL);
}

static bool waits(void *arg)
{
	struct ufx_node other = { .handle = NULL };

	(void)arg;
	ufx_node_prepare(d, &other, &condition, &parker, NULL);
	return false;
}

static void calls_back(void)
{
	struct ufx_condition c = { .key = 2, .check = waits };
	struct ufx_node n = { .handle = NULL };

	ufx_node_prepare(d, &n, &c, &parker, NULL);
}

static void destroys_used(void)
{
	struct ufx_node n = { .handle = NULL };

	ufx_node_prepare(d, &n, &condition, &parker, NULL);
	ufx_domain_destroy(d);
}

static void uses_destroyed(void)
{
	struct ufx_domain *gone;
	struct ufx_node n = { .handle = NULL };

	ufx_domain_create(&gone, NULL);
	ufx_domain_destroy(gone);
	ufx_node_prepare(gone, &n, &condition, &parker, NULL);
}

int main(void)
{
	if (ufx_domain_create(&d, NULL))
		bail("no domain");
	broken(no_domain, "ufx_domain_wake: broken rule");
	broken(no_mask, "a mask that is not empty");
	broken(prepare_twice, "finished before it is prepared again");
	broken(finish_unprepared, "what is finished was prepared");
	broken(odd_size, "1, 2, 4 or 8 bytes");
	broken(block_on_guest, "does not block a thread");
	broken(calls_back, "a callback does not call the library");
	broken(destroys_used, "nobody waits on a domain that is destroyed");
	broken(uses_destroyed, "a domain is not used once it is destroyed");
	return tap_end();
}
