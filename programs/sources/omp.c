/* SPDX-License-Identifier: MIT */
/* OpenMP's loops, critical sections, barriers and locks; the argument: how often. */
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>

enum { THREADS = 4, ROUNDS = 300, ITEMS = 2000, LOCKINGS = 20000 };

static double loops(int rounds, long *count)
{
	double sum = 0;

	for (int round = 0; round < rounds; round++) {
		#pragma omp parallel for reduction(+ : sum) schedule(dynamic, 16)
		for (int i = 0; i < ITEMS; i++)
			sum += i * 0.5;
		#pragma omp parallel
		{
			#pragma omp critical
			++*count;
			#pragma omp barrier
		}
	}
	return sum;
}

static void lockings(int times, long *count)
{
	omp_lock_t lock;

	omp_init_lock(&lock);
	#pragma omp parallel
	for (int i = 0; i < LOCKINGS * times; i++) {
		omp_set_lock(&lock);
		++*count;
		omp_unset_lock(&lock);
	}
	omp_destroy_lock(&lock);
}

int main(int argc, char **argv)
{
	int times = argc > 1 ? atoi(argv[1]) : 1;
	long count = 0;
	double sum;

	omp_set_num_threads(THREADS);
	sum = loops(ROUNDS * times, &count);
	lockings(times, &count);
	printf("%.1f %ld\n", sum, count);
	return 0;
}
