/* SPDX-License-Identifier: MIT */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "cli/program.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#if defined(__x86_64__)
#define MACHINE EM_X86_64
#elif defined(__aarch64__)
#define MACHINE EM_AARCH64
#endif

/* ---- finding ----------------------------------------------------------- */

static int executable(const char *path)
{
	struct stat st;

	if (stat(path, &st))
		return errno;
	if (!S_ISREG(st.st_mode))
		return EACCES;
	return faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) ? errno : 0;
}

static int copy(char *to, size_t size, const char *from)
{
	if (strlen(from) >= size)
		return ENAMETOOLONG;
	strcpy(to, from);
	return 0;
}

static int search(const char *dirs, const char *name, char *path, size_t size)
{
	int error = ENOENT, tried;
	const char *end;

	for (;; dirs = end + 1) {
		end = strchrnul(dirs, ':');
		/* An empty entry is the current directory. */
		if ((size_t)snprintf(path, size, "%.*s%s%s", (int)(end - dirs),
				     dirs, end == dirs ? "" : "/", name) < size) {
			tried = executable(path);
			if (!tried)
				return 0;
			if (tried == EACCES)
				error = EACCES;
		}
		if (!*end)
			return error;
	}
}

int ufx_program_find(const char *name, char *path, size_t size)
{
	const char *dirs = getenv("PATH");
	int error;

	if (!*name)
		return ENOENT;
	if (!strchr(name, '/'))
		return search(dirs ? dirs : "/bin:/usr/bin", name, path, size);
	error = copy(path, size, name);
	return error ? error : executable(path);
}

/* ---- judging ----------------------------------------------------------- */

static bool read_at(int fd, off_t at, void *to, size_t size)
{
	return pread(fd, to, size, at) == (ssize_t)size;
}

/* Why an ELF program of our class and machine is not reached, by its loader. */
static const char *judge_loader(int fd, const Elf64_Ehdr *elf)
{
	char loader[256] = "";
	Elf64_Phdr ph;

	for (unsigned int i = 0; i < elf->e_phnum; i++) {
		if (!read_at(fd, (off_t)(elf->e_phoff + i * sizeof(ph)), &ph,
			     sizeof(ph)))
			break;
		if (ph.p_type != PT_INTERP)
			continue;
		if (ph.p_filesz < sizeof(loader) &&
		    read_at(fd, (off_t)ph.p_offset, loader, ph.p_filesz) &&
		    strstr(loader, "ld-musl"))
			return "uses musl, not glibc";
		return NULL;
	}
	return "is linked statically";
}

static const char *judge_elf(int fd, const Elf64_Ehdr *elf)
{
	if (elf->e_ident[EI_CLASS] != ELFCLASS64)
		return "is a 32-bit program";
	if (elf->e_machine != MACHINE)
		return "is built for another machine";
	return judge_loader(fd, elf);
}

/*
 * The loader ignores preloads in a program that gains rights by its file. It
 * may gain none in this very case (root runs a root's setuid program); the
 * answer should not depend on who asks.
 */
static const char *judge_rights(int fd)
{
	struct stat st;

	if (fstat(fd, &st))
		return NULL;
	if (st.st_mode & S_ISUID)
		return "is setuid";
	if ((st.st_mode & S_ISGID) && (st.st_mode & S_IXGRP))
		return "is setgid";
	if (fgetxattr(fd, "security.capability", NULL, 0) > 0)
		return "has file capabilities";
	return NULL;
}

/* The interpreter in a script's first line: up to the first blank. */
static void take_interpreter(char *line, char *path, size_t size)
{
	line += 2 + strspn(line + 2, " \t");
	line[strcspn(line, " \t\r\n")] = '\0';
	if (!*line || copy(path, size, line))
		*path = '\0';
}

