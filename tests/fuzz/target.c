// SPDX-License-Identifier: MIT
/* For libFuzzer: see fuzz.py, which builds and runs it. */
#include "fuzz.h"

#include <stdlib.h>
#include <sys/prctl.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static bool show;

static void start(void)
{
	show = getenv("FUZZ_SHOW");
	prctl(PR_SET_TIMERSLACK, 1ul, 0ul, 0ul, 0ul); /* nanoseconds */
	if (!fuzz_memory_start())
		abort();
	fuzz_sides_start();
}

/* A process each is slow: one of some does; always the first, for replays. */
static bool is_turn(void)
{
	static unsigned int n;

	return n++ % 64 == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	enum fuzz_result result = FUZZ_SAME;
	static bool started;

	if (!started) {
		started = true;
		start();
	}
	if (!size || bytes[0] != FUZZ_FRESH)
		result = fuzz_compare(bytes, size, fuzz_ask_engine, show);
	else if (is_turn())
		result = fuzz_compare_in_child(bytes, size, fuzz_ask_engine, show);
	if (result == FUZZ_DIFFERS)
		abort();
	return 0;
}
