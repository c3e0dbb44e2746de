/* SPDX-License-Identifier: MIT */
/*
 * Reference counts that scale: a get or a put is one per-CPU increment.
 *
 *   ref   a count with its own per-CPU cells, with the verbs of the kernel's
 *         percpu_ref;
 *   slot  a pointer whose object is pinned while used, and replaced live.
 *
 * Both live in one of two states. In the per-CPU state a get adds one to this
 * CPU's cell and a put subtracts one from whichever CPU it runs on; nobody can
 * tell whether the sum is zero. To find zero, the count migrates: the state
 * becomes atomic, a grace period passes, the cells are folded into one atomic
 * counter, which carried a large bias meanwhile so that nobody saw zero early.
 *
 * get and put are async-signal-safe, allocate nothing, and in mode rseq enter
 * no kernel. They must not be called in a child of vfork before it execs.
 *
 * Memory order: what one did before a put happens before what the thread does
 * that sees the count at zero (the release function). A get orders nothing
 * beyond the load of the pointer, as taking a reference to something reachable.
 *
 * Memory: 8 bytes a possible CPU for a ref, a publish-first object, or a
 * when-idle slot, out of arenas that take 4 KiB a CPU for 504 of them; 4 KiB
 * more for a when-idle slot.
 *
 * Debug builds (UFX_DEBUG) end the program where more is put than was got,
 * something is got at zero, a ref is initialised or killed twice, or used
 * after its exit.
 *
 * fork: counts are copied as they are; references of threads that the child
 * does not have never come back. A child must not replace in a slot, nor kill
 * or switch a ref, with which another thread was doing so at the fork.
 *
 * The functions named _inline are the same as those without, with the
 * restartable sequence compiled into the caller (x86-64 and aarch64, gcc or
 * clang). A shared object that uses them, or has the library linked into it,
 * should not be unloaded (link it with -z nodelete): the kernel keeps the
 * address of each thread's last sequence, and a thread that is interrupted once
 * that is unmapped dies by SIGSEGV. If it must go, each thread that has used it
 * calls ufx_section_forget() after its last use and before dlclose. Nobody can
 * do that for another thread; a grace period does not.
 */
#ifndef UFUTEX_REF_H
#define UFUTEX_REF_H

#include <ufutex/base.h>
#include <ufutex/grace.h>
#include <ufutex/section.h>

UFX_BEGIN

/* Cells of one count (one a CPU, UFX_CELL_STRIDE apart) and its atomic side. */
struct ufx_counters {
	uintptr_t cells;
	int64_t count;
};

/*
 * What a get touches: the address of the cells with the state in its low
 * bits (section.h), so that one load gives both; and where the counters are.
 */
struct ufx_counted {
	uintptr_t cells;
	struct ufx_counters *counters;
};

/* ---- ref -------------------------------------------------------------- */

struct ufx_ref {
	struct ufx_counted counted; /* first: the sections expect it there */
	struct ufx_counters counters;
	void (*release)(struct ufx_ref *ref);
	uint32_t dying;
	uint32_t lock;       /* serialises changes of state */
	ufx_cookie begun;    /* a period after it last became atomic */
	struct ufx_call call;
	void (*confirm)(struct ufx_ref *ref);
	uint32_t confirming; /* @call is pending */
};

/*
 * Makes @ref with one reference, the caller's initial one, in the per-CPU
 * state. @release (may be NULL) runs once the count has come to zero, in the
 * thread that put the last reference, which may be in a signal handler; it may
 * free @ref after ufx_ref_exit. Returns 0, -EINVAL (@ref is NULL), -ENOMEM or
 * -EOPNOTSUPP (ufx_caps). Not from a handler.
 */
UFX_API int ufx_ref_init(struct ufx_ref *ref, void (*release)(struct ufx_ref *));

/*
 * The same; @flags 0 or one of
 *   UFX_REF_ATOMIC  starts in the atomic state: a kill then needs no grace
 *                   period, which suits what is used briefly
 *   UFX_REF_DEAD    starts killed and at zero, for ufx_ref_reinit
 * -EINVAL also for other flags.
 */
#define UFX_REF_ATOMIC 1u
#define UFX_REF_DEAD 2u
UFX_API int ufx_ref_init_flags(struct ufx_ref *ref,
			       void (*release)(struct ufx_ref *), unsigned int flags);

/*
 * Gives the cells back. Nobody may use @ref any more, nor be about to confirm
 * (below): what comes anyway is refused where it has a way to say so. Not from
 * a handler.
 */
UFX_API void ufx_ref_exit(struct ufx_ref *ref);

/* One more reference, or @n; the caller must hold one already. */
UFX_API void ufx_ref_get(struct ufx_ref *ref);
UFX_API void ufx_ref_get_many(struct ufx_ref *ref, unsigned long n);

