/* SPDX-License-Identifier: MIT */
/*
 * Functions' boundaries from .eh_frame, which is loaded with the program and
 * so is there in stripped objects as well. It is found by its section's header,
 * or else by .eh_frame_hdr, which tells how many entries it has: it may end
 * without a mark of its end.
 */
#include <dwarf.h>
#include <elfutils/libdw.h>
#include <gelf.h>
#include <string.h>

#include "sites/array.h"
#include "sites/object.h"

#define OMITTED DW_EH_PE_omit

/* What the entries of one common record (CIE) look like. */
struct shape {
	Dwarf_Off at;
	uint8_t pointer, pads; /* encodings */
	bool known, augmented, signal;
};

struct frames {
	struct ufx_object *object;
	Elf_Data data;
	uint64_t address; /* of its first byte */
	unsigned char ident[EI_NIDENT];
	uint64_t left; /* so many entries */
	struct shape shape; /* the last one that was asked for */
};

/* ---- encoded pointers ------------------------------------------------------ */

static size_t width(uint8_t encoding)
{
	switch (encoding & 0x07) {
	case DW_EH_PE_absptr:
	case DW_EH_PE_udata8:
		return 8;
	case DW_EH_PE_udata2:
		return 2;
	case DW_EH_PE_udata4:
		return 4;
	default:
		return 0;
	}
}

/* Reads as @encoding says, but for what the value is relative to. */
static bool read_value(const uint8_t **at, const uint8_t *end, uint8_t encoding,
		       uint64_t *value)
{
	size_t size = width(encoding);
	bool is_signed = encoding & DW_EH_PE_signed;
	uint64_t bits = 0;

	if (!size || (size_t)(end - *at) < size)
		return false;
	memcpy(&bits, *at, size);
	if (is_signed && size < 8 && bits >> (8 * size - 1))
		bits |= ~0ull << (8 * size);
	*at += size;
	*value = bits;
	return true;
}

/* A pointer; only absolute ones and such that count from themselves. */
static bool read_pointer(const struct frames *f, const uint8_t **at,
			 const uint8_t *end, uint8_t encoding, uint64_t *value)
{
	const uint8_t *buffer = f->data.d_buf;
	uint64_t here = f->address + (uint64_t)(*at - buffer);

	if ((encoding & ~0x0f) != 0 && (encoding & ~0x0f) != DW_EH_PE_pcrel)
		return false;
	if (!read_value(at, end, encoding, value))
		return false;
	if (*value && (encoding & 0x70) == DW_EH_PE_pcrel)
		*value += here;
	return true;
}

static bool skip_number(const uint8_t **at, const uint8_t *end)
{
	while (*at < end)
		if (!(*(*at)++ & 0x80))
			return true;
	return false;
}

/* ---- records ---------------------------------------------------------------- */

/* The letters of a CIE's augmentation, and what each has among its data. */
static bool read_augmentation(struct shape *shape, const Dwarf_CIE *cie)
{
	const uint8_t *at = cie->augmentation_data;
	const uint8_t *end = at + cie->augmentation_data_size;
	uint64_t ignored;

	shape->augmented = cie->augmentation[0] == 'z';
	for (const char *letter = cie->augmentation; *letter; letter++) {
		shape->signal |= *letter == 'S';
		if (*letter == 'R' && at < end)
			shape->pointer = *at++;
		else if (*letter == 'L' && at < end)
			shape->pads = *at++;
		else if (*letter == 'P' && at < end) {
			uint8_t encoding = *at++;

			if (!read_value(&at, end, encoding, &ignored))
				return false;
		} else if (!strchr("zSB", *letter)) {
			return false;
		}
	}
	return true;
}

static const struct shape *shape_of(struct frames *f, Dwarf_Off at)
{
	struct shape *shape = &f->shape;
	Dwarf_CFI_Entry entry;
	Dwarf_Off next;

	if (shape->known && shape->at == at)
		return shape;
	*shape = (struct shape){ .at = at, .pads = OMITTED };
	shape->known = !dwarf_next_cfi(f->ident, &f->data, true, at, &next, &entry) &&
		       dwarf_cfi_cie_p(&entry) &&
		       read_augmentation(shape, &entry.cie);
	return shape->known ? shape : NULL;
}

static void add_function(struct ufx_object *o, const struct ufx_function *function)
{
	o->functions = UFX_SITES_ROOM(o->functions, o->function_count);
	o->functions[o->function_count++] = *function;
}

