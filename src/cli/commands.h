/* SPDX-License-Identifier: MIT */
/*
 * The subcommands of `ufutex`. Each gets its own name as argv[0] and returns
 * the exit status of the command: 0 done, 1 done and something is wrong,
 * 2 bad usage (after one line on standard error).
 */
#ifndef UFUTEX_CLI_COMMANDS_H
#define UFUTEX_CLI_COMMANDS_H

int ufx_cmd_run(int argc, char **argv);
int ufx_cmd_bench(int argc, char **argv);
int ufx_cmd_check(int argc, char **argv);
int ufx_cmd_sites(int argc, char **argv);
int ufx_cmd_stats(int argc, char **argv);

/*
 * "ufutex COMMAND: message" and a line feed on standard error, in one write;
 * @command may be "". Returns 2, the status for bad usage.
 */
int ufx_cli_error(const char *command, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
