/* SPDX-License-Identifier: MIT */
#include "sites/object.h"

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sites/array.h"

/* ---- segments ------------------------------------------------------------- */

static int by_address(const void *a, const void *b)
{
	const struct ufx_segment *one = a, *other = b;

	return one->address < other->address ? -1 : one->address > other->address;
}

static void add_segment(struct ufx_object *o, const GElf_Phdr *ph,
			const uint8_t *file)
{
	struct ufx_segment segment = {
		.address = ph->p_vaddr,
		.size = ph->p_filesz,
		.bytes = file + ph->p_offset,
		.executable = ph->p_flags & PF_X,
	};

	o->segments = UFX_SITES_ROOM(o->segments, o->segment_count);
	o->segments[o->segment_count++] = segment;
	if (segment.executable)
		o->text_size += segment.size;
}

static const char *read_segments(struct ufx_object *o)
{
	size_t count, size;
	const uint8_t *file = (const uint8_t *)elf_rawfile(o->elf, &size);

	if (!file || elf_getphdrnum(o->elf, &count))
		return "is damaged";
	for (size_t i = 0; i < count; i++) {
		GElf_Phdr ph;

		if (!gelf_getphdr(o->elf, (int)i, &ph))
			return "is truncated";
		if (ph.p_type != PT_LOAD || !ph.p_filesz)
			continue;
		if (ph.p_offset > size || ph.p_filesz > size - ph.p_offset)
			return "is truncated";
		if (ph.p_vaddr + ph.p_filesz < ph.p_vaddr)
			return "is damaged";
		add_segment(o, &ph, file);
	}
	if (!o->segment_count)
		return "has nothing to load";
	qsort(o->segments, o->segment_count, sizeof(*o->segments), by_address);
	return NULL;
}

const struct ufx_segment *ufx_object_segment(const struct ufx_object *o,
					     uint64_t address)
{
	for (size_t i = 0; i < o->segment_count; i++) {
		const struct ufx_segment *s = &o->segments[i];

		if (address >= s->address && address - s->address < s->size)
			return s;
	}
	return NULL;
}

const uint8_t *ufx_object_bytes(const struct ufx_object *o, uint64_t address,
				size_t *left)
{
	const struct ufx_segment *s = ufx_object_segment(o, address);

	if (!s)
		return NULL;
	*left = s->size - (address - s->address);
	return s->bytes + (address - s->address);
}

bool ufx_object_is_code(const struct ufx_object *o, uint64_t address)
{
	const struct ufx_segment *s = ufx_object_segment(o, address);
	Elf_Scn *section = NULL;
	GElf_Shdr header;
	bool any = false;

	if (!s || !s->executable)
		return false;
	while ((section = elf_nextscn(o->elf, section))) {
		if (!gelf_getshdr(section, &header) ||
		    !(header.sh_flags & SHF_EXECINSTR))
			continue;
		any = true;
		if (address >= header.sh_addr &&
		    address - header.sh_addr < header.sh_size)
			return true;
	}
	return !any;
}

/* ---- names ---------------------------------------------------------------- */

static bool symbol_covers(const GElf_Sym *symbol, uint64_t address)
{
	int type = GELF_ST_TYPE(symbol->st_info);

	return (type == STT_FUNC || type == STT_GNU_IFUNC || type == STT_NOTYPE) &&
	       symbol->st_shndx != SHN_UNDEF && address >= symbol->st_value &&
	       (address - symbol->st_value < symbol->st_size ||
		address == symbol->st_value);
}

static const char *name_in(Elf *elf, Elf_Scn *section, const GElf_Shdr *header,
			   uint64_t address, uint64_t *offset)
{
	Elf_Data *data = elf_getdata(section, NULL);
	size_t count = data && header->sh_entsize ?
			       data->d_size / header->sh_entsize : 0;
	GElf_Sym symbol;

	for (size_t i = 0; i < count; i++) {
		if (!gelf_getsym(data, (int)i, &symbol) ||
		    !symbol_covers(&symbol, address))
			continue;
		*offset = address - symbol.st_value;
		return elf_strptr(elf, header->sh_link, symbol.st_name);
	}
	return NULL;
}

