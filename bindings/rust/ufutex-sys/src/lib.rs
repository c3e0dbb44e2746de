// SPDX-License-Identifier: MIT
//! The functions of libufutex as they are: what they do, which errors they give,
//! which locks a callback runs under, stands in the headers of the same names.
//! Without the inline forms; and what is said there about signal handlers, fork
//! and unloading holds here.

#![no_std]
#![allow(non_camel_case_types)]

use core::ffi::c_void;

type c_int = i32;
type c_long = isize; // of 64-bit machines, the only ones that there are

/// `struct timespec` of 64-bit Linux.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct timespec {
    pub tv_sec: i64,
    pub tv_nsec: i64,
}

/// A structure that is only pointed at.
macro_rules! opaque {
    ($($name:ident)*) => { $(
        #[repr(C)]
        pub struct $name {
            _private: [u8; 0],
        }
    )* };
}

opaque! { ufx_domain ufx_migration }

// ---- ufutex/caps.h ----

pub type ufx_mode = u32;
pub const UFX_MODE_NONE: ufx_mode = 0;
pub const UFX_MODE_RSEQ: ufx_mode = 1;
pub const UFX_MODE_MEMBARRIER: ufx_mode = 2;
pub const UFX_MODE_FENCE: ufx_mode = 3;
pub const UFX_MODE_SHARED: ufx_mode = 4;
pub const UFX_MODE_COUNT: usize = 5;

pub type ufx_replace = u32;
pub const UFX_REPLACE_MOVING: ufx_replace = 0;
pub const UFX_REPLACE_AT_ZERO: ufx_replace = 1;

#[repr(C)]
pub struct ufx_capabilities {
    pub mode: ufx_mode,
    pub replace: ufx_replace,
    pub error: c_int,
    pub cpus: u32,
    pub waitv: bool,
    pub wipe_on_fork: bool,
    pub missing: [*const u8; UFX_MODE_COUNT],
    pub grace_periods: u64,
    pub grace_failures: u64,
    pub leaked_tables: u64,
    pub aborts: u64,
}

// ---- ufutex/futex.h ----

pub const UFX_FUTEX_WAIT: c_int = 0;
pub const UFX_FUTEX_WAKE: c_int = 1;
pub const UFX_FUTEX_REQUEUE: c_int = 3;
pub const UFX_FUTEX_CMP_REQUEUE: c_int = 4;
pub const UFX_FUTEX_WAKE_OP: c_int = 5;
pub const UFX_FUTEX_WAIT_BITSET: c_int = 9;
pub const UFX_FUTEX_WAKE_BITSET: c_int = 10;
pub const UFX_FUTEX_PRIVATE: c_int = 128;
pub const UFX_FUTEX_CLOCK_REALTIME: c_int = 256;

pub const UFX_FUTEX2_U32: u32 = 0x02;
pub const UFX_FUTEX2_PRIVATE: u32 = 128;
pub const UFX_FUTEX_WAITV_MAX: u32 = 128;

#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct ufx_waitv_entry {
    pub val: u64,
    pub uaddr: u64,
    pub flags: u32,
    pub reserved: u32,
}

// ---- ufutex/domain.h ----

#[repr(C)]
#[derive(Clone, Copy)]
pub struct ufx_allocator {
    pub allocate: Option<unsafe extern "C" fn(usize, usize, *mut c_void) -> *mut c_void>,
    pub release: Option<unsafe extern "C" fn(*mut c_void, usize, *mut c_void)>,
    pub arg: *mut c_void,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct ufx_domain_options {
    pub slots: u32,
    pub fixed: bool,
    pub replace: ufx_replace,
    pub fifo: bool,
    pub has_secret: bool,
    pub secret: [u64; 2],
    pub allocator: *const ufx_allocator,
}

#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct ufx_domain_stats {
    pub replacements: u64,
    pub requests: u64,
    pub retired: u64,
    pub moved: u64,
}

// ---- ufutex/wait.h ----

