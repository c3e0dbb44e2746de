// SPDX-License-Identifier: MIT
/* Cancellation unwinds a C++ thread: destructors run, catch (...) sees it. */
#include <cxxabi.h>

#include <condition_variable>
#include <mutex>
#include <thread>

#include "run.h"

static std::mutex mutex;
static std::condition_variable cond;
static sem_t sem;
static bool go;
static long destroyed, caught;

struct Counted {
	~Counted()
	{
		add(&destroyed);
	}
};

static long in_sem(void *)
{
	Counted outer;

	try {
		Counted inner;
		sem_wait(&sem);
	} catch (abi::__forced_unwind &) {
		add(&caught);
		throw;
	}
	return 0;
}

/*
 * condition_variable::wait must not throw: the C library's is used with a lock
 * that a destructor gives back.
 */
static long in_cond(void *)
{
	Counted outer;
	std::unique_lock<std::mutex> lock(mutex);

	while (!go)
		pthread_cond_wait(cond.native_handle(), mutex.native_handle());
	return 0;
}

static void cancel_in(long (*body)(void *), const char *name, long expected)
{
	void *result = nullptr;
	struct blocked b;

	destroyed = 0;
	blocked_start(&b, body, nullptr, nullptr);
	ok(blocked_wait(&b), "%s: blocks", name);
	pthread_cancel(b.thread);
	pthread_join(b.thread, &result);
	ok(result == PTHREAD_CANCELED, "%s: is cancelled", name);
	is_int(destroyed, expected, "%s: destructors", name);
}

int main()
{
	sem_init(&sem, 0, 0);
	cancel_in(in_sem, "sem", 2);
	is_int(caught, 1, "sem: caught on the way");
	cancel_in(in_cond, "cond", 1);
	ok(mutex.try_lock(), "cond: the lock was given back");
	mutex.unlock();

	std::jthread waiter([] {
		std::unique_lock<std::mutex> lock(mutex);
		cond.wait(lock, [] { return go; });
	});
	{
		std::lock_guard<std::mutex> guard(mutex);
		go = true;
	}
	cond.notify_one();
	waiter.join();
	ok(go, "the condition variable works");
	return tap_end();
}