/* One more, or @n, unless the count has come to zero. @ref must be alive. */
UFX_API bool ufx_ref_tryget(struct ufx_ref *ref);
UFX_API bool ufx_ref_tryget_many(struct ufx_ref *ref, unsigned long n);

/*
 * As tryget, and never in a call that begins after ufx_ref_kill has returned
 * or ufx_ref_kill_and_confirm has confirmed.
 */
UFX_API bool ufx_ref_tryget_live(struct ufx_ref *ref);

/* Gives one back, or @n; the last one runs release. */
UFX_API void ufx_ref_put(struct ufx_ref *ref);
UFX_API void ufx_ref_put_many(struct ufx_ref *ref, unsigned long n);

/*
 * Goes to the atomic state for good and gives the initial reference back, so
 * that zero can be found. Takes one grace period. Returns 0; -EALREADY if
 * killed before; -EINVAL after exit; or -errno if the kernel refuses grace
 * periods: then @ref stays as it is, alive. Not from a handler.
 */
UFX_API int ufx_ref_kill(struct ufx_ref *ref);

/*
 * The same without waiting for the grace period: a deferred call
 * (ufutex/grace.h) ends it, so thousands of kills share one period. @confirm
 * (may be NULL) runs there, when nobody can get it live any more; the initial
 * reference is given back behind it, so @ref is alive until @confirm has
 * returned. @confirm may use all of the library but ufx_grace_barrier.
 *
 * Returns 0; -EALREADY and -EINVAL as kill; -EBUSY while an earlier one of
 * this kind, or of the next, has not confirmed. While the kernel refuses grace
 * periods it is dying and not confirmed. In a child of fork nothing confirms
 * that was begun before. Not from a handler.
 */
UFX_API int ufx_ref_kill_and_confirm(struct ufx_ref *ref,
				     void (*confirm)(struct ufx_ref *));

/*
 * Goes to the atomic state and back without dropping a reference; -errno as
 * kill, switch_to_percpu also -EINVAL once it was killed. In the atomic state
 * gets and puts share one word.
 */
UFX_API int ufx_ref_switch_to_atomic(struct ufx_ref *ref);
UFX_API int ufx_ref_switch_to_percpu(struct ufx_ref *ref);

/*
 * switch_to_atomic without waiting: new gets and puts share the word at once;
 * @confirm runs in a deferred call, once the word tells the truth, unless
 * somebody switched back meanwhile. A reference is held until then. 0, -EBUSY
 * and -EINVAL as kill_and_confirm.
 */
UFX_API int ufx_ref_switch_to_atomic_and_confirm(struct ufx_ref *ref,
						 void (*confirm)(struct ufx_ref *));

/*
 * After zero (release has run): one reference again, per-CPU, not dying.
 * Returns 0, or -EINVAL if it is not killed and at zero.
 */
UFX_API int ufx_ref_reinit(struct ufx_ref *ref);

/*
 * Undoes a kill while references are left: takes the initial one back, per-CPU.
 * 0, or -EINVAL: not killed, or at zero. A kill that has not confirmed still
 * does, later.
 */
UFX_API int ufx_ref_resurrect(struct ufx_ref *ref);

/* At zero? False in the per-CPU state, where nobody can tell. An acquire. */
UFX_API bool ufx_ref_is_zero(const struct ufx_ref *ref);
UFX_API bool ufx_ref_is_dying(const struct ufx_ref *ref);

/* Do gets and puts share one word? */
UFX_API bool ufx_ref_is_atomic(const struct ufx_ref *ref);

/* ---- slot ------------------------------------------------------------- */

enum ufx_slot_kind {
	/*
	 * The kernel's private futex hash: the object is replaced at an instant
	 * at which nobody holds it, by the next user; successive objects share
	 * the slot's counters. There is one object at any time. Under permanent
	 * load the instant may never come.
	 */
	UFX_SLOT_WHEN_IDLE,
	/*
	 * The new object is in force at once; the old one, with counters of its
	 * own, is released when its last user has put it.
	 */
	UFX_SLOT_PUBLISH_FIRST,
};

/*
 * Embed it in what a slot holds. All fields are the library's.
 *
 * Once released the memory may be used for anything else, but it should not be
 * unmapped at once: a thread that was about to pin the object may be in a page
 * fault on it (swapped out, moved between nodes), and dies if the page is gone
 * when the fault is dealt with. free() of small blocks is harmless.
 */
struct ufx_object {
	struct ufx_counted counted; /* first */
	struct ufx_counters counters;
	void (*release)(struct ufx_object *object);
	struct ufx_call call;
};

struct ufx_migration;

struct ufx_slot {
	struct ufx_object *current; /* first: the sections load it */
	struct ufx_object *pending; /* when idle: waits for zero */
	struct ufx_object *dead;    /* publish first: drained, not yet released */
	struct ufx_migration *migration; /* when idle */
	enum ufx_slot_kind kind;
	uint32_t lock;
};

