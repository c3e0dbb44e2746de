// SPDX-License-Identifier: MIT
/* A sample of the sweep. */
#include "sweep.h"

int main(void)
{
	return sweep(&(struct sweep_plan){ 61, 7, NULL });
}
