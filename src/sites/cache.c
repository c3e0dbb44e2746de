/* SPDX-License-Identifier: MIT */
#include "sites/cache.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sites/array.h"
#include "sites/table.h"

#define TABLE_MAX (64u << 20)

/* ---- names ------------------------------------------------------------------ */

/* Relative ones are to be ignored, says the XDG specification. */
static bool find_directory(char *path, size_t size)
{
	const char *base = getenv("XDG_CACHE_HOME"), *below = "";

	if (!base || *base != '/') {
		base = getenv("HOME");
		below = "/.cache";
	}
	if (!base || *base != '/')
		return false;
	return (size_t)snprintf(path, size, "%s%s/ufutex/sites/", base, below) < size;
}

void ufx_cache_find(struct ufx_sites_cache *cache, const struct ufx_object *o)
{
	const size_t size = sizeof(cache->path);
	size_t used;

	if (!o->build_id_size || !find_directory(cache->path, size) ||
	    (used = strlen(cache->path)) + 2 * o->build_id_size >= size) {
		cache->path[0] = '\0';
		return;
	}
	for (size_t i = 0; i < o->build_id_size; i++)
		used += (size_t)sprintf(cache->path + used, "%02x", o->build_id[i]);
}

/* ---- reading ---------------------------------------------------------------- */

static bool belongs(const struct ufx_table_header *h, const struct ufx_object *o)
{
	return !h->flags && h->text_size == o->text_size && h->build_id_size == o->build_id_size &&
	       !memcmp(h->build_id, o->build_id, o->build_id_size);
}

static bool is_there(const struct ufx_object *o, const struct ufx_site *site)
{
	const struct ufx_segment *s = ufx_object_segment(o, site->address);
	uint64_t at;

	if (!s || !s->executable)
		return false;
	at = site->address - s->address;
	return s->size - at >= site->length &&
	       !memcmp(s->bytes + at, site->bytes, site->length);
}

static const char *take(const void *bytes, size_t size, const struct ufx_object *o,
			struct ufx_site_list *sites)
{
	const struct ufx_table_header *h = bytes;
	const char *why = ufx_table_check(bytes, size);
	const struct ufx_site *list;

	if (why)
		return why;
	if (h->error)
		return "tells of an error";
	if (!belongs(h, o))
		return "is of another object";
	list = ufx_table_sites(bytes);
	for (size_t i = 0; i < h->count; i++)
		if (!is_there(o, &list[i]))
			return "does not agree with the object";
	sites->count = h->count;
	sites->list = ufx_sites_memory(NULL, h->count, sizeof(*list));
	memcpy(sites->list, list, h->count * sizeof(*list));
	return NULL;
}

/* A file's bytes, or NULL. */
static void *read_file(const char *path, size_t *size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	uint8_t *bytes = NULL;
	ssize_t got = 0;
	struct stat st;

	if (fd < 0)
		return NULL;
	if (!fstat(fd, &st) && S_ISREG(st.st_mode) && st.st_size <= TABLE_MAX) {
		bytes = ufx_sites_memory(NULL, (size_t)st.st_size, 1);
		for (*size = 0; *size < (size_t)st.st_size; *size += (size_t)got) {
			got = read(fd, bytes + *size, (size_t)st.st_size - *size);
			if (got <= 0)
				break;
		}
	}
	close(fd);
	return bytes;
}

static bool other_version(const struct ufx_table_header *h, size_t size)
{
	return size >= sizeof(*h) &&
	       !memcmp(h->magic, UFX_TABLE_MAGIC, sizeof(h->magic)) &&
	       h->version != UFX_TABLE_VERSION;
}

enum ufx_cache_answer ufx_cache_read(const struct ufx_sites_cache *cache,
				     const struct ufx_object *object,
				     struct ufx_site_list *sites,
				     const char **why)
{
	void *bytes = NULL;
	size_t size;

	memset(sites, 0, sizeof(*sites));
	if (*cache->path)
		bytes = read_file(cache->path, &size);
	if (!bytes)
		return UFX_CACHE_MISS;
	*why = take(bytes, size, object, sites);
	if (*why && other_version(bytes, size)) {
		free(bytes);
		return UFX_CACHE_MISS;
	}
	free(bytes);
	return *why ? UFX_CACHE_BAD : UFX_CACHE_HIT;
}

/* ---- writing ---------------------------------------------------------------- */

static void make_directories(const char *path)
{
	char part[PATH_MAX];

	for (const char *slash = path + 1; (slash = strchr(slash, '/')); slash++) {
		snprintf(part, sizeof(part), "%.*s", (int)(slash - path), path);
		mkdir(part, 0700);
	}
}

void *ufx_cache_table(const struct ufx_object *o, const struct ufx_site_list *sites,
		      size_t *size)
{
	const size_t count = sites ? sites->count : 0;
	struct ufx_table_header *h;

	*size = sizeof(*h) + count * sizeof(*sites->list);
	h = ufx_sites_memory(NULL, *size, 1);
	memset(h, 0, sizeof(*h));
	memcpy(h->magic, UFX_TABLE_MAGIC, sizeof(h->magic));
	h->version = UFX_TABLE_VERSION;
	h->count = (uint32_t)count;
	h->flags = o->own ? UFX_TABLE_OWN : 0;
	h->error = !sites;
	h->text_size = o->text_size;
	h->build_id_size = (uint8_t)o->build_id_size;
	memcpy(h->build_id, o->build_id, o->build_id_size);
	if (count)
		memcpy(h + 1, sites->list, count * sizeof(*sites->list));
	h->checksum = ufx_table_sum(h, *size);
	return h;
}

bool ufx_cache_write_all(int fd, const void *bytes, size_t size)
{
	for (size_t at = 0; at < size;) {
		ssize_t done = write(fd, (const uint8_t *)bytes + at, size - at);

		if (done <= 0)
			return false;
		at += (size_t)done;
	}
	return true;
}

/* Two that write at once each have a name of their own. */
void ufx_cache_write(const struct ufx_sites_cache *cache,
		     const struct ufx_object *object,
		     const struct ufx_site_list *sites)
{
	char name[PATH_MAX + sizeof(".XXXXXX")];
	size_t size;
	void *bytes;
	bool good;
	int fd;

	if (!*cache->path)
		return;
	make_directories(cache->path);
	snprintf(name, sizeof(name), "%s.XXXXXX", cache->path);
	fd = mkostemp(name, O_CLOEXEC);
	if (fd < 0)
		return;
	bytes = ufx_cache_table(object, sites, &size);
	good = ufx_cache_write_all(fd, bytes, size);
	free(bytes);
	good &= !close(fd);
	if (!good || rename(name, cache->path))
		unlink(name);
}