const char *ufx_object_name(const struct ufx_object *o, uint64_t address,
			    uint64_t *offset)
{
	Elf_Scn *section = NULL;
	const char *name = NULL;
	GElf_Shdr header;

	while (!name && (section = elf_nextscn(o->elf, section)))
		if (gelf_getshdr(section, &header) &&
		    (header.sh_type == SHT_SYMTAB || header.sh_type == SHT_DYNSYM))
			name = name_in(o->elf, section, &header, address, offset);
	return name && *name ? name : NULL;
}

/* ---- notes ---------------------------------------------------------------- */

static bool is_from(const GElf_Nhdr *note, const char *name, const char *owner)
{
	return note->n_namesz == strlen(owner) + 1 &&
	       !memcmp(name, owner, note->n_namesz);
}

static void read_note(struct ufx_object *o, const GElf_Nhdr *note, const char *name,
		      const void *content)
{
	if (is_from(note, name, "GNU") && note->n_type == NT_GNU_BUILD_ID &&
	    note->n_descsz && note->n_descsz <= UFX_BUILD_ID_MAX) {
		memcpy(o->build_id, content, note->n_descsz);
		o->build_id_size = note->n_descsz;
	}
	o->own |= is_from(note, name, "ufutex");
}

static void read_notes(struct ufx_object *o)
{
	size_t count = 0, at, next, name, content;
	Elf_Data *data;
	GElf_Nhdr note;
	GElf_Phdr ph;

	elf_getphdrnum(o->elf, &count);
	for (size_t i = 0; i < count; i++) {
		if (!gelf_getphdr(o->elf, (int)i, &ph) || ph.p_type != PT_NOTE)
			continue;
		data = elf_getdata_rawchunk(o->elf, (int64_t)ph.p_offset, ph.p_filesz,
					    ph.p_align == 8 ? ELF_T_NHDR8 : ELF_T_NHDR);
		for (at = 0; data && (next = gelf_getnote(data, at, &note, &name,
							   &content)); at = next)
			read_note(o, &note, (const char *)data->d_buf + name,
				  (const char *)data->d_buf + content);
	}
}

/* ---- opening -------------------------------------------------------------- */

static const char *judge(Elf *elf)
{
	GElf_Ehdr header;

	if (!elf || elf_kind(elf) != ELF_K_ELF)
		return "is not an ELF file";
	if (gelf_getclass(elf) == ELFCLASS32)
		return "is a 32-bit object";
	if (!gelf_getehdr(elf, &header))
		return "is truncated";
	if (header.e_machine != EM_X86_64)
		return "is built for another machine";
	if (header.e_type != ET_DYN && header.e_type != ET_EXEC)
		return "is neither a program nor a shared object";
	return NULL;
}

/* A pipe would be waited for, a directory is none of ours. */
static const char *open_file(struct ufx_object *o, const char *path)
{
	struct stat st;

	o->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (o->fd < 0)
		return errno == ENOENT ? "does not exist" : "cannot be opened";
	if (fstat(o->fd, &st) || !S_ISREG(st.st_mode))
		return "is not a regular file";
	return NULL;
}

const char *ufx_object_open(struct ufx_object *o, const char *path)
{
	const char *why;

	memset(o, 0, sizeof(*o));
	why = open_file(o, path);
	if (!why) {
		elf_version(EV_CURRENT);
		o->elf = elf_begin(o->fd, ELF_C_READ_MMAP, NULL);
		why = judge(o->elf);
	}
	if (!why)
		why = read_segments(o);
	if (why)
		ufx_object_close(o);
	else
		read_notes(o);
	return why;
}

void ufx_object_close(struct ufx_object *o)
{
	if (o->elf)
		elf_end(o->elf);
	if (o->fd >= 0)
		close(o->fd);
	free(o->segments);
	free(o->functions);
	memset(o, 0, sizeof(*o));
	o->fd = -1;
}
