/* SPDX-License-Identifier: MIT */
/* prctl(PR_FUTEX_HASH). */
#include "abi/served.h"

long ufx_prctl_futex_hash(unsigned long op, unsigned long arg3,
			  unsigned long arg4, unsigned long arg5)
{
	struct ufx_domain *d = ufx_domain_default();

	(void)arg5; /* ignored, as in the kernel */
	if (!d)
		return -EOPNOTSUPP;
	switch (op) {
	case UFX_PR_FUTEX_HASH_SET_SLOTS:
		if (arg4)
			return -EINVAL;
		return ufx_domain_set_slots(d, (uint32_t)arg3);
	case UFX_PR_FUTEX_HASH_GET_SLOTS:
		return ufx_domain_get_slots(d);
	default:
		return -EINVAL;
	}
}