/* One file; a script's interpreter goes to @path, "" if there is none. */
static const char *judge(char *path, size_t size, bool *again)
{
	union {
		char text[257];
		Elf64_Ehdr elf;
	} head = { 0 };
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	const char *reason = NULL;
	ssize_t got;

	*again = false;
	if (fd < 0)
		return NULL;
	got = pread(fd, head.text, sizeof(head.text) - 1, 0);
	if (got >= (ssize_t)sizeof(head.elf) &&
	    !memcmp(head.elf.e_ident, ELFMAG, SELFMAG)) {
		reason = judge_rights(fd);
		if (!reason)
			reason = judge_elf(fd, &head.elf);
	} else if (got > 2 && head.text[0] == '#' && head.text[1] == '!') {
		take_interpreter(head.text, path, size);
		*again = *path;
	} else if (got >= 0 && copy(path, size, "/bin/sh") == 0) {
		*again = true; /* as execvp does with what is no program */
	}
	close(fd);
	return reason;
}

const char *ufx_program_unreached(const char *path, char *reached, size_t size)
{
	const char *reason = NULL;
	bool again = true;

	if (copy(reached, size, path))
		return NULL;
	/* The kernel follows interpreters that are scripts so far. */
	for (int depth = 0; again && depth < 5; depth++)
		reason = judge(reached, size, &again);
	return reason;
}

/* ---- the address sanitizer ----------------------------------------------- */

/* Where the file has what will be at @address. */
static off_t file_place(int fd, const Elf64_Ehdr *elf, uint64_t address)
{
	Elf64_Phdr ph;

	for (unsigned int i = 0; i < elf->e_phnum; i++) {
		if (!read_at(fd, (off_t)(elf->e_phoff + i * sizeof(ph)), &ph, sizeof(ph)))
			break;
		if (ph.p_type == PT_LOAD && address - ph.p_vaddr < ph.p_filesz)
			return (off_t)(address - ph.p_vaddr + ph.p_offset);
	}
	return -1;
}

/* Entry number @n of the dynamic section. */
static bool read_dynamic(int fd, const Elf64_Phdr *ph, size_t n, Elf64_Dyn *d)
{
	return (n + 1) * sizeof(*d) <= ph->p_filesz &&
	       read_at(fd, (off_t)(ph->p_offset + n * sizeof(*d)), d, sizeof(*d)) &&
	       d->d_tag != DT_NULL;
}

static bool is_sanitizer(const char *name)
{
	return !strncmp(name, "libasan.so", 10) ||
	       (strstr(name, "libclang_rt.asan") && strstr(name, ".so"));
}

static bool find_needed(int fd, const Elf64_Phdr *dynamic, off_t strings, char *name,
			size_t size)
{
	Elf64_Dyn d;

	for (size_t n = 0; read_dynamic(fd, dynamic, n, &d); n++) {
		ssize_t got;

		if (d.d_tag != DT_NEEDED)
			continue;
		got = pread(fd, name, size - 1, strings + (off_t)d.d_un.d_val);
		name[got > 0 ? got : 0] = '\0';
		if (is_sanitizer(name))
			return true;
	}
	return false;
}

static bool find_sanitizer(int fd, const Elf64_Ehdr *elf, char *name, size_t size)
{
	Elf64_Phdr ph;
	Elf64_Dyn d;

	for (unsigned int i = 0; i < elf->e_phnum; i++) {
		if (!read_at(fd, (off_t)(elf->e_phoff + i * sizeof(ph)), &ph, sizeof(ph)))
			return false;
		if (ph.p_type != PT_DYNAMIC)
			continue;
		for (size_t n = 0; read_dynamic(fd, &ph, n, &d); n++)
			if (d.d_tag == DT_STRTAB)
				return find_needed(fd, &ph, file_place(fd, elf, d.d_un.d_ptr),
						   name, size);
	}
	return false;
}

void ufx_program_sanitizer(const char *path, char *name, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	Elf64_Ehdr elf;

	if (fd < 0 || !read_at(fd, 0, &elf, sizeof(elf)) ||
	    memcmp(elf.e_ident, ELFMAG, SELFMAG) || elf.e_ident[EI_CLASS] != ELFCLASS64 ||
	    !find_sanitizer(fd, &elf, name, size))
		*name = '\0';
	if (fd >= 0)
		close(fd);
}
