// SPDX-License-Identifier: MIT
/*
 * The sweep, with tables that are replaced at zero: at every 20th instruction,
 * the others by other SEEDs; all of them: SWEEP_EVERY=1 (sweep.h).
 */
#include "sweep.h"

int main(void)
{
	return sweep(&(struct sweep_plan){ 20, SWEEP_ALL, "at-zero" });
}
