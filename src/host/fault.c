/* SPDX-License-Identifier: MIT */
#include "host/fault.h"

#ifdef UFX_FAULTS
enum ufx_fault ufx_fault_chosen;
#endif
#ifdef UFX_TEST_DELAYS
uint64_t ufx_test_delay;
uint64_t ufx_section_delay;
#endif
