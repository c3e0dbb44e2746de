// SPDX-License-Identifier: MIT
// C++20: atomic wait, semaphore, latch, barrier, jthread; the argument: how often.
#include <atomic>
#include <barrier>
#include <cstdio>
#include <cstdlib>
#include <latch>
#include <semaphore>
#include <thread>
#include <vector>

static int atomics(int rounds)
{
	std::atomic<int> turn{0};
	{
		std::jthread other([&] {
			for (int i = 0; i < rounds; i++) {
				turn.wait(2 * i);
				turn.store(2 * i + 2);
				turn.notify_one();
			}
		});
		for (int i = 0; i < rounds; i++) {
			turn.store(2 * i + 1);
			turn.notify_one();
			turn.wait(2 * i + 1);
		}
	}
	return turn.load();
}

static long semaphores(int rounds)
{
	std::counting_semaphore<8> there{0}, back{0};
	long count = 0;
	{
		std::jthread other([&] {
			for (int i = 0; i < rounds; i++) {
				there.acquire();
				count++;
				back.release();
			}
		});
		for (int i = 0; i < rounds; i++) {
			there.release();
			back.acquire();
		}
	}
	return count;
}

static long barriers(int rounds)
{
	constexpr int threads = 4;
	std::latch begin{threads};
	std::barrier together{threads};
	std::atomic<long> count{0};
	{
		std::vector<std::jthread> crowd;
		for (int k = 0; k < threads; k++)
			crowd.emplace_back([&] {
				begin.arrive_and_wait();
				for (int i = 0; i < rounds; i++) {
					count++;
					together.arrive_and_wait();
				}
			});
	}
	return count.load();
}

int main(int argc, char **argv)
{
	int times = argc > 1 ? std::atoi(argv[1]) : 1;
	int turns = atomics(20000 * times);
	long posts = semaphores(20000 * times);

	std::printf("%d %ld %ld\n", turns, posts, barriers(2000 * times));
}
