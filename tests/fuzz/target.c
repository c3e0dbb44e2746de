// SPDX-License-Identifier: MIT
/* For libFuzzer: see fuzz.py, which builds and runs it. */
#include "fuzz.h"

#include <stdlib.h>
#include <sys/prctl.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t size, size_t room,
			       unsigned int seed);
size_t LLVMFuzzerMutate(uint8_t *bytes, size_t size, size_t room); /* libFuzzer's */

static bool show;

static void start(void)
{
	show = getenv("FUZZ_SHOW");
	prctl(PR_SET_TIMERSLACK, 1ul, 0ul, 0ul, 0ul); /* nanoseconds */
	if (!fuzz_memory_start())
		abort();
	fuzz_sides_start();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	enum fuzz_result result;
	static bool started;

	if (!started) {
		started = true;
		start();
	}
	if (size && bytes[0] == FUZZ_FRESH)
		result = fuzz_compare_in_child(bytes, size, fuzz_ask_engine, show);
	else
		result = fuzz_compare(bytes, size, fuzz_ask_engine, show);
	if (result == FUZZ_DIFFERS)
		abort();
	return 0;
}

/*
 * What a child does is not seen by libFuzzer, so it would not come back to
 * inputs that want a process of their own. They are slow: one in 256.
 */
size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t size, size_t room,
			       unsigned int seed)
{
	if (seed % 256 || room < 64)
		return LLVMFuzzerMutate(bytes, size, room);
	bytes[0] = FUZZ_FRESH;
	for (size = 1; size < 64; size++) {
		seed = seed * 1103515245 + 12345;
		bytes[size] = (uint8_t)(seed >> 16);
	}
	return size;
}