pub const UFX_WOKEN: c_int = 0;
pub const UFX_MISMATCH: c_int = 1;
pub const UFX_TIMED_OUT: c_int = 2;
pub const UFX_INTERRUPTED: c_int = 3;
pub const UFX_CANCELLED: c_int = 4;
pub const UFX_FAULTED: c_int = 5;
pub const UFX_LEFT: c_int = 6;

pub const UFX_WAIT_ANY_MAX: u32 = 128;

#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct ufx_deadline {
    pub at: timespec,
    pub clock: c_int,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct ufx_condition {
    pub key: u64,
    pub word: *const c_void,
    pub expected: u64,
    pub size: u32,
    pub mask: u32,
    pub check: Option<unsafe extern "C" fn(*mut c_void) -> bool>,
    pub arg: *mut c_void,
    pub token: u64,
    pub owner: *const c_void,
    pub priority: u32,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct ufx_parker {
    pub unpark: Option<unsafe extern "C" fn(*mut c_void)>,
}

/// All fields are the library's; zeroed before its first use; must stay where it
/// is from prepare to finish.
#[repr(C, align(64))]
pub struct ufx_node {
    _private: [u64; 16],
}

impl ufx_node {
    pub const fn new() -> Self {
        ufx_node { _private: [0; 16] }
    }
}

impl Default for ufx_node {
    fn default() -> Self {
        Self::new()
    }
}

pub type ufx_left = Option<unsafe extern "C" fn(bool, *mut c_void)>;

// ---- ufutex/wake.h ----

pub const UFX_ALL: u32 = u32::MAX;

#[repr(C)]
#[derive(Clone, Copy)]
pub struct ufx_seen {
    pub key: u64,
    pub token: u64,
    pub owner: *const c_void,
    pub mask: u32,
    pub woken: u32,
    pub more: bool,
}

pub type ufx_verdict = u32;
pub const UFX_TAKE: ufx_verdict = 0;
pub const UFX_SKIP: ufx_verdict = 1;
pub const UFX_STOP: ufx_verdict = 2;

#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct ufx_taken {
    pub woken: u32,
    pub moved: u32,
    pub more: bool,
    pub token: u64,
}

pub type ufx_each =
    Option<unsafe extern "C" fn(*const ufx_seen, *mut u64, *mut c_void) -> ufx_verdict>;
pub type ufx_last = Option<unsafe extern "C" fn(*mut ufx_taken, *mut c_void)>;

