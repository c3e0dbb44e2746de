/* SPDX-License-Identifier: MIT */
/*
 * Mutants: the engine with one thing taken out. Either a fault (host/fault.h),
 * or an access whose order is weakened, known by the addresses that its calls
 * return to (one source line may be compiled several times).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/fault.h"
#include "options.h"
#include "state.h"

extern char __data_start[];

#define NAME(name, rules, text) #name,
static const char *const names[] = { "NONE", UFX_FAULT_LIST(NAME) };

static void choose_fault(unsigned int i)
{
	/* In the image too, that every set-up begins with. */
	enum ufx_fault *kept = (enum ufx_fault *)(void *)(model->pristine +
		((char *)&ufx_fault_chosen - __data_start));

	ufx_fault_chosen = *kept = (enum ufx_fault)i;
}

static void weaken(const char *list)
{
	char *end;

	model->weakened_used = 0;
	while (*list) {
		uintptr_t pc = strtoul(list, &end, 16);

		if (end == list || (*end && *end != ',') || model->weakened_used == 16) {
			fprintf(stderr, "explore: not a list of addresses: '%s'\n", list);
			exit(2);
		}
		model->weakened[model->weakened_used++] = pc;
		list = end + (*end == ',');
	}
}

void mutant_put_in(const char *mutant)
{
	if (!strncmp(mutant, "0x", 2)) {
		weaken(mutant);
		return;
	}
	for (unsigned int i = 1; i < UFX_FAULT_COUNT; i++)
		if (!strcmp(names[i], mutant)) {
			choose_fault(i);
			return;
		}
	fprintf(stderr, "explore: no fault '%s'; ufutex-explore faults lists them\n", mutant);
	exit(2);
}
