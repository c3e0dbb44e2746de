// SPDX-License-Identifier: MIT
/* ufutex/ufutex.hpp: what ends with a scope, and what that brings about. */
#include <ufutex/ufutex.hpp>

#include <cerrno>
#include <string>
#include <thread>
#include <vector>

#include "blocked.h"
#include "tap.h"

using namespace std::chrono_literals;

static void domains()
{
	ufutex::domain d, other;
	std::atomic<std::uint32_t> word{ 0 };
	std::int8_t small = -1;

	ok(d.wait(word, 1).how == UFX_MISMATCH, "a mismatch");
	ok(d.wait_for(word, 0, 1ms).how == UFX_TIMED_OUT, "a timeout");
	ok(!d.wait_for(small, -1, 1ms) && d.wait(small, 1).how == UFX_MISMATCH,
	   "a byte below zero");
	is_int(d.wake(&word), 0, "nobody is there");

	ufutex::domain same = d.share();
	is_int(ufx_domain_destroy(d.get()), -EBUSY, "two have it");
	{
		ufutex::domain taken = std::move(same);
	}
	ok(!same.get(), "a moved one is nobody's");
	other = ufutex::domain();
	is_int(other.purge(&word, 4), 0, "one that was assigned to works");
}

static void errors()
{
	ufx_domain_options options = {};
	int code = 0;

	options.slots = 3;
	try {
		ufutex::domain d(options);
	} catch (const std::system_error &e) {
		code = e.code().value();
		ok(std::string(e.what()).find("ufx_domain_create") == 0, "it says who refused");
	}
	is_int(code, EINVAL, "and why");
}

struct sleeper {
	ufutex::domain *d;
	std::uint32_t word;
};

static long sleeps(void *arg)
{
	sleeper *s = static_cast<sleeper *>(arg);

	return s->d->wait(s->word, 0u).how;
}

static void threads()
{
	ufutex::domain d, other;
	sleeper s = { &d, 0 };
	blocked b = {};

	blocked_start(&b, sleeps, &s, nullptr);
	ok(blocked_wait(&b), "a thread waits");
	is_int(other.wake_all(&s.word), 0, "another domain's wake does not find it");
	is_int(d.wake_all(&s.word), 1, "this one's does");
	is_int(blocked_join(&b), UFX_WOKEN, "it was woken");
}

static void nodes()
{
	ufutex::domain d;
	std::uint32_t word = 5;
	int told = 0;
	ufx_parker parker = { [](void *handle) { ++*static_cast<int *>(handle); } };
	{
		ufutex::node n;

		ok(!n.prepare(d, ufutex::domain::on(word, 4), &parker, &told), "a mismatch");
		ok(n.prepare(d, ufutex::domain::on(word, 5), &parker, &told), "queued");
	}
	is_int(d.wake(&word), 0, "its scope took it out");
	{
		ufutex::node n;

		n.prepare(d, ufutex::domain::on(word, 5), &parker, &told);
		is_int(d.wake(&word), 1, "one is woken");
		ok(n.has_ended() && told == 1, "and told");
		ok(n.finish().how == UFX_WOKEN, "and knows");
		n.prepare(d, ufutex::domain::on(word, 5), &parker, &told);
		ok(n.interrupt(7), "an interrupt");
		ufutex::ended e = n.finish();
		ok(e.how == UFX_INTERRUPTED && e.answer == 7, "with its reason");
	}
	int code = 0;
	try {
		ufutex::node().finish();
	} catch (const std::system_error &e) {
		code = e.code().value();
	}
	is_int(code, EINVAL, "none was prepared");
}

static int alive;

struct other_base {
	virtual ~other_base() = default;
	int before = 1;
};

struct session : other_base, ufutex::counted<session> {
	explicit session(int n) : number(n) { alive++; }
	~session() override { alive--; }
	int number;
};

static void references()
{
	{
		auto s = ufutex::make<session>(3);
		ufutex::reference<session> kept;
		{
			ufutex::reference<session> r = s.ref(), copy = r, moved = std::move(r);

			ok(!r && copy->number == 3 && moved.get() == s.get(), "three of them");
			kept = copy;
		}
		is_int(alive, 1, "its owner has it");
		is_int(s.kill(), 0, "killed");
		is_int(alive, 1, "a reference keeps it");
		ok(!kept->number || kept->number == 3, "as it was");
	}
	is_int(alive, 0, "then it is gone");
	{
		auto s = ufutex::make<session>(4);
	}
	is_int(alive, 0, "an owner's end");
}

struct config {
	explicit config(int n) : number(n) { alive++; }
	~config() { alive--; }
	int number;
};

static void slots()
{
	{
		ufutex::slot<config> s(std::make_unique<config>(1));
		auto old = s.get();

		s.replace(std::make_unique<config>(2));
		ok(old->number == 1 && s.get()->number == 2, "a pin outlives a replacement");
		{
			auto taken = std::move(old);
		}
		ok(!old, "a moved pin is none");
		s.replace(std::make_unique<config>(3));
		is_int(s.get()->number, 3, "the third");
	}
	ufx_grace_barrier();
	is_int(alive, 0, "all are deleted");
}

static void replaced_under_load()
{
	{
		ufutex::slot<config> s(std::make_unique<config>(0));
		std::vector<std::thread> readers;
		std::atomic<bool> stop{ false }, wrong{ false };

		for (int i = 0; i < 3; i++)
			readers.emplace_back([&] {
				for (int last = 0; !stop;) {
					auto p = s.get();

					if (p->number < last)
						wrong = true;
					last = p->number;
				}
			});
		for (int i = 1; i < 2000; i++)
			s.replace(std::make_unique<config>(i));
		stop = true;
		for (auto &r : readers)
			r.join();
		ok(!wrong, "readers see what is newer each time");
	}
	ufx_grace_barrier();
	is_int(alive, 0, "nothing is left of two thousand");
}

int main()
{
	domains();
	errors();
	threads();
	nodes();
	references();
	slots();
	replaced_under_load();
	return tap_end();
}
