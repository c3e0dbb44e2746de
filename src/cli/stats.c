/* SPDX-License-Identifier: MIT */
/* ufutex stats: what a process that runs under `ufutex run` has counted so far. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <elf.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#include "cli/commands.h"
#include "cli/statistics.h"

#define LIBRARY "/libufutex-preload.so"

static const char usage[] =
	"usage: ufutex stats [OPTIONS] PID\n"
	"\n"
	"Shows what process PID, which runs under ufutex run, has done so far; it goes on\n"
	"meanwhile. The fields are those of `ufutex run --stats`.\n"
	"\n"
	"  --json   as a JSON object\n"
	"  --help   this text\n"
	"\n"
	"Exit status: 0; 1 there is no such process, it does not run under ufutex run, or\n"
	"it may not be looked at; 2 bad usage.\n";

struct request {
	pid_t pid;
	bool json, help;
};

/* What is read of it, for the whole run of the command. */
static struct ufx_section copy;

static int cannot(pid_t pid, const char *why)
{
	ufx_cli_error("stats", "process %d %s", (int)pid, why);
	return 1;
}

static int cannot_be_read(pid_t pid, int error)
{
	if (error == ENOENT || error == ESRCH) {
		ufx_cli_error("stats", "there is no process %d", (int)pid);
		return 1;
	}
	return cannot(pid, error == EACCES || error == EPERM ?
				   "may not be looked at: no permission" :
				   strerror(error));
}

/* ---- options ---------------------------------------------------------------- */

static int parse_pid(struct request *r, const char *word)
{
	char *end;
	long pid;

	errno = 0;
	pid = strtol(word, &end, 10);
	if (*word < '0' || *word > '9' || *end || errno || pid < 1 || pid > INT_MAX)
		return ufx_cli_error("stats", "'%s' is no process; try ufutex stats --help",
				     word);
	if (r->pid)
		return ufx_cli_error("stats", "one process at a time; try ufutex stats "
				     "--help");
	r->pid = (pid_t)pid;
	return 0;
}

static int parse(struct request *r, char **arg)
{
	int error = 0;

	for (arg++; *arg && !error; arg++) {
		if (!strcmp(*arg, "--json"))
			r->json = true;
		else if (!strcmp(*arg, "--help") || !strcmp(*arg, "-h"))
			r->help = true;
		else if (**arg == '-')
			error = ufx_cli_error("stats", "unknown option '%s'; try ufutex "
					      "stats --help", *arg);
		else
			error = parse_pid(r, *arg);
	}
	if (!error && !r->help && !r->pid)
		error = ufx_cli_error("stats", "a process is missing; try ufutex stats "
				      "--help");
	return error;
}

/* ---- another process ---------------------------------------------------------- */

static bool read_memory(pid_t pid, uint64_t at, void *to, size_t size)
{
	struct iovec here = { to, size }, there = { (void *)(uintptr_t)at, size };
	ssize_t got = process_vm_readv(pid, &here, 1, &there, 1, 0);

	if (got >= 0 && (size_t)got != size)
		errno = EFAULT;
	return got == (ssize_t)size;
}

static bool is_library(const char *line)
{
	const char *path = strchr(line, '/'), *name = path ? strstr(path, LIBRARY) : NULL;

	return name && (name[strlen(LIBRARY)] == '\n' || name[strlen(LIBRARY)] == ' ');
}

/* Where the file begins in its memory; 0: nowhere. errno if it cannot be looked at. */
static uint64_t find_library(pid_t pid)
{
	unsigned long long at = 0, offset;
	char path[32], *line = NULL;
	size_t room = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/maps", (int)pid);
	errno = 0;
	f = fopen(path, "re");
	while (f && !at && getline(&line, &room, f) > 0)
		if (!is_library(line) || sscanf(line, "%llx-%*x %*s %llx", &at, &offset) != 2 ||
		    offset)
			at = 0;
	if (f)
		fclose(f);
	free(line);
	if (f)
		errno = 0;
	return at;
}

