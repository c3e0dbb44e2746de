/* SPDX-License-Identifier: MIT */
/*
 * Weak memory by views. Each word keeps its last few stores in the order in
 * which they took effect; each fiber has a view: of each word, the oldest store
 * that it may still read. A relaxed load reads any store not older than that.
 * A release store carries its fiber's view along; who acquires it joins it to
 * its own. Full fences join a view that all share, both ways.
 *
 * So loads are early or late as on any processor that keeps the stores to one
 * word in one order. What this does not show: a store that is seen before a
 * load that stands in front of it (load buffering).
 *
 * Read-modify-writes are acquire and release as asked for, and never more: no
 * fence, as on machines where they are none.
 *
 * Views also carry clocks, for races.c.
 */
#include <string.h>

#include "state.h"

static struct memory_model *memory(void)
{
	return &model->memory;
}

/* ---- sharing ---- */

static size_t word_of(const void *addr)
{
	return (size_t)((const char *)addr - model->arena) / 4;
}

bool view_shared(const void *addr)
{
	size_t word = word_of(addr);

	/* Data of the program itself: few, and of everybody. */
	if (!memory_is_arena(addr))
		return true;
	return memory()->shared[word / 64] >> (word % 64) & 1;
}

static void touch(struct location *l, const void *addr)
{
	size_t word = word_of(addr);

	if (l->first == model->now || !memory_is_arena(addr) || view_shared(addr))
		return;
	memory()->shared[word / 64] |= 1ull << (word % 64);
	memory()->newly_shared = true;
}

/* ---- views ---- */

static void raise(uint16_t *a, uint16_t b)
{
	if (*a < b)
		*a = b;
}

static void join(struct view *a, const struct view *b)
{
	unsigned int n = (memory()->used + 7) & ~7u;

	for (unsigned int i = 0; i < n; i++)
		a->at[i] = a->at[i] < b->at[i] ? b->at[i] : a->at[i];
	for (unsigned int i = 0; i < FIBERS + 2; i++)
		raise(&a->clock[i], b->clock[i]);
}

static void copy(struct view *a, const struct view *b)
{
	memcpy(a->at, b->at, 2 * ((memory()->used + 7) & ~7u));
	memcpy(a->clock, b->clock, sizeof(a->clock));
}

static struct view *seen(void)
{
	return &memory()->seen[model->now];
}

static struct view *new_view(const struct view *from)
{
	struct memory_model *m = memory();
	struct view *v = &m->pool[m->pool_used++];

	if (m->pool_used > VIEWS)
		finding("more than %d views", VIEWS);
	memset(v->at, 0, sizeof(v->at));
	copy(v, from);
	return v;
}

void views_reset(void)
{
	struct memory_model *m = memory();
	unsigned int n = m->used;

	for (unsigned int i = 0; i < FIBERS; i++) {
		memset(m->seen[i].at, 0, 2 * n);
		memset(m->acquired[i].at, 0, 2 * n);
		memset(m->seen[i].clock, 0, sizeof(m->seen[i].clock));
		memset(m->acquired[i].clock, 0, sizeof(m->acquired[i].clock));
		m->released[i] = NULL;
		m->seen[i].clock[i] = 1;
	}
	memset(&m->global, 0, sizeof(m->global));
	m->used = m->pool_used = 0;
	m->generation++;
}

/* ---- words ---- */

static struct location *make(const void *addr, uint32_t slot)
{
	struct memory_model *m = memory();
	struct location *l = &m->locations[m->used];

	if (m->used == LOCATIONS)
		finding("more than %d words", LOCATIONS);
	m->hash[slot].addr = (uintptr_t)addr;
	m->hash[slot].generation = m->generation;
	m->hash[slot].index = m->used++;
	l->addr = (uintptr_t)addr;
	l->newest = l->oldest = 0;
	l->first = (uint8_t)model->now;
	l->stores[0] = (struct store){ 0, NULL, 0 };
	return l;
}

static struct location *find(const void *addr, bool create)
{
	struct memory_model *m = memory();
	uint32_t slot = (uint32_t)((uintptr_t)addr * 0x9e3779b97f4a7c15u >> 40);

	for (;; slot++) {
		slot &= HASHED - 1;
		if (m->hash[slot].generation != m->generation)
			return create ? make(addr, slot) : NULL;
		if (m->hash[slot].addr == (uintptr_t)addr)
			break;
	}
	return &m->locations[m->hash[slot].index];
}

static struct location *find_or_make(const void *addr)
{
	struct location *l = find(addr, true);

	touch(l, addr);
	return l;
}

static unsigned int index_of(const struct location *l)
{
	return (unsigned int)(l - memory()->locations);
}

/* The newest store's value is always what stands in memory. */
static uint64_t in_memory(const void *addr, unsigned int size)
{
	switch (size) {
	case 1:
		return *(const volatile uint8_t *)addr;
	case 2:
		return *(const volatile uint16_t *)addr;
	case 4:
		return *(const volatile uint32_t *)addr;
	default:
		return *(const volatile uint64_t *)addr;
	}
}

