// SPDX-License-Identifier: MIT
/*
 * C++17: domains, references, slots and nodes that end with their scope. What
 * the functions behind them do, and which errors they give, stand in the C
 * headers; each class has get() for those.
 *
 * What can fail to be made throws std::system_error with the C function's
 * error; nothing else throws. Nothing here is copied, and only handles (domain,
 * reference, pin) are moved: the rest must stay where it is.
 */
#ifndef UFUTEX_HPP
#define UFUTEX_HPP

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <system_error>
#include <type_traits>
#include <utility>

#include <ufutex/domain.h>
#include <ufutex/ref.h>
#include <ufutex/wait.h>
#include <ufutex/wake.h>

namespace ufutex {

/* 0, or throws what a function returned as -errno. */
inline int check(long result, const char *what)
{
	if (result < 0)
		throw std::system_error(static_cast<int>(-result), std::generic_category(),
					what);
	return static_cast<int>(result);
}

class fixed_place {
public:
	fixed_place(const fixed_place &) = delete;
	fixed_place &operator=(const fixed_place &) = delete;

protected:
	fixed_place() = default;
	~fixed_place() = default;
};

/* How a wait ended, with the waker's token or the reason of an interrupt. */
struct ended {
	ufx_ending how;
	std::uint64_t answer;
	explicit operator bool() const { return how == UFX_WOKEN; }
};

/*
 * A reference to a domain. The last one's end cancels what still waits, and frees
 * the domain after a grace period (ufx_domain_put). Copies are made by share().
 */
class domain {
public:
	domain() { check(ufx_domain_create(&d, nullptr), "ufx_domain_create"); }
	explicit domain(const ufx_domain_options &options)
	{
		check(ufx_domain_create(&d, &options), "ufx_domain_create");
	}
	domain(domain &&other) noexcept : d(std::exchange(other.d, nullptr)) {}
	domain &operator=(domain &&other) noexcept
	{
		std::swap(d, other.d);
		return *this;
	}
	~domain()
	{
		if (d)
			ufx_domain_put(d);
	}

	domain share() const
	{
		ufx_domain_get(d);
		return domain(d);
	}
	ufx_domain *get() const { return d; }

	/* Waits on @word, a number or an atomic one, while it holds @expected. */
	template <typename Word, typename Value>
	ended wait(const Word &word, Value expected, const ufx_deadline *deadline = nullptr)
	{
		return wait_on(on(word, expected), deadline);
	}
	template <typename Word, typename Value, typename Rep, typename Period>
	ended wait_for(const Word &word, Value expected, std::chrono::duration<Rep, Period> time)
	{
		auto ns = std::chrono::duration_cast<std::chrono::nanoseconds>(time);
		ufx_deadline deadline = ufx_deadline_in(ns.count());

		return wait_on(on(word, expected), &deadline);
	}
	ended wait_on(const ufx_condition &condition, const ufx_deadline *deadline = nullptr)
	{
		std::uint64_t answer = 0;
		int how = check(ufx_domain_wait(d, &condition, deadline, &answer),
				"ufx_domain_wait");

		return { static_cast<ufx_ending>(how), answer };
	}

	/* The condition that @word, which is its own key, holds @expected. */
	template <typename T>
	static ufx_condition on(const T &word, std::common_type_t<T> expected)
	{
		static_assert(std::is_integral_v<T> || std::is_enum_v<T>, "a word is a number");
		static_assert(sizeof(T) <= 8, "of 1, 2, 4 or 8 bytes");
		ufx_condition c = {};

		c.key = key(&word);
		c.word = &word;
		c.size = sizeof(T);
		c.expected = static_cast<std::uint64_t>(expected) &
			     (~std::uint64_t(0) >> (64 - 8 * sizeof(T)));
		return c;
	}
	template <typename T>
	static ufx_condition on(const std::atomic<T> &word, std::common_type_t<T> expected)
	{
		static_assert(std::atomic<T>::is_always_lock_free && sizeof(word) == sizeof(T),
			      "an atomic word is that word alone");
		return on(reinterpret_cast<const T &>(word), expected);
	}
	static std::uint64_t key(const void *word)
	{
		return reinterpret_cast<std::uintptr_t>(word);
	}

	long wake(const void *word, std::uint32_t n = 1, std::uint32_t mask = UFX_ALL)
	{
		return ufx_domain_wake(d, key(word), n, mask);
	}
	long wake_all(const void *word) { return wake(word, UINT32_MAX); }
	long cancel() { return ufx_domain_cancel(d); }
	long purge(const void *first, std::size_t length)
	{
		return ufx_domain_purge(d, key(first), length);
	}

private:
	explicit domain(ufx_domain *shared) : d(shared) {}
	ufx_domain *d = nullptr;
};

/*
 * A wait in two phases: the node is in the queue from a prepare that returned
 * true until finish, or the end of its scope.
 */
class node : fixed_place {
public:
	node() = default;
	~node()
	{
		if (queued)
			ufx_node_finish(&n, nullptr);
	}