static bool read_fde(struct frames *f, const Dwarf_FDE *fde)
{
	const struct shape *shape = shape_of(f, fde->CIE_pointer);
	struct ufx_function function = { 0 };
	const uint8_t *at = fde->start;
	uint64_t size;

	if (!shape ||
	    !read_pointer(f, &at, fde->end, shape->pointer, &function.start) ||
	    !read_value(&at, fde->end, shape->pointer & 0x07, &size))
		return false;
	function.end = function.start + size;
	/* Unwinders look up the byte before a call's return, so it is in there. */
	function.signal = shape->signal;
	function.start += shape->signal;
	if (shape->augmented && shape->pads != OMITTED &&
	    (!skip_number(&at, fde->end) ||
	     !read_pointer(f, &at, fde->end, shape->pads, &function.pads)))
		return false;
	if (function.end > function.start)
		add_function(f->object, &function);
	return function.end >= function.start;
}

static bool read_records(struct frames *f)
{
	Dwarf_Off at = 0, next;
	Dwarf_CFI_Entry entry;
	int result = 0;

	while (f->left && !(result = dwarf_next_cfi(f->ident, &f->data, true, at, &next,
					 &entry))) {
		if (!dwarf_cfi_cie_p(&entry)) {
			if (!read_fde(f, &entry.fde))
				return false;
			f->left--;
		}
		if (next <= at)
			return false;
		at = next;
	}
	return !f->left || result == 1;
}

/* ---- where it is ------------------------------------------------------------ */

static bool at_address(struct frames *f, uint64_t address)
{
	size_t left;
	const uint8_t *bytes = ufx_object_bytes(f->object, address, &left);

	if (!bytes)
		return false;
	f->address = address;
	f->data.d_buf = (void *)bytes;
	f->data.d_size = left;
	return true;
}

/* Version, three encodings, a pointer to .eh_frame, how many entries. */
static bool read_header(struct frames *f)
{
	const uint8_t *header = f->data.d_buf, *at = header + 4;
	const uint8_t *end = header + f->data.d_size;
	uint64_t address;

	if (f->data.d_size < 4 ||
	    !read_pointer(f, &at, end, header[1], &address))
		return false;
	if (header[2] != DW_EH_PE_omit)
		read_value(&at, end, header[2], &f->left);
	return at_address(f, address);
}

static bool by_header(struct frames *f)
{
	size_t count = 0;
	GElf_Phdr ph;

	elf_getphdrnum(f->object->elf, &count);
	for (size_t i = 0; i < count; i++) {
		if (!gelf_getphdr(f->object->elf, (int)i, &ph) ||
		    ph.p_type != PT_GNU_EH_FRAME || !at_address(f, ph.p_vaddr))
			continue;
		return read_header(f);
	}
	return false;
}

static bool by_section(struct frames *f)
{
	Elf *elf = f->object->elf;
	Elf_Scn *section = NULL;
	GElf_Shdr header;
	const char *name;
	size_t names;

	if (elf_getshdrstrndx(elf, &names))
		return false;
	while ((section = elf_nextscn(elf, section))) {
		if (!gelf_getshdr(section, &header))
			continue;
		name = elf_strptr(elf, names, header.sh_name);
		if (!name || strcmp(name, ".eh_frame") ||
		    !at_address(f, header.sh_addr))
			continue;
		if (f->data.d_size > header.sh_size)
			f->data.d_size = header.sh_size;
		return true;
	}
	return false;
}

/* ---- in order --------------------------------------------------------------- */

static int by_start(const void *a, const void *b)
{
	const struct ufx_function *one = a, *other = b;

	if (one->start != other->start)
		return one->start < other->start ? -1 : 1;
	return one->end < other->end ? -1 : one->end > other->end;
}

/* Those that lie over one another become one: it decodes, or it does not. */
static void put_in_order(struct ufx_object *o)
{
	struct ufx_function *last = o->functions;
	size_t count = o->function_count;

	if (!count)
		return;
	qsort(o->functions, count, sizeof(*o->functions), by_start);
	for (size_t i = 1; i < count; i++) {
		const struct ufx_function *next = &o->functions[i];

		if (next->start >= last->end)
			*++last = *next;
		else if (next->end > last->end)
			last->end = next->end;
	}
	o->function_count = (size_t)(last - o->functions) + 1;
}

const char *ufx_object_functions(struct ufx_object *o)
{
	struct frames frames = {
		.object = o,
		.left = UINT64_MAX,
		.data = { .d_type = ELF_T_BYTE, .d_version = EV_CURRENT },
	};
	const char *ident = elf_getident(o->elf, NULL);

	if (o->functions)
		return NULL;
	if (!ident)
		return "is damaged";
	memcpy(frames.ident, ident, EI_NIDENT);
	if (!by_section(&frames) && !by_header(&frames))
		return NULL; /* without any function */
	if (!read_records(&frames))
		return "has a damaged .eh_frame";
	put_in_order(o);
	return NULL;
}

size_t ufx_object_function(const struct ufx_object *o, uint64_t address)
{
	size_t low = 0, high = o->function_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (o->functions[middle].end <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}
