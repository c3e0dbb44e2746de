// SPDX-License-Identifier: MIT
/* A sample of the sweep. */
#include "sweep.h"

int main(void)
{
	return sweep(&(struct sweep_plan){ 101, SWEEP_ALL, NULL });
}
