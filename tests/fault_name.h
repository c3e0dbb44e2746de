/* SPDX-License-Identifier: MIT */
#ifndef TESTS_FAULT_NAME_H
#define TESTS_FAULT_NAME_H

#include "host/fault.h"

/* The fault called @name, without UFX_FAULT_; UFX_FAULT_COUNT if none is. */
enum ufx_fault fault_named(const char *name);
const char *fault_name(enum ufx_fault fault); /* NULL: it has none */

#endif
