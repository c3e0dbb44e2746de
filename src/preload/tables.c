/* SPDX-License-Identifier: MIT */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <fcntl.h>
#include <limits.h>
#include <sys/mman.h>

#include "host/syscall.h"
#include "preload/bytes.h"
#include "preload/kept.h"
#include "preload/scanner.h"
#include "preload/tables.h"

/* What the scanner made: one mapping for all. */
static void *scanned;
static size_t scanned_size;

/* ---- files ------------------------------------------------------------------- */

static bool map_file(int fd, void **pages, size_t *size)
{
	long end = ufx_syscall(SYS_lseek, fd, 0, SEEK_END, 0, 0, 0);
	long at;

	if (end <= 0)
		return false;
	at = ufx_syscall(SYS_mmap, 0, end, PROT_READ, MAP_PRIVATE, fd, 0);
	if (at < 0 && at > -4096)
		return false;
	*pages = (void *)at;
	*size = (size_t)end;
	return true;
}

static char *hex(char *to, const char *end, const uint8_t *bytes, size_t size)
{
	for (size_t i = 0; i < size && to + 1 < end; i++) {
		*to++ = "0123456789abcdef"[bytes[i] >> 4];
		*to++ = "0123456789abcdef"[bytes[i] & 15];
	}
	return to;
}

/* As sites/cache.c names it. */
static bool find_path(const struct ufx_loaded *o, char *path, size_t size)
{
	const char *base = ufx_kept_cache(), *below = "";
	char *at = path, *end = path + size - 1;

	if (!base || *base != '/') {
		base = ufx_kept_home();
		below = "/.cache";
	}
	if (!base || *base != '/' || !o->build_id_size)
		return false;
	at = ufx_text_append(at, end, base);
	at = ufx_text_append(at, end, below);
	at = ufx_text_append(at, end, "/ufutex/sites/");
	at = hex(at, end, o->build_id, o->build_id_size);
	*at = '\0';
	return at < end - 2;
}

static bool is_of(const struct ufx_table_header *table, const struct ufx_loaded *o)
{
	return table->build_id_size == o->build_id_size &&
	       ufx_bytes_equal(table->build_id, o->build_id, o->build_id_size);
}

static void take_cached(struct ufx_found_table *f)
{
	char path[PATH_MAX];
	long fd;

	if (!find_path(&f->object, path, sizeof(path)))
		return;
	fd = ufx_syscall(SYS_openat, AT_FDCWD, (long)path, O_RDONLY | O_CLOEXEC, 0, 0,
			 0);
	if (fd < 0)
		return;
	if (map_file((int)fd, &f->pages, &f->size)) {
		f->table = f->pages;
		if (ufx_table_check(f->table, f->size) || f->table->error ||
		    !is_of(f->table, &f->object)) {
			ufx_syscall(SYS_munmap, (long)f->pages, (long)f->size, 0, 0, 0, 0);
			f->pages = NULL;
			f->table = NULL;
		}
	}
	ufx_syscall(SYS_close, fd, 0, 0, 0, 0, 0);
}

/* ---- the scanner's answer ------------------------------------------------------ */

/* One table a file that was asked for, in the same order. */
static void share_out(struct ufx_found_table *found, size_t count)
{
	const char *at = scanned, *end = at + scanned_size;

	for (size_t i = 0; i < count; i++) {
		size_t length;

		if (found[i].table)
			continue;
		length = ufx_table_length(at, (size_t)(end - at));
		if (!length || ufx_table_check(at, length))
			return;
		found[i].table = (const struct ufx_table_header *)(const void *)at;
		if (found[i].table->error || !is_of(found[i].table, &found[i].object))
			found[i].table = NULL;
		at += length;
	}
}

static void scan(struct ufx_found_table *found, size_t count)
{
	const char *paths[UFX_SCAN_MAX];
	size_t missing = 0;
	int fd;

	for (size_t i = 0; i < count && missing < UFX_SCAN_MAX; i++)
		if (!found[i].table)
			paths[missing++] = found[i].object.path;
	if (!missing)
		return;
	fd = ufx_scan(paths, missing);
	if (fd < 0)
		return;
	if (map_file(fd, &scanned, &scanned_size))
		share_out(found, count);
	ufx_syscall(SYS_close, fd, 0, 0, 0, 0, 0);
}

void ufx_tables_find(struct ufx_found_table *found, size_t count)
{
	for (size_t i = 0; i < count; i++)
		take_cached(&found[i]);
	scan(found, count);
}

void ufx_tables_free(struct ufx_found_table *found, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (found[i].pages)
			ufx_syscall(SYS_munmap, (long)found[i].pages,
				    (long)found[i].size, 0, 0, 0, 0);
	if (scanned)
		ufx_syscall(SYS_munmap, (long)scanned, (long)scanned_size, 0, 0, 0, 0);
	scanned = NULL;
}
