/* SPDX-License-Identifier: MIT */
/* A new thread: the table grows as the kernel's does at clone. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>

#include "host/atomic.h"
#include "host/confine.h"
#include "host/thread.h"
#include "preload/preload.h"
#include "table/domain.h"

typedef int create_fn(pthread_t *, const pthread_attr_t *, void *(*)(void *),
		      void *);

/*
 * The definition behind ours. glibc's dlsym allocates only for an error
 * message, and the search cannot fail where programs have threads.
 */
static create_fn *next_create(void)
{
	static create_fn *next;
	create_fn *found = ufx_load(&next);

	if (!found) {
		found = (create_fn *)dlsym(RTLD_NEXT, "pthread_create");
		ufx_store(&next, found);
	}
	return found;
}

/*
 * A child of vfork must leave its parent's table alone; there it has no use. Nor
 * does one that confined itself let us count threads and processors.
 */
static void scale(void)
{
	struct ufx_domain *domain;
	int saved = errno;

	if (!ufx_preload_on() || ufx_thread_unregistered || ufx_is_confined())
		return;
	domain = ufx_domain_default();
	if (domain && !ufx_domain_is_scaled(domain))
		ufx_domain_scale(domain, ufx_threads_count());
	errno = saved;
}

__attribute__((visibility("default"))) int
pthread_create(pthread_t *thread, const pthread_attr_t *attr,
	       void *(*start)(void *), void *arg)
{
	create_fn *create = next_create();

	if (!create)
		return ENOSYS;
	scale();
	return create(thread, attr, start, arg);
}