/*
 * Prepares an object for a slot of @kind; @release (may be NULL) runs when the
 * slot has let go of it and the last user has put it: after a grace period,
 * never in put.
 * Returns 0, -EINVAL (NULL, or no such kind), -ENOMEM or -EOPNOTSUPP.
 */
UFX_API int ufx_object_init(struct ufx_object *object, enum ufx_slot_kind kind,
			    void (*release)(struct ufx_object *));

/*
 * Makes a slot that holds @first, or nothing (NULL). 0, -ENOMEM, -EOPNOTSUPP;
 * -EINVAL: NULL, no such kind, or @first was prepared for the other kind.
 */
UFX_API int ufx_slot_init(struct ufx_slot *slot, enum ufx_slot_kind kind,
			  struct ufx_object *first);

/*
 * Releases what the slot holds. Nobody may use the slot or an object of it.
 * Waits for nobody: objects that were replaced before are released when
 * deferred calls are next driven (ufx_grace_barrier makes sure). Not from a
 * handler.
 */
UFX_API void ufx_slot_exit(struct ufx_slot *slot);

/*
 * Pins the slot's object and returns it; NULL if the slot is empty. In a
 * when-idle slot this may carry out a replacement; then a handler that
 * interrupted that very work in its own thread gets NULL.
 */
UFX_API struct ufx_object *ufx_slot_get(struct ufx_slot *slot);

/* Gives a pin back. Neither frees nor replaces anything. */
UFX_API void ufx_slot_put(struct ufx_slot *slot, struct ufx_object *object);

/*
 * Replaces the object by @object.
 *
 * Publish first: in force on return; 0. The old one's release runs here, in a
 * later ufx_slot_replace, in ufx_slot_reap or ufx_slot_exit, or when deferred
 * calls are driven. @object may be NULL: the slot is empty then.
 *
 * When idle: returns when @object, or one that another thread asked for
 * meanwhile, is in force. If one is pending already, the older request stays
 * and this one replaces that. -errno if the kernel refuses grace periods: the
 * old object stays, @object is not used.
 *
 * -EINVAL: @object is in force already, NULL (when idle), or was prepared for
 * the other kind.
 *
 * Not from a handler, nor (when idle) while the caller holds a pin.
 */
UFX_API int ufx_slot_replace(struct ufx_slot *slot, struct ufx_object *object);

/*
 * When idle only: leaves @object pending and does not wait; the first user
 * who finds the slot idle switches. 0, -EBUSY if one is pending, -EINVAL as
 * ufx_slot_replace and for a slot of the other kind. Waits for no pin, but may
 * drive deferred calls. Not from a handler.
 */
UFX_API int ufx_slot_replace_later(struct ufx_slot *slot,
				   struct ufx_object *object);

/*
 * When idle only: is an object pending? It may have been put in force by the
 * time of the answer. For who replaces later and looks now and then.
 */
UFX_API bool ufx_slot_pending(const struct ufx_slot *slot);

/*
 * Publish first only: replaces without waiting and returns the cookie of the
 * publication, for ufx_grace_poll. The old object is released by deferred
 * calls, or once drained as above. Bad arguments as for ufx_slot_replace: a
 * cookie that never elapses, and nothing is done. Not from a handler.
 */
UFX_API ufx_cookie ufx_slot_publish(struct ufx_slot *slot,
				    struct ufx_object *object);

/*
 * Publish first: releases the old objects whose last pin has been put since,
 * which otherwise the next replacement does; says how many. Waits for nobody;
 * one load if there is none. Not from a handler.
 */
UFX_API unsigned int ufx_slot_reap(struct ufx_slot *slot);

/* ---- inline forms ----------------------------------------------------- */

static inline void ufx_ref_get_inline(struct ufx_ref *ref)
{
	if (ufx_section_add(&ref->counted.cells, 1) != UFX_SECTION_DONE)
		ufx_ref_get(ref);
}

static inline void ufx_ref_put_inline(struct ufx_ref *ref)
{
	if (ufx_section_add(&ref->counted.cells, -1) != UFX_SECTION_DONE)
		ufx_ref_put(ref);
}

static inline struct ufx_object *ufx_slot_get_inline(struct ufx_slot *slot)
{
	void *object;

	if (ufx_section_pin((void *const *)&slot->current, &object) ==
	    UFX_SECTION_DONE)
		return (struct ufx_object *)object;
	return ufx_slot_get(slot);
}

static inline void ufx_slot_put_inline(struct ufx_slot *slot,
				       struct ufx_object *object)
{
	if (ufx_section_add(&object->counted.cells, -1) != UFX_SECTION_DONE)
		ufx_slot_put(slot, object);
}

UFX_END

#endif