static void to_memory(void *addr, unsigned int size, uint64_t value)
{
	switch (size) {
	case 1:
		*(volatile uint8_t *)addr = (uint8_t)value;
		break;
	case 2:
		*(volatile uint16_t *)addr = (uint16_t)value;
		break;
	case 4:
		*(volatile uint32_t *)addr = (uint32_t)value;
		break;
	default:
		*(volatile uint64_t *)addr = value;
	}
}

static bool acquires(int order)
{
	return order == __ATOMIC_ACQUIRE || order == __ATOMIC_ACQ_REL ||
	       order == __ATOMIC_SEQ_CST || order == __ATOMIC_CONSUME;
}

static bool releases(int order)
{
	return order == __ATOMIC_RELEASE || order == __ATOMIC_ACQ_REL ||
	       order == __ATOMIC_SEQ_CST;
}

static void read_store(const struct location *l, const struct store *s, int order)
{
	raise(&seen()->at[index_of(l)], s->at);
	if (!s->release)
		return;
	if (acquires(order))
		join(seen(), s->release);
	else
		join(&memory()->acquired[model->now], s->release);
}

/* How many stores back this fiber may look. */
static unsigned int readable(const struct location *l)
{
	uint16_t floor = seen()->at[index_of(l)];

	if (floor < l->oldest)
		floor = l->oldest;
	return (unsigned int)(l->newest - floor) + 1;
}

uint64_t view_load(const void *addr, unsigned int size, int order)
{
	struct location *l = find_or_make(addr);
	unsigned int n = memory()->weak ? readable(l) : 1;
	unsigned int back = choose(CHOICE_STORE, n, UINT32_MAX << 1 & ((1u << n) - 1));
	const struct store *s = &l->stores[(l->newest - back) % HISTORY];

	read_store(l, s, order);
	return back ? s->value : in_memory(addr, size);
}

void view_failed_cas(const void *addr, unsigned int size, int order)
{
	const struct location *l = find_or_make(addr);

	(void)size;
	read_store(l, &l->stores[l->newest % HISTORY], order);
}

static struct store *push(struct location *l, const void *addr, unsigned int size)
{
	struct store *s = &l->stores[l->newest % HISTORY];

	s->value = in_memory(addr, size);
	l->newest++;
	if (l->newest - l->oldest >= HISTORY)
		l->oldest = (uint16_t)(l->newest - HISTORY + 1);
	s = &l->stores[l->newest % HISTORY];
	s->at = l->newest;
	s->release = NULL;
	raise(&seen()->at[index_of(l)], l->newest);
	return s;
}

static const struct view *carried(int order)
{
	const struct view *v;

	if (!releases(order))
		return memory()->released[model->now];
	v = new_view(seen());
	seen()->clock[model->now]++;
	return v;
}

void view_store(void *addr, unsigned int size, uint64_t value, int order)
{
	struct store *s = push(find_or_make(addr), addr, size);

	s->release = carried(order);
	image_dirty(addr, size);
	to_memory(addr, size, value);
}

void view_rmw(void *addr, unsigned int size, uint64_t value, int order)
{
	struct location *l = find_or_make(addr);
	const struct view *before = l->stores[l->newest % HISTORY].release;
	const struct view *ours;
	struct store *s;

	read_store(l, &l->stores[l->newest % HISTORY], order);
	s = push(l, addr, size);
	ours = carried(order);
	/* It continues the release sequence of what it read. */
	if (before && ours) {
		struct view *both = new_view(ours);

		join(both, before);
		ours = both;
	}
	s->release = ours ? ours : before;
	image_dirty(addr, size);
	to_memory(addr, size, value);
}

static void plain_store(struct location *l)
{
	push(l, (const void *)l->addr, 8 - (l->addr & 7));
}

void view_plain_store(const void *addr, size_t size)
{
	image_dirty(addr, size);
	if (!model->exploring)
		return;
	if (size <= 8) {
		struct location *l = find(addr, false);

		if (l)
			plain_store(l);
		return;
	}
	for (unsigned int i = 0; i < memory()->used; i++)
		if (memory()->locations[i].addr - (uintptr_t)addr < size)
			plain_store(&memory()->locations[i]);
}

void view_fence(int order)
{
	struct memory_model *m = memory();
	struct view *v = seen();

	if (acquires(order))
		join(v, &m->acquired[model->now]);
	if (order == __ATOMIC_SEQ_CST) {
		unsigned int n = m->used;

		for (unsigned int i = 0; i < n; i++) {
			raise(&v->at[i], m->global.at[i]);
			m->global.at[i] = v->at[i];
		}
	}
	if (releases(order)) {
		m->released[model->now] = new_view(v);
		v->clock[model->now]++;
	}
}

void view_barrier(void)
{
	struct memory_model *m = memory();

	for (unsigned int i = 0; i < model->fibers_used; i++) {
		join(&m->seen[i], &m->acquired[i]);
		join(&m->global, &m->seen[i]);
	}
	for (unsigned int i = 0; i < model->fibers_used; i++) {
		copy(&m->seen[i], &m->global);
		m->seen[i].clock[i]++;
		m->released[i] = new_view(&m->seen[i]);
	}
}

void view_settle(void)
{
	struct memory_model *m = memory();

	for (unsigned int i = 0; i < m->used; i++)
		raise(&seen()->at[i], m->locations[i].newest);
}
