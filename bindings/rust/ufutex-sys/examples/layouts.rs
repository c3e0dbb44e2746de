// SPDX-License-Identifier: MIT
//! Prints size and alignment of each structure, for a comparison with the headers.

use std::mem::{align_of, size_of};

macro_rules! layouts {
    ($($name:ident)*) => {
        $( println!("{} {} {}", stringify!($name), size_of::<ufutex_sys::$name>(),
                    align_of::<ufutex_sys::$name>()); )*
    };
}

fn main() {
    layouts! {
        ufx_capabilities ufx_waitv_entry ufx_allocator ufx_domain_options ufx_domain_stats
        ufx_deadline ufx_condition ufx_parker ufx_node ufx_seen ufx_taken ufx_waker ufx_mover
        ufx_word_op ufx_call ufx_counters ufx_counted ufx_ref ufx_object ufx_slot
    }
}
