/* SPDX-License-Identifier: MIT */
/*
 * The restartable sequences of ufutex/section.h for the explorer's machine.
 * Each load has the weakest order that the sequences of a real machine have.
 */
#ifndef EXPLORE_SECTION_MODEL_H
#define EXPLORE_SECTION_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#define UFX_HAVE_SECTIONS 0 /* none for the real machine */

/* One under way; on its fiber's stack. */
struct section {
	bool aborted;
	unsigned int cpu;
};

void section_begin(struct section *s);
void section_end(struct section *s);
/* All three: false if the sequence was aborted before. Add and swap end it. */
bool section_load(struct section *s, const void *addr, unsigned int size, int order,
		  uint64_t *value);
bool section_add(struct section *s, void *word, uint64_t n);
/* False too if the word is not as @expected. */
bool section_swap(struct section *s, void *word, uint64_t expected, uint64_t desired,
		  int order);

static inline void ufx_section_clear(void)
{
}

static inline enum ufx_section_result section_leave(struct section *s,
						    enum ufx_section_result result)
{
	section_end(s);
	return result;
}

static inline enum ufx_section_result section_committed(bool committed)
{
	return committed ? UFX_SECTION_DONE : UFX_SECTION_ABORT;
}

static inline void *section_cell(uint64_t cells, const struct section *s)
{
	return (void *)(uintptr_t)(cells + s->cpu * UFX_CELL_STRIDE);
}

static inline enum ufx_section_result ufx_section_add(const uintptr_t *cells, long n)
{
	struct section s;
	uint64_t word;

	section_begin(&s);
	if (s.cpu >= ufx_section_env.cpus)
		return section_leave(&s, UFX_SECTION_SLOW);
	if (!section_load(&s, cells, 8, __ATOMIC_RELAXED, &word))
		return UFX_SECTION_ABORT;
	if (word & UFX_STATE_MASK)
		return section_leave(&s, UFX_SECTION_SLOW);
	return section_committed(section_add(&s, section_cell(word, &s), (uint64_t)n));
}

/*
 * Begins a pin, and loads the pointer there: DONE, with the section under way.
 * (section_bucket does the same with a line of its own, a mutant of its own.)
 */
static inline enum ufx_section_result section_object(struct section *s,
						     void *const *where, uint64_t *obj)
{
	section_begin(s);
	if (s->cpu >= ufx_section_env.cpus)
		return section_leave(s, UFX_SECTION_SLOW);
	if (!section_load(s, where, 8, __ATOMIC_ACQUIRE, obj))
		return UFX_SECTION_ABORT;
	if (!*obj)
		return section_leave(s, UFX_SECTION_EMPTY);
	return UFX_SECTION_DONE;
}

static inline enum ufx_section_result ufx_section_pin(void *const *where, void **object)
{
	struct section s;
	uint64_t obj, word;
	enum ufx_section_result ret = section_object(&s, where, &obj);

	if (ret != UFX_SECTION_DONE)
		return ret;
	if (!section_load(&s, (void *)(uintptr_t)obj, 8, __ATOMIC_RELAXED, &word))
		return UFX_SECTION_ABORT;
	if (word & UFX_STATE_MASK)
		return section_leave(&s, UFX_SECTION_SLOW);
	*object = (void *)(uintptr_t)obj;
	return section_committed(section_add(&s, section_cell(word, &s), 1));
}

static inline enum ufx_section_result ufx_section_pin_atomic(void *const *where,
							     void **object)
{
	struct section s;
	uint64_t obj, word, counters, count;
	enum ufx_section_result ret = section_object(&s, where, &obj);

	if (ret != UFX_SECTION_DONE)
		return ret;
	if (!section_load(&s, (void *)(uintptr_t)obj, 8, __ATOMIC_ACQUIRE, &word))
		return UFX_SECTION_ABORT;
	if (!(word & UFX_STATE_ATOMIC))
		return section_leave(&s, UFX_SECTION_SLOW);
	if (!section_load(&s, (char *)(uintptr_t)obj + 8, 8, __ATOMIC_RELAXED, &counters) ||
	    !section_load(&s, (char *)(uintptr_t)counters + 8, 8, __ATOMIC_ACQUIRE, &count))
		return UFX_SECTION_ABORT;
	if (!count)
		return section_leave(&s, UFX_SECTION_EMPTY);
	*object = (void *)(uintptr_t)obj;
	return section_committed(section_swap(&s, (char *)(uintptr_t)counters + 8, count,
					      count + 1, __ATOMIC_RELAXED));
}

static inline enum ufx_section_result section_bucket(struct section *s,
						     void *const *where, uint64_t hash,
						     char **table, char **bucket)
{
	uint64_t t, prev, mask;

	section_begin(s);
	if (s->cpu >= ufx_section_env.cpus)
		return section_leave(s, UFX_SECTION_SLOW);
	if (!section_load(s, where, 8, __ATOMIC_ACQUIRE, &t))
		return UFX_SECTION_ABORT;
	if (!t)
		return section_leave(s, UFX_SECTION_EMPTY);
	*table = (char *)(uintptr_t)t;
	if (!section_load(s, *table + 16, 8, __ATOMIC_ACQUIRE, &prev))
		return UFX_SECTION_ABORT;
	if (prev)
		return section_leave(s, UFX_SECTION_SLOW);
	if (!section_load(s, *table + 24, 4, __ATOMIC_RELAXED, &mask))
		return UFX_SECTION_ABORT;
	*bucket = *table + 128 + 64 * (hash & mask);
	return UFX_SECTION_DONE;
}

static inline enum ufx_section_result ufx_section_peek(void *const *where, uint64_t hash,
						       uint64_t *word)
{
	struct section s;
	char *table, *bucket;
	enum ufx_section_result ret = section_bucket(&s, where, hash, &table, &bucket);

	if (ret != UFX_SECTION_DONE)
		return ret;
	if (!section_load(&s, bucket, 8, __ATOMIC_RELAXED, word))
		return UFX_SECTION_ABORT;
	return section_leave(&s, UFX_SECTION_DONE);
}

static inline enum ufx_section_result ufx_section_lock(void *const *where, uint64_t hash,
						       uint64_t take, void **table,
						       void **bucket)
{
	struct section s;
	char *t, *b;
	uint64_t word;
	enum ufx_section_result ret = section_bucket(&s, where, hash, &t, &b);

	if (ret == UFX_SECTION_EMPTY)
		return UFX_SECTION_SLOW;
	if (ret != UFX_SECTION_DONE)
		return ret;
	if (!section_load(&s, b, 8, __ATOMIC_ACQUIRE, &word))
		return UFX_SECTION_ABORT;
	if (word & 5)
		return section_leave(&s, UFX_SECTION_SLOW);
	*table = t;
	*bucket = b;
	return section_committed(section_swap(&s, b, word, word + take, __ATOMIC_ACQ_REL));
}

#endif
