/* SPDX-License-Identifier: MIT */
#include "host/count.h"

/* Of programs that are linked with the engine: nobody reads them. */
static struct ufx_stripe stripes[UFX_STRIPES];
static struct ufx_counting own = { stripes };

struct ufx_counting *ufx_counting = &own;
struct ufx_stripe *(*ufx_counting_begin)(void);
void (*ufx_counting_table)(uint32_t slots);

__thread uint32_t ufx_thread_at __attribute__((tls_model("initial-exec")));
