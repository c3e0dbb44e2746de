/* SPDX-License-Identifier: MIT */
#ifndef EXPLORE_LITMUS_COMMAND_H
#define EXPLORE_LITMUS_COMMAND_H

struct options;

/* One line of JSON for each test of the machine; 0 if all are as expected. */
int run_litmus(const struct options *o);

#endif
