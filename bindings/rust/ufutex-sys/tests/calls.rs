// SPDX-License-Identifier: MIT

use core::ffi::c_void;
use std::mem::{zeroed, MaybeUninit};
use std::ptr::{null, null_mut};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use ufutex_sys::*;

struct Domain(*mut ufx_domain);
unsafe impl Sync for Domain {}

impl Domain {
    fn new() -> Self {
        let mut d = null_mut();
        assert_eq!(unsafe { ufx_domain_create(&mut d, null()) }, 0);
        Domain(d)
    }
}

impl Drop for Domain {
    fn drop(&mut self) {
        assert_eq!(unsafe { ufx_domain_destroy(self.0) }, 0);
    }
}

fn on(word: &AtomicU32, expected: u32) -> ufx_condition {
    let mut c: ufx_condition = unsafe { zeroed() };
    c.key = word as *const _ as u64;
    c.word = word as *const _ as *const c_void;
    c.size = 4;
    c.expected = expected.into();
    c
}

#[test]
fn endings() {
    let (d, word) = (Domain::new(), AtomicU32::new(1));
    let soon = unsafe { ufx_deadline_in(1_000_000) };
    unsafe {
        assert_eq!(ufx_domain_wait(d.0, &on(&word, 0), null(), null_mut()), UFX_MISMATCH);
        assert_eq!(ufx_domain_wait(d.0, &on(&word, 1), &soon, null_mut()), UFX_TIMED_OUT);
        assert_eq!(ufx_domain_wake(d.0, &word as *const _ as u64, 1, 0), -22);
    }
}

unsafe extern "C" fn tell(handle: *mut c_void) {
    *(handle as *mut u32) += 1;
}

unsafe extern "C" fn chosen(
    seen: *const ufx_seen, token: *mut u64, _: *mut c_void,
) -> ufx_verdict {
    *token = (*seen).token + 1;
    UFX_TAKE
}

#[test]
fn nodes() {
    let (d, word) = (Domain::new(), AtomicU32::new(0));
    let parker = ufx_parker { unpark: Some(tell) };
    let (mut told, mut answer) = (0u32, 0u64);
    let mut node = ufx_node::new();
    let mut condition = on(&word, 0);
    condition.token = 41;
    unsafe {
        let handle = &mut told as *mut u32 as *mut c_void;
        assert_eq!(ufx_node_prepare(d.0, &mut node, &condition, &parker, handle), 0);
        assert!(!ufx_node_ended(&node));
        let mut waker: ufx_waker = zeroed();
        waker.n = 9;
        waker.each = Some(chosen);
        assert_eq!(ufx_domain_wake_by(d.0, condition.key, &waker), 1);
        assert_eq!(ufx_node_finish(&mut node, &mut answer), UFX_WOKEN);
    }
    assert_eq!((told, answer), (1, 42));
}

#[test]
fn two_threads_take_turns() {
    let (d, word) = (Domain::new(), AtomicU32::new(0));
    let turns = |mine: u32| {
        for _ in 0..1000 {
            while word.load(Ordering::Acquire) != mine {
                unsafe { ufx_domain_wait(d.0, &on(&word, 1 - mine), null(), null_mut()) };
            }
            word.store(1 - mine, Ordering::Release);
            unsafe { ufx_domain_wake(d.0, &word as *const _ as u64, 1, UFX_ALL) };
        }
    };
    thread::scope(|s| {
        s.spawn(|| turns(0));
        s.spawn(|| turns(1));
    });
}

static RELEASED: AtomicU32 = AtomicU32::new(0);

unsafe extern "C" fn release(r: *mut ufx_ref) {
    ufx_ref_exit(r);
    drop(Box::from_raw(r));
    RELEASED.fetch_add(1, Ordering::SeqCst);
}

#[test]
fn references() {
    let r = Box::into_raw(Box::new(MaybeUninit::<ufx_ref>::zeroed())) as *mut ufx_ref;
    unsafe {
        assert_eq!(ufx_ref_init(r, Some(release)), 0);
        ufx_ref_get(r);
        assert_eq!(ufx_ref_kill(r), 0);
        assert!(!ufx_ref_tryget_live(r));
        assert_eq!(RELEASED.load(Ordering::SeqCst), 0);
        ufx_ref_put(r);
    }
    assert_eq!(RELEASED.load(Ordering::SeqCst), 1);
    assert_eq!(unsafe { ufx_grace_synchronize() }, 0);
}
