/* SPDX-License-Identifier: MIT */
/* The ufutex command: picks a subcommand. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/commands.h"

#ifndef UFX_VERSION
#define UFX_VERSION "0.1.0"
#endif

static const struct command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *summary;
} commands[] = {
	{ "run", ufx_cmd_run, "run a program with its futex calls on the engine" },
	{ "bench", ufx_cmd_bench, "measure the engine, beside the kernel" },
	{ "check", ufx_cmd_check, "what this machine offers, and does it work" },
	{ "stats", ufx_cmd_stats, "what a program under `ufutex run` has done so far" },
	{ "sites", ufx_cmd_sites, "where the code of objects calls futex(2)" },
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

int ufx_cli_error(const char *command, const char *format, ...)
{
	char line[1024];
	va_list args;
	int used;
	ssize_t done;

	used = snprintf(line, sizeof(line), "ufutex%s%s: ", *command ? " " : "",
			command);
	va_start(args, format);
	vsnprintf(line + used, sizeof(line) - (size_t)used - 1, format, args);
	va_end(args);
	strcat(line, "\n");
	done = write(STDERR_FILENO, line, strlen(line));
	(void)done;
	return 2;
}

static int help(void)
{
	printf("usage: ufutex COMMAND [OPTIONS]\n"
	       "\n"
	       "The Linux futex, answered inside the process.\n"
	       "\n");
	for (unsigned int i = 0; i < COMMANDS; i++)
		printf("  %-8s%s\n", commands[i].name, commands[i].summary);
	printf("\n"
	       "  --help      this text; `ufutex COMMAND --help` has more\n"
	       "  --version   the version\n");
	return 0;
}

static int is(const char *word, const char *one, const char *other)
{
	return !strcmp(word, one) || !strcmp(word, other);
}

int main(int argc, char **argv)
{
	if (argc < 2)
		return ufx_cli_error("", "a command is missing; try ufutex --help");
	if (is(argv[1], "--help", "-h") || !strcmp(argv[1], "help"))
		return help();
	if (is(argv[1], "--version", "-V")) {
		printf("ufutex %s\n", UFX_VERSION);
		return 0;
	}
	for (unsigned int i = 0; i < COMMANDS; i++)
		if (!strcmp(argv[1], commands[i].name))
			return commands[i].run(argc - 1, argv + 1);
	return ufx_cli_error("", "unknown %s '%s'; try ufutex --help",
			     argv[1][0] == '-' ? "option" : "command", argv[1]);
}
