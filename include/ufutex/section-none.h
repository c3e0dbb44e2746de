/* SPDX-License-Identifier: MIT */
/* No restartable sequences: another mode counts. */
#ifndef UFUTEX_SECTION_NONE_H
#define UFUTEX_SECTION_NONE_H

#define UFX_HAVE_SECTIONS 0

static inline void ufx_section_clear(void)
{
}

static inline enum ufx_section_result ufx_section_add(const uintptr_t *cells,
						      long n)
{
	(void)cells, (void)n;
	return UFX_SECTION_SLOW;
}

static inline enum ufx_section_result ufx_section_pin(void *const *where,
						      void **object)
{
	(void)where, (void)object;
	return UFX_SECTION_SLOW;
}

static inline enum ufx_section_result
ufx_section_pin_atomic(void *const *where, void **object)
{
	(void)where, (void)object;
	return UFX_SECTION_SLOW;
}

static inline enum ufx_section_result
ufx_section_peek(void *const *where, uint64_t hash, uint64_t *word)
{
	(void)where, (void)hash, (void)word;
	return UFX_SECTION_SLOW;
}

static inline enum ufx_section_result
ufx_section_lock(void *const *where, uint64_t hash, uint64_t take, void **table,
		 void **bucket)
{
	(void)where, (void)hash, (void)take, (void)table, (void)bucket;
	return UFX_SECTION_SLOW;
}

#endif