/* The anchor's address in a note, or 0. */
static uint64_t find_in_notes(pid_t pid, uint64_t at, uint64_t size)
{
	struct {
		Elf64_Nhdr header;
		char name[8];
		int64_t distance;
	} __attribute__((packed)) note;

	while (size >= sizeof(note) && read_memory(pid, at, &note, sizeof(note))) {
		const Elf64_Nhdr h = note.header;
		uint64_t length = sizeof(h) + ((h.n_namesz + 3ull) & ~3ull) +
				  ((h.n_descsz + 3ull) & ~3ull);

		if (h.n_type == UFX_STATISTICS_NOTE_TYPE && h.n_descsz == 8 &&
		    h.n_namesz == sizeof(UFX_STATISTICS_NOTE) &&
		    !strcmp(note.name, UFX_STATISTICS_NOTE))
			return at + offsetof(__typeof__(note), distance) +
			       (uint64_t)note.distance;
		if (length > size)
			break;
		at += length;
		size -= length;
	}
	return 0;
}

static uint64_t find_anchor(pid_t pid, uint64_t library)
{
	uint64_t anchor = 0;
	Elf64_Ehdr elf;
	Elf64_Phdr ph;

	if (!read_memory(pid, library, &elf, sizeof(elf)) ||
	    memcmp(elf.e_ident, ELFMAG, SELFMAG) || elf.e_phentsize != sizeof(ph))
		return 0;
	for (unsigned int i = 0; i < elf.e_phnum && !anchor; i++)
		if (read_memory(pid, library + elf.e_phoff + i * sizeof(ph), &ph,
				sizeof(ph)) &&
		    ph.p_type == PT_NOTE)
			anchor = find_in_notes(pid, library + ph.p_vaddr, ph.p_memsz);
	return anchor;
}

/* A fork child that has not called yet counts nothing. */
static bool read_counts(pid_t pid, const struct ufx_statistics_anchor *a)
{
	struct ufx_counting counting;

	if (!read_memory(pid, (uintptr_t)a->description, &copy.description,
			 sizeof(copy.description)) ||
	    !read_memory(pid, (uintptr_t)a->counting, &counting, sizeof(counting)))
		return false;
	return !counting.stripes || read_memory(pid, (uintptr_t)counting.stripes,
						&copy.live, sizeof(copy.live));
}

/* Into the copy; 0, or 1 after a message. */
static int read_process(pid_t pid)
{
	struct ufx_statistics_anchor anchor;
	uint64_t library = find_library(pid), at;

	if (!library && errno)
		return cannot_be_read(pid, errno);
	if (!library)
		return cannot(pid, "does not run under ufutex run");
	errno = 0;
	at = find_anchor(pid, library);
	if (!at && errno)
		return cannot_be_read(pid, errno);
	if (!at || !read_memory(pid, at, &anchor, sizeof(anchor)) ||
	    anchor.magic != UFX_STATISTICS_MAGIC || anchor.version != UFX_STATISTICS_VERSION)
		return cannot(pid, "runs under another version of ufutex run");
	if (!anchor.description)
		return cannot(pid, "counts nothing: it is just starting");
	return read_counts(pid, &anchor) ? 0 : cannot_be_read(pid, errno);
}

/* ---- all of it ------------------------------------------------------------------ */

int ufx_cmd_stats(int argc, char **argv)
{
	struct ufx_counted counted;
	struct request r = { 0 };
	int error = parse(&r, argv);

	(void)argc;
	if (error)
		return error;
	if (r.help) {
		fputs(usage, stdout);
		return 0;
	}
	error = read_process(r.pid);
	if (error)
		return error;
	ufx_counted_read(&counted, &copy.description, &copy.live);
	counted.pid = (uint32_t)r.pid;
	if (r.json) {
		json_t *object = ufx_counted_json(&counted);

		json_dumpf(object, stdout, JSON_INDENT(1));
		putchar('\n');
		json_decref(object);
	} else {
		ufx_counted_table(stdout, &counted, 1);
	}
	return 0;
}
