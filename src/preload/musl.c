/* SPDX-License-Identifier: MIT */
/*
 * What keeps the library loadable by musl, where it does nothing.
 *
 * glibc's pthread_atfork is linked into each library and calls a function that
 * musl has not; a strong reference to it would end the program at its start.
 */
#include <errno.h>
#include <pthread.h>

extern int __register_atfork(void (*prepare)(void), void (*parent)(void),
			     void (*child)(void), void *library)
	__attribute__((weak));
extern void *__dso_handle __attribute__((visibility("hidden")));

int pthread_atfork(void (*prepare)(void), void (*parent)(void),
		   void (*child)(void))
{
	if (!__register_atfork)
		return ENOSYS;
	return __register_atfork(prepare, parent, child, &__dso_handle);
}
