// SPDX-License-Identifier: MIT
/* The C++ library's locks and waits. */
#include <atomic>
#include <barrier>
#include <condition_variable>
#include <future>
#include <latch>
#include <mutex>
#include <semaphore>
#include <shared_mutex>
#include <thread>
#include <vector>

#include "run.h"

constexpr int threads = 4;
constexpr int turns = 5000;

template <class Body> static void crowd(Body body)
{
	std::vector<std::jthread> all;

	for (int i = 0; i < threads; i++)
		all.emplace_back(body, i);
}

template <class Mutex> static void count_under(const char *name)
{
	Mutex mutex;
	long count = 0;

	crowd([&](int) {
		for (int i = 0; i < turns; i++) {
			std::lock_guard<Mutex> guard(mutex);
			if (++count % 512 == 0)
				std::this_thread::yield();
		}
	});
	is_int(count, threads * turns, "%s", name);
}

static void shared()
{
	std::shared_timed_mutex mutex;
	long count = 0;
	std::atomic<long> bad{0};

	crowd([&](int) {
		for (int i = 0; i < turns; i++) {
			if (i % 2) {
				std::shared_lock lock(mutex);
				bad += count < 0;
			} else {
				std::unique_lock lock(mutex);
				count++;
			}
		}
	});
	is_int(count, threads * turns / 2, "shared_timed_mutex");
	is_int(bad, 0, "its readers");
}

static void conditions()
{
	std::mutex mutex;
	std::condition_variable plain;
	std::condition_variable_any any;
	long a = 0, b = 0;

	std::jthread other([&] {
		for (int i = 0; i < turns; i++) {
			std::unique_lock lock(mutex);
			plain.wait(lock, [&] { return a > b; });
			b++;
			any.notify_one();
		}
	});
	for (int i = 0; i < turns; i++) {
		std::unique_lock lock(mutex);
		a++;
		plain.notify_one();
		any.wait(lock, [&] { return a == b; });
	}
	is_int(b, turns, "condition_variable and condition_variable_any");
	std::unique_lock lock(mutex);
	ok(!plain.wait_for(lock, std::chrono::milliseconds(20),
			   [] { return false; }), "a wait that ends");
}

static void futures()
{
	std::promise<int> promise;
	std::once_flag flag;
	int calls = 0, sum = 0;
	std::vector<std::future<int>> all;

	for (int i = 0; i < threads; i++)
		all.push_back(std::async(std::launch::async, [&, i] {
			std::call_once(flag, [&] { calls++; });
			return i;
		}));
	for (auto &f : all)
		sum += f.get();
	is_int(sum, 6, "futures");
	is_int(calls, 1, "call_once");
	auto future = promise.get_future();
	std::jthread setter([&] { promise.set_value(5); });
	is_int(future.get(), 5, "a promise");
}

static void cxx20()
{
	std::atomic<int> a{0};
	std::counting_semaphore<> s{0}, d{0};
	std::latch latch{threads};
	std::barrier barrier{threads};
	std::atomic<long> c{0};

	{
		std::jthread t([&] {
			for (int i = 0; i < turns; i++) {
				a.wait(2 * i);
				a.store(2 * i + 2);
				a.notify_one();
			}
		});
		for (int i = 0; i < turns; i++) {
			a.store(2 * i + 1);
			a.notify_one();
			a.wait(2 * i + 1);
		}
	}
	is_int(a, 2 * turns, "atomic wait");
	{
		std::jthread t([&] {
			for (int i = 0; i < turns; i++) {
				s.acquire();
				d.release();
			}
		});
		for (int i = 0; i < turns; i++) {
			s.release();
			d.acquire();
		}
	}
	ok(!s.try_acquire(), "counting_semaphore");
	crowd([&](int) {
		latch.arrive_and_wait();
		for (int i = 0; i < 200; i++) {
			c++;
			barrier.arrive_and_wait();
		}
	});
	is_int(c, threads * 200, "latch and barrier");
}

int main()
{
	count_under<std::mutex>("mutex");
	count_under<std::recursive_mutex>("recursive_mutex");
	count_under<std::timed_mutex>("timed_mutex");
	shared();
	conditions();
	futures();
	cxx20();
	return tap_end();
}
