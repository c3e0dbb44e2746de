/* SPDX-License-Identifier: MIT */
/* Medians, their intervals, quantiles. */
#include <math.h>
#include <stdlib.h>

#include "bench.h"

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

void bench_sort(double *values, unsigned int n)
{
	qsort(values, n, sizeof(*values), compare);
}

double bench_quantile(const double *values, unsigned int n, double p)
{
	unsigned int i;

	if (!n)
		return NAN;
	i = (unsigned int)(p * n);
	return values[i < n ? i : n - 1];
}

/*
 * How many of @n sorted values may be left off at each end so that the true
 * median lies between the ends of the rest with at least 95 %. Each value is
 * above or below it like the toss of a coin; it lies below the value number k
 * (from 0) if at most k fell on that side, and that must be 2.5 % at most.
 */
static unsigned int interval_margin(unsigned int n)
{
	double term = 1, sum = 0;
	unsigned int k;

	for (k = 0; k < n; k++)
		term /= 2; /* n is at most BENCH_MAX_PAIRS: no underflow */
	for (k = 0; k < n / 2; k++) {
		sum += term;
		if (sum > 0.025)
			break;
		term *= (double)(n - k) / (k + 1);
	}
	return k ? k - 1 : 0; /* fewer than 6 values: the whole range */
}

void bench_median(double *values, unsigned int n, double out[3])
{
	unsigned int margin;

	if (!n) {
		out[0] = out[1] = out[2] = NAN;
		return;
	}
	bench_sort(values, n);
	margin = interval_margin(n);
	out[0] = n % 2 ? values[n / 2]
		       : (values[n / 2 - 1] + values[n / 2]) / 2;
	out[1] = values[margin];
	out[2] = values[n - 1 - margin];
}