	/* False: a mismatch. The parker is called as ufx_node_prepare says. */
	bool prepare(domain &in, const ufx_condition &condition,
		     const ufx_parker *parker = nullptr, void *handle = nullptr)
	{
		int ret = ufx_node_prepare(in.get(), &n, &condition, parker, handle);

		if (ret == -EAGAIN)
			return false;
		check(ret, "ufx_node_prepare");
		queued = true;
		return true;
	}
	bool has_ended() const { return ufx_node_ended(&n); }
	bool interrupt(std::uint64_t reason) { return ufx_node_interrupt(&n, reason); }
	ended finish() { return end(ufx_node_finish(&n, &answer)); }
	ended block(const ufx_deadline *deadline = nullptr)
	{
		return end(ufx_node_block(&n, deadline, &answer));
	}
	ufx_node *get() { return &n; }

private:
	ended end(int how)
	{
		if (how == -EINVAL) /* not prepared */
			check(how, "ufx_node_finish");
		queued = false;
		return { static_cast<ufx_ending>(how), answer };
	}

	ufx_node n = {};
	std::uint64_t answer = 0;
	bool queued = false;
};

/*
 * Base of what is counted: made with one reference, its maker's, and deleted
 * once that is gone and all others are.
 *
 *	struct session : ufutex::counted<session> { ... };
 *	auto s = ufutex::make<session>(...);      // an owner: its end kills
 *	ufutex::reference<session> r = s.ref();   // a get; its end is a put
 */
template <typename T>
class counted : fixed_place {
public:
	ufx_ref *counter() { return &ref; }

protected:
	counted() { check(ufx_ref_init(&ref, release), "ufx_ref_init"); }
	~counted() { ufx_ref_exit(&ref); }

private:
	static void release(ufx_ref *r)
	{
		/* The first member of this class, whose place in T it knows. */
		delete static_cast<T *>(reinterpret_cast<counted *>(r));
	}
	ufx_ref ref;
};

template <typename T>
class reference {
public:
	reference() = default;
	reference(const reference &other) : object(other.object)
	{
		if (object)
			ufx_ref_get_inline(object->counter());
	}
	reference(reference &&other) noexcept : object(std::exchange(other.object, nullptr)) {}
	reference &operator=(reference other) noexcept
	{
		std::swap(object, other.object);
		return *this;
	}
	~reference()
	{
		if (object)
			ufx_ref_put_inline(object->counter());
	}
	/* Takes over one that was got. */
	static reference adopt(T *object)
	{
		reference r;

		r.object = object;
		return r;
	}

	T *operator->() const { return object; }
	T &operator*() const { return *object; }
	T *get() const { return object; }
	explicit operator bool() const { return object; }

private:
	T *object = nullptr;
};

/* The maker's reference. Its end is ufx_ref_kill, which takes a grace period. */
template <typename T>
class owner {
public:
	explicit owner(T *made) : object(made) {}
	owner(owner &&other) noexcept : object(std::exchange(other.object, nullptr)) {}
	owner &operator=(owner &&other) noexcept
	{
		std::swap(object, other.object);
		return *this;
	}
	~owner() { kill(); }

	reference<T> ref() const
	{
		ufx_ref_get_inline(object->counter());
		return reference<T>::adopt(object);
	}
	/* 0, or -errno: then it lives on, and this has nothing to do with it any more. */
	int kill() { return object ? ufx_ref_kill(std::exchange(object, nullptr)->counter()) : 0; }
	T *operator->() const { return object; }
	T *get() const { return object; }

private:
	T *object;
};

template <typename T, typename... Args>
owner<T> make(Args &&...args)
{
	return owner<T>(new T(std::forward<Args>(args)...));
}

/*
 * A pointer to an object that is replaced while others use it: publish first.
 * An object is deleted after a grace period, once the last pin has ended.
 */
template <typename T>
class slot : fixed_place {
	struct cell {
		explicit cell(std::unique_ptr<T> v) : value(std::move(v))
		{
			check(ufx_object_init(&object, UFX_SLOT_PUBLISH_FIRST, release),
			      "ufx_object_init");
		}
		static void release(ufx_object *o) { delete reinterpret_cast<cell *>(o); }

		ufx_object object; /* first */
		std::unique_ptr<T> value;
	};

public:
	class pin {
	public:
		pin(pin &&other) noexcept
			: from(other.from), object(std::exchange(other.object, nullptr)) {}
		pin &operator=(pin &&other) noexcept
		{
			std::swap(from, other.from);
			std::swap(object, other.object);
			return *this;
		}
		~pin()
		{
			if (object)
				ufx_slot_put_inline(from, object);
		}

		T *get() const
		{
			return object ? reinterpret_cast<cell *>(object)->value.get() : nullptr;
		}
		T *operator->() const { return get(); }
		T &operator*() const { return *get(); }
		explicit operator bool() const { return object; }

	private:
		friend slot;
		explicit pin(ufx_slot *s) : from(s), object(ufx_slot_get_inline(s)) {}
		ufx_slot *from;
		ufx_object *object;
	};

	explicit slot(std::unique_ptr<T> first)
	{
		auto c = std::make_unique<cell>(std::move(first));

		check(ufx_slot_init(&s, UFX_SLOT_PUBLISH_FIRST, &c->object), "ufx_slot_init");
		c.release();
	}
	/* Waits for nobody, and nobody may have a pin. */
	~slot() { ufx_slot_exit(&s); }

	pin get() { return pin(&s); }
	/* In force at once; what was there goes once nobody uses it. */
	void replace(std::unique_ptr<T> next)
	{
		auto c = std::make_unique<cell>(std::move(next));

		check(ufx_slot_replace(&s, &c->object), "ufx_slot_replace");
		c.release();
	}

private:
	ufx_slot s;
};

} /* namespace ufutex */

#endif
