/* SPDX-License-Identifier: MIT */
#include "sites/table.h"

#include <stdbool.h>
#include <string.h>

_Static_assert(sizeof(struct ufx_table_header) == 104, "as in files");
_Static_assert(sizeof(struct ufx_site) == 32, "as in files");

uint64_t ufx_table_sum(const void *bytes, size_t size)
{
	const size_t from = offsetof(struct ufx_table_header, checksum);
	const uint8_t *byte = bytes;
	uint64_t sum = 0xcbf29ce484222325;

	for (size_t i = 0; i < size; i++) {
		if (i >= from && i < from + sizeof(uint64_t))
			continue;
		sum = (sum ^ byte[i]) * 0x100000001b3;
	}
	return sum;
}

static bool zeros(const uint8_t *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (bytes[i])
			return false;
	return true;
}

static bool good_relocation(const struct ufx_site *s)
{
	if (!(s->flags & UFX_SITE_RELATIVE))
		return !s->relocation;
	return !s->refused && s->relocation && s->relocation + 4 <= s->length &&
	       (s->relocation + 4 <= s->syscall || s->relocation >= s->syscall + 2);
}

static bool good_window(const struct ufx_site *s)
{
	if (s->length > UFX_SITE_BYTES || s->syscall + 2 > s->length ||
	    s->address + s->length < s->address)
		return false;
	if (s->bytes[s->syscall] != 0x0f || s->bytes[s->syscall + 1] != 0x05)
		return false;
	return (s->refused ? s->length == 2 : s->length >= UFX_JUMP_SIZE) &&
	       zeros(s->bytes + s->length, (size_t)(UFX_SITE_BYTES - s->length));
}

static bool good_site(const struct ufx_site *s)
{
	return s->kind < UFX_SITE_KINDS &&
	       (s->refused || s->kind != UFX_SITE_UNLIKELY) && s->refused < UFX_REFUSED_REASONS &&
	       !(s->flags & ~UFX_SITE_FLAGS) && zeros(s->zero, sizeof(s->zero)) &&
	       good_window(s) && good_relocation(s);
}

static const char *check_sites(const struct ufx_site *sites, size_t count)
{
	uint64_t end = 0;

	for (size_t i = 0; i < count; i++) {
		if (!good_site(&sites[i]))
			return "is damaged: a site in it makes no sense";
		if (sites[i].address < end)
			return "is damaged: its sites are not in order";
		end = sites[i].address + sites[i].length;
	}
	return NULL;
}

static bool good_header(const struct ufx_table_header *h)
{
	const size_t room = sizeof(h->build_id);

	return !(h->flags & ~UFX_TABLE_FLAGS) && zeros(h->zero, sizeof(h->zero)) &&
	       !((h->error || h->flags) && h->count) && h->build_id_size <= room &&
	       zeros(h->build_id + h->build_id_size, room - h->build_id_size);
}

static size_t length(const struct ufx_table_header *h)
{
	return sizeof(*h) + h->count * sizeof(struct ufx_site);
}

size_t ufx_table_length(const void *bytes, size_t size)
{
	const struct ufx_table_header *h = bytes;

	if (size < sizeof(*h) ||
	    memcmp(h->magic, UFX_TABLE_MAGIC, sizeof(h->magic)) ||
	    h->version != UFX_TABLE_VERSION || length(h) > size)
		return 0;
	return length(h);
}

const char *ufx_table_check(const void *bytes, size_t size)
{
	const struct ufx_table_header *h = bytes;

	if (size < sizeof(h->magic) || memcmp(h->magic, UFX_TABLE_MAGIC, sizeof(h->magic)))
		return "is not a table of sites";
	if (size < sizeof(*h))
		return "is truncated";
	if (h->version != UFX_TABLE_VERSION)
		return "is of another version";
	if (length(h) > size)
		return "is truncated";
	if (length(h) < size)
		return "is damaged: it is too long";
	if (h->checksum != ufx_table_sum(bytes, size))
		return "is damaged: its checksum is wrong";
	if (!good_header(h))
		return "is damaged: its header makes no sense";
	return check_sites(ufx_table_sites(bytes), h->count);
}
