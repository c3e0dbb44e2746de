// SPDX-License-Identifier: MIT
/*
 * The sweep with handlers that fork: at every tenth instruction, the others by
 * other SEEDs; all of them: SWEEP_EVERY=1 (sweep.h).
 */
#include "sweep.h"

int main(void)
{
	return sweep(&(struct sweep_plan){ 10, SWEEP_FORKS, NULL });
}