#[repr(C)]
#[derive(Clone, Copy)]
pub struct ufx_waker {
    pub n: u32,
    pub mask: u32,
    pub token: u64,
    pub each: ufx_each,
    pub last: ufx_last,
    pub arg: *mut c_void,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct ufx_mover {
    pub wake: u32,
    pub r#move: u32,
    pub token: u64,
    pub word: *const c_void,
    pub expected: u64,
    pub size: u32,
    pub check: Option<unsafe extern "C" fn(*mut ufx_mover) -> c_int>,
    pub last: ufx_last,
    pub arg: *mut c_void,
}

pub const UFX_SET: u32 = 0;
pub const UFX_ADD: u32 = 1;
pub const UFX_OR: u32 = 2;
pub const UFX_ANDN: u32 = 3;
pub const UFX_XOR: u32 = 4;

pub const UFX_EQ: u32 = 0;
pub const UFX_NE: u32 = 1;
pub const UFX_LT: u32 = 2;
pub const UFX_LE: u32 = 3;
pub const UFX_GT: u32 = 4;
pub const UFX_GE: u32 = 5;

#[repr(C)]
#[derive(Clone, Copy)]
pub struct ufx_word_op {
    pub word: *mut c_void,
    pub size: u32,
    pub operation: u32,
    pub operand: u64,
    pub comparison: u32,
    pub operand2: i64,
    pub operate: Option<unsafe extern "C" fn(*mut c_void) -> c_int>,
    pub arg: *mut c_void,
}

// ---- ufutex/grace.h ----

#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct ufx_cookie {
    pub period: u64,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct ufx_call {
    pub next: *mut ufx_call,
    pub r#fn: Option<unsafe extern "C" fn(*mut ufx_call)>,
    pub cookie: ufx_cookie,
    pub bytes: usize,
}

// ---- ufutex/ref.h ----

#[repr(C)]
pub struct ufx_counters {
    pub cells: usize,
    pub count: i64,
}

#[repr(C)]
pub struct ufx_counted {
    pub cells: usize,
    pub counters: *mut ufx_counters,
}

/// Must stay where it is once it has been made.
#[repr(C)]
pub struct ufx_ref {
    pub counted: ufx_counted,
    pub counters: ufx_counters,
    pub release: Option<unsafe extern "C" fn(*mut ufx_ref)>,
    pub dying: u32,
    pub lock: u32,
    pub begun: ufx_cookie,
    pub call: ufx_call,
    pub confirm: Option<unsafe extern "C" fn(*mut ufx_ref)>,
    pub confirming: u32,
}

pub const UFX_REF_ATOMIC: u32 = 1;
pub const UFX_REF_DEAD: u32 = 2;

pub type ufx_slot_kind = u32;
pub const UFX_SLOT_WHEN_IDLE: ufx_slot_kind = 0;
pub const UFX_SLOT_PUBLISH_FIRST: ufx_slot_kind = 1;

#[repr(C)]
pub struct ufx_object {
    pub counted: ufx_counted,
    pub counters: ufx_counters,
    pub release: Option<unsafe extern "C" fn(*mut ufx_object)>,
    pub call: ufx_call,
}

#[repr(C)]
pub struct ufx_slot {
    pub current: *mut ufx_object,
    pub pending: *mut ufx_object,
    pub dead: *mut ufx_object,
    pub migration: *mut ufx_migration,
    pub kind: ufx_slot_kind,
    pub lock: u32,
}

extern "C" {
    // ufutex/caps.h
    pub fn ufx_mode_name(mode: ufx_mode) -> *const u8;
    pub fn ufx_caps(caps: *mut ufx_capabilities) -> c_int;

    // ufutex/futex.h
    pub fn ufx_futex(
        uaddr: *mut u32, op: c_int, val: u32, timeout: *const timespec, uaddr2: *mut u32,
        val3: u32,
    ) -> c_long;
    pub fn ufx_futex_waitv(
        waiters: *mut ufx_waitv_entry, nr: u32, flags: u32, timeout: *mut timespec,
        clock: c_int,
    ) -> c_long;
    pub fn ufx_futex_wake(uaddr: *mut c_void, mask: usize, nr: c_int, flags: u32) -> c_long;
    pub fn ufx_futex_wait(
        uaddr: *mut c_void, val: usize, mask: usize, flags: u32, timeout: *mut timespec,
        clock: c_int,
    ) -> c_long;
    pub fn ufx_futex_requeue(
        waiters: *mut ufx_waitv_entry, flags: u32, nr_wake: c_int, nr_requeue: c_int,
    ) -> c_long;
    pub fn ufx_futex_interrupt(restart: bool) -> bool;
    pub fn ufx_prctl_futex_hash(op: usize, arg3: usize, arg4: usize, arg5: usize) -> c_long;

    // ufutex/domain.h
    pub fn ufx_domain_default() -> *mut ufx_domain;
    pub fn ufx_domain_create(
        domain: *mut *mut ufx_domain, options: *const ufx_domain_options,
    ) -> c_int;
    pub fn ufx_domain_destroy(domain: *mut ufx_domain) -> c_int;
    pub fn ufx_domain_cancel(domain: *mut ufx_domain) -> c_long;
    pub fn ufx_domain_get(domain: *mut ufx_domain);
    pub fn ufx_domain_put(domain: *mut ufx_domain);
    pub fn ufx_domain_purge(domain: *mut ufx_domain, first: u64, length: u64) -> c_long;
    pub fn ufx_domain_forget(domain: *mut ufx_domain);
    pub fn ufx_domain_futex(
        domain: *mut ufx_domain, uaddr: *mut u32, op: c_int, val: u32,
        timeout: *const timespec, uaddr2: *mut u32, val3: u32,
    ) -> c_long;
    pub fn ufx_faults_guard();
    pub fn ufx_domain_set_slots(domain: *mut ufx_domain, slots: u32) -> c_int;
    pub fn ufx_domain_get_slots(domain: *mut ufx_domain) -> u32;
    pub fn ufx_domain_get_stats(domain: *mut ufx_domain, stats: *mut ufx_domain_stats);

    // ufutex/wait.h
    pub fn ufx_deadline_in(ns: i64) -> ufx_deadline;
    pub fn ufx_node_prepare(
        domain: *mut ufx_domain, node: *mut ufx_node, condition: *const ufx_condition,
        parker: *const ufx_parker, handle: *mut c_void,
    ) -> c_int;
    pub fn ufx_node_ended(node: *const ufx_node) -> bool;
    pub fn ufx_node_finish(node: *mut ufx_node, answer: *mut u64) -> c_int;
    pub fn ufx_node_finish_by(
        node: *mut ufx_node, answer: *mut u64, left: ufx_left, arg: *mut c_void,
    ) -> c_int;
    pub fn ufx_node_block(
        node: *mut ufx_node, deadline: *const ufx_deadline, answer: *mut u64,
    ) -> c_int;
    pub fn ufx_node_block_by(
        node: *mut ufx_node, deadline: *const ufx_deadline, answer: *mut u64, left: ufx_left,
        arg: *mut c_void,
    ) -> c_int;
    pub fn ufx_domain_wait(
        domain: *mut ufx_domain, condition: *const ufx_condition,
        deadline: *const ufx_deadline, answer: *mut u64,
    ) -> c_int;
    pub fn ufx_domain_wait_any(
        domain: *mut ufx_domain, conditions: *const ufx_condition, n: u32,
        deadline: *const ufx_deadline, index: *mut u32, answer: *mut u64,
    ) -> c_int;
    pub fn ufx_node_interrupt(node: *mut ufx_node, reason: u64) -> bool;
    pub fn ufx_domain_interrupt_owner(
        domain: *mut ufx_domain, owner: *const c_void, reason: u64,
    ) -> c_long;

    // ufutex/wake.h
    pub fn ufx_domain_wake(domain: *mut ufx_domain, key: u64, n: u32, mask: u32) -> c_long;
    pub fn ufx_domain_maybe_waiters(domain: *mut ufx_domain, key: u64) -> bool;
    pub fn ufx_domain_wake_by(
        domain: *mut ufx_domain, key: u64, waker: *const ufx_waker,
    ) -> c_long;
    pub fn ufx_domain_requeue(
        domain: *mut ufx_domain, from: u64, to: u64, mover: *const ufx_mover,
    ) -> c_long;
    pub fn ufx_domain_wake_op(
        domain: *mut ufx_domain, key1: u64, n1: u32, key2: u64, n2: u32,
        op: *const ufx_word_op,
    ) -> c_long;

    // ufutex/grace.h
    pub fn ufx_grace_publish(place: *mut *mut c_void, object: *mut c_void) -> ufx_cookie;
    pub fn ufx_grace_get_state() -> ufx_cookie;
    pub fn ufx_grace_start_poll() -> ufx_cookie;
    pub fn ufx_grace_poll(cookie: ufx_cookie) -> bool;
    pub fn ufx_grace_cond_sync(cookie: ufx_cookie) -> c_int;
    pub fn ufx_grace_synchronize() -> c_int;
    pub fn ufx_grace_call(
        call: *mut ufx_call, f: Option<unsafe extern "C" fn(*mut ufx_call)>,
    );
    pub fn ufx_grace_call_hurry(
        call: *mut ufx_call, f: Option<unsafe extern "C" fn(*mut ufx_call)>,
    );
    pub fn ufx_grace_call_bytes(
        call: *mut ufx_call, f: Option<unsafe extern "C" fn(*mut ufx_call)>, bytes: usize,
    );
    pub fn ufx_grace_limit(calls: u64, bytes: u64);
    pub fn ufx_grace_pending(bytes: *mut u64) -> u64;
    pub fn ufx_grace_run(calls: u32, ns: u64) -> c_int;
    pub fn ufx_grace_event() -> c_int;
    pub fn ufx_grace_barrier() -> c_int;

    // ufutex/ref.h
    pub fn ufx_ref_init(
        r: *mut ufx_ref, release: Option<unsafe extern "C" fn(*mut ufx_ref)>,
    ) -> c_int;
    pub fn ufx_ref_init_flags(
        r: *mut ufx_ref, release: Option<unsafe extern "C" fn(*mut ufx_ref)>, flags: u32,
    ) -> c_int;
    pub fn ufx_ref_exit(r: *mut ufx_ref);
    pub fn ufx_ref_get(r: *mut ufx_ref);
    pub fn ufx_ref_get_many(r: *mut ufx_ref, n: usize);
    pub fn ufx_ref_tryget(r: *mut ufx_ref) -> bool;
    pub fn ufx_ref_tryget_many(r: *mut ufx_ref, n: usize) -> bool;
    pub fn ufx_ref_tryget_live(r: *mut ufx_ref) -> bool;
    pub fn ufx_ref_put(r: *mut ufx_ref);
    pub fn ufx_ref_put_many(r: *mut ufx_ref, n: usize);
    pub fn ufx_ref_kill(r: *mut ufx_ref) -> c_int;
    pub fn ufx_ref_kill_and_confirm(
        r: *mut ufx_ref, confirm: Option<unsafe extern "C" fn(*mut ufx_ref)>,
    ) -> c_int;
    pub fn ufx_ref_switch_to_atomic_and_confirm(
        r: *mut ufx_ref, confirm: Option<unsafe extern "C" fn(*mut ufx_ref)>,
    ) -> c_int;
    pub fn ufx_ref_switch_to_atomic(r: *mut ufx_ref) -> c_int;
    pub fn ufx_ref_switch_to_percpu(r: *mut ufx_ref) -> c_int;
    pub fn ufx_ref_reinit(r: *mut ufx_ref) -> c_int;
    pub fn ufx_ref_is_atomic(r: *const ufx_ref) -> bool;
    pub fn ufx_ref_resurrect(r: *mut ufx_ref) -> c_int;
    pub fn ufx_ref_is_zero(r: *const ufx_ref) -> bool;
    pub fn ufx_ref_is_dying(r: *const ufx_ref) -> bool;
    pub fn ufx_object_init(
        object: *mut ufx_object, kind: ufx_slot_kind,
        release: Option<unsafe extern "C" fn(*mut ufx_object)>,
    ) -> c_int;
    pub fn ufx_slot_init(
        slot: *mut ufx_slot, kind: ufx_slot_kind, first: *mut ufx_object,
    ) -> c_int;
    pub fn ufx_slot_exit(slot: *mut ufx_slot);
    pub fn ufx_slot_get(slot: *mut ufx_slot) -> *mut ufx_object;
    pub fn ufx_slot_put(slot: *mut ufx_slot, object: *mut ufx_object);
    pub fn ufx_slot_replace(slot: *mut ufx_slot, object: *mut ufx_object) -> c_int;
    pub fn ufx_slot_replace_later(slot: *mut ufx_slot, object: *mut ufx_object) -> c_int;
    pub fn ufx_slot_pending(slot: *const ufx_slot) -> bool;
    pub fn ufx_slot_reap(slot: *mut ufx_slot) -> u32;
    pub fn ufx_slot_publish(slot: *mut ufx_slot, object: *mut ufx_object) -> ufx_cookie;
}
