// SPDX-License-Identifier: MIT
// oneTBB: a mutex in parallel_for, and a bounded queue; the argument: how often.
#include <tbb/concurrent_queue.h>
#include <tbb/global_control.h>
#include <tbb/parallel_for.h>

#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <thread>

static long loop(int items)
{
	std::mutex mutex;
	long sum = 0;

	tbb::parallel_for(0, items, [&](int i) {
		std::lock_guard<std::mutex> hold(mutex);
		sum += i;
	});
	return sum;
}

static long queue(int items)
{
	tbb::concurrent_bounded_queue<int> between;
	long sum = 0;

	between.set_capacity(4);
	std::thread taker([&] {
		for (int i = 0; i < items; i++) {
			int value;

			between.pop(value);
			sum += value;
		}
	});
	for (int i = 0; i < items; i++)
		between.push(i);
	taker.join();
	return sum;
}

int main(int argc, char **argv)
{
	tbb::global_control four(tbb::global_control::max_allowed_parallelism, 4);
	int times = argc > 1 ? std::atoi(argv[1]) : 1;
	long first = loop(200000 * times);

	std::printf("%ld %ld\n", first, queue(20000 * times));
}
