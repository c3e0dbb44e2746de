// SPDX-License-Identifier: MIT
//! Finds libufutex: in the directory UFUTEX_LIB_DIR, or by pkg-config.
//! UFUTEX_STATIC=1: its archive (in that directory).

use std::env;
use std::process::{exit, Command};

fn fail(why: &str) -> ! {
    eprintln!("ufutex-sys: {}; set UFUTEX_LIB_DIR to libufutex's directory", why);
    exit(1);
}

/// What follows -L and -l in the answer of pkg-config.
fn pkg_config() {
    let program = env::var("PKG_CONFIG").unwrap_or_else(|_| "pkg-config".into());
    let out = match Command::new(&program).args(["--libs", "ufutex"]).output() {
        Ok(out) => out,
        Err(e) => fail(&format!("{}: {}", program, e)),
    };
    if !out.status.success() {
        fail(String::from_utf8_lossy(&out.stderr).trim());
    }
    for word in String::from_utf8_lossy(&out.stdout).split_whitespace() {
        if let Some(directory) = word.strip_prefix("-L") {
            println!("cargo:rustc-link-search=native={}", directory);
        } else if let Some(library) = word.strip_prefix("-l") {
            println!("cargo:rustc-link-lib={}", library);
        }
    }
}

fn main() {
    for name in ["UFUTEX_LIB_DIR", "UFUTEX_STATIC", "PKG_CONFIG_PATH"] {
        println!("cargo:rerun-if-env-changed={}", name);
    }
    match env::var("UFUTEX_LIB_DIR") {
        Ok(directory) => {
            let kind = match env::var("UFUTEX_STATIC").as_deref() {
                Ok("1") => "static",
                _ => "dylib",
            };
            println!("cargo:rustc-link-search=native={}", directory);
            println!("cargo:rustc-link-lib={}=ufutex", kind);
        }
        Err(_) => pkg_config(),
    }
}
