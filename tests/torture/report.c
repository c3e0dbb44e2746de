// SPDX-License-Identifier: MIT
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "torture.h"

#define X(name) #name,
const char *const count_names[COUNT_END] = { COUNTS(X) };
#undef X

struct totals *totals;

/* Without libc's list of streams, which a thread that hangs may have locked. */
void say(const char *format, ...)
{
	char text[1024];
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (n > 0 && write(STDERR_FILENO, text, strnlen(text, sizeof(text))) < 0)
		return; /* nobody listens */
}

void finding(const char *format, ...)
{
	static pid_t told; /* a child of vfork shares it */
	pid_t mine = getpid(), other;
	char line[sizeof(totals->found)];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	other = __atomic_exchange_n(&told, mine, __ATOMIC_SEQ_CST);
	if (other == mine)
		for (;;) /* another thread is at it, and will end us */
			pause();
	memcpy(totals->found, line, sizeof(line));
	say("finding: %s\n", line);
	watchdog_show();
	if (options.hold) {
		say("process %d waits for a debugger\n", getpid());
		for (;;)
			pause();
	}
	_exit(1);
}
