/* SPDX-License-Identifier: MIT */
/* A schedule as text: one line a step, with the source line that made it. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "state.h"

#define LINES_MAX 20000
#define SHOWN 600 /* of a schedule that goes in circles, and from its end: */
#define SHOWN_LAST 40

static struct trace_line *new_line(void)
{
	struct trace_line *line;

	if (!model->tracing || model->trace_used == LINES_MAX)
		return NULL;
	if (!model->trace)
		model->trace = calloc(LINES_MAX, sizeof(*model->trace));
	line = &model->trace[model->trace_used++];
	line->fiber = (uint8_t)model->now;
	line->pc = 0;
	return line;
}

void trace_step(const char *what, const void *addr, const char *format, ...)
{
	struct trace_line *line = new_line();
	char name[80] = "", value[60];
	va_list list;

	if (!line)
		return;
	va_start(list, format);
	vsnprintf(value, sizeof(value), format, list);
	va_end(list);
	if (addr)
		memory_name(addr, name, sizeof(name));
	snprintf(line->text, sizeof(line->text), "%-12s %-24s %s", what, name, value);
	line->pc = model->pc;
}

void trace_note(const char *format, ...)
{
	struct trace_line *line = new_line();
	va_list list;

	if (!line)
		return;
	va_start(list, format);
	vsnprintf(line->text, sizeof(line->text), format, list);
	va_end(list);
}

/* Starts addr2line; what it prints for each address comes back by *out. */
static FILE *ask_places(void)
{
	char name[] = "/tmp/explore-XXXXXX", command[400], self[200] = "";
	int fd = mkstemp(name);
	FILE *list = fd < 0 ? NULL : fdopen(fd, "w"), *out;

	if (!list || readlink("/proc/self/exe", self, sizeof(self) - 1) < 0)
		return NULL;
	for (uint32_t i = 0; i < model->trace_used; i++)
		fprintf(list, "%#lx\n", model->trace[i].pc ? model->trace[i].pc - 1 : 0);
	fclose(list);
	snprintf(command, sizeof(command), "addr2line -s -a -i -f -e '%s' < %s; rm -f %s",
		 self, name, name);
	out = popen(command, "r");
	return out;
}

/* Reads the places of one address: the innermost line, the outermost function. */
static void read_place(FILE *out, char *text, size_t size, char *ahead)
{
	char function[100] = "", place[100] = "", outer[100] = "";

	while (fgets(ahead, 100, out) && strncmp(ahead, "0x", 2)) {
		snprintf(outer, sizeof(outer), "%.*s", (int)strcspn(ahead, "\n"), ahead);
		if (!*function)
			snprintf(function, sizeof(function), "%s", outer);
		if (!fgets(ahead, 100, out))
			break;
		if (!*place)
			snprintf(place, sizeof(place), "%.*s", (int)strcspn(ahead, " \n"), ahead);
	}
	snprintf(text, size, "%.18s %.20s%s%.20s", place, function,
		 strcmp(function, outer) ? " < " : "",
		 strcmp(function, outer) ? outer : "");
}

void trace_print(void)
{
	char ahead[100] = "", place[80] = "";
	FILE *out = ask_places();

	if (out && !fgets(ahead, sizeof(ahead), out))
		ahead[0] = 0;
	for (uint32_t i = 0; i < model->trace_used; i++) {
		const struct trace_line *line = &model->trace[i];

		if (out)
			read_place(out, place, sizeof(place), ahead);
		if (i >= SHOWN && i + SHOWN_LAST < model->trace_used) {
			if (i == SHOWN)
				printf("... %u steps more ...\n",
				       model->trace_used - SHOWN - SHOWN_LAST);
			continue;
		}
		printf("%*sT%u  %-52s %s\n", line->fiber * 2, "", line->fiber + 1u, line->text,
		       line->pc ? place : "");
	}
	if (out)
		pclose(out);
}
