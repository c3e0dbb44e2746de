// SPDX-License-Identifier: MIT
/*
 * The kept inputs of the fuzzer (cases/NAME.hex), each in a process of its
 * own. With file names as arguments: these, call by call.
 */
#include "fuzz.h"

#include <ctype.h>
#include <dirent.h>

#include "tap.h"

#define BYTES 4096

/* Hexadecimal digits; blanks and what is behind a # do not count. */
static size_t parse(FILE *file, uint8_t *bytes)
{
	size_t digits = 0;
	int c;

	while ((c = fgetc(file)) != EOF && digits < 2 * BYTES) {
		while (c == '#')
			c = fscanf(file, "%*[^\n]") == EOF ? EOF : fgetc(file);
		if (!isxdigit(c))
			continue;
		c = isdigit(c) ? c - '0' : tolower(c) - 'a' + 10;
		if (digits % 2)
			bytes[digits / 2] |= (uint8_t)c;
		else
			bytes[digits / 2] = (uint8_t)(c << 4);
		digits++;
	}
	return digits / 2;
}

static size_t read_case(const char *path, uint8_t *bytes)
{
	FILE *file = fopen(path, "r");
	size_t size;

	if (!file)
		bail("%s: %s", path, strerror(errno));
	size = parse(file, bytes);
	fclose(file);
	return size;
}

static void replay(const char *path, const char *name, bool show)
{
	uint8_t bytes[BYTES];
	size_t size = read_case(path, bytes);

	switch (fuzz_compare_in_child(bytes, size, fuzz_ask_engine, show)) {
	case FUZZ_SAME:
		ok(size > 0, "%s", name);
		break;
	case FUZZ_DIFFERS:
		ok(0, "%s", name);
		break;
	case FUZZ_NOTHING:
		skip("this kernel knows none of its calls", "%s", name);
		break;
	}
}

static int is_case(const struct dirent *entry)
{
	const char *dot = strrchr(entry->d_name, '.');

	return dot && !strcmp(dot, ".hex");
}

static void replay_all(const char *directory)
{
	struct dirent **entries;
	char path[4096];
	int i, n = scandir(directory, &entries, is_case, alphasort);

	if (n <= 0)
		bail("no cases in %s", directory);
	for (i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "%s/%s", directory,
			 entries[i]->d_name);
		replay(path, entries[i]->d_name, false);
		free(entries[i]);
	}
	free(entries);
}

/* ---- can it fail? ---- */

/* WAKE of the first word, private, one. */
static const uint8_t one_wake[] = { 0, 1, 0, 0, 0, 0, 0 };

static long another_answer(const struct fuzz_call *call, enum fuzz_side side)
{
	return fuzz_ask_engine(call, side) + 1;
}

static long another_word(const struct fuzz_call *call, enum fuzz_side side)
{
	uint32_t *word = fuzz_place_address(call->word, side);

	word[16]++;
	return fuzz_ask_engine(call, side);
}

static long another_errno(const struct fuzz_call *call, enum fuzz_side side)
{
	long answer = fuzz_ask_engine(call, side);

	errno = EINVAL;
	return answer;
}

static void differences(void)
{
	const size_t size = sizeof(one_wake);

	is_int(fuzz_compare(one_wake, size, fuzz_ask_engine, false), FUZZ_SAME,
	       "one wake-up: no difference");
	diag("Three that differ, as they should:");
	is_int(fuzz_compare(one_wake, size, another_answer, false), FUZZ_DIFFERS,
	       "another answer is seen");
	is_int(fuzz_compare(one_wake, size, another_word, false), FUZZ_DIFFERS,
	       "another content is seen");
	is_int(fuzz_compare(one_wake, size, another_errno, false), FUZZ_DIFFERS,
	       "another errno is seen");
}

int main(int argc, char **argv)
{
	int i;

	setvbuf(stderr, NULL, _IOLBF, 0);
	if (!fuzz_memory_start())
		bail("no memory to make calls on");
	fuzz_sides_start();
	for (i = 1; i < argc; i++)
		replay(argv[i], argv[i], true);
	if (argc == 1) {
		replay_all(FUZZ_CASES);
		differences();
	}
	return tap_end();
}
