// SPDX-FileCopyrightText: 2026 The tempfile-glib authors
// SPDX-License-Identifier: LGPL-2.1-or-later

//! One of the candidates of compare.py, which says what the commands mean.

use std::io::{self, BufRead, Write};
use tempfile::TempDir;

extern "C" {
    fn fork() -> i32;
    fn waitpid(pid: i32, status: *mut i32, options: i32) -> i32;
    fn _exit(status: i32) -> !;
}

fn reply(line: &str) {
    println!("{}", line);
    io::stdout().flush().unwrap();
}

fn reply_result(result: io::Result<()>) {
    match result {
        Ok(()) => reply("ok"),
        Err(error) => reply(&format!("error {}", error)),
    }
}

fn wait_for_child(pid: i32) {
    unsafe { waitpid(pid, std::ptr::null_mut(), 0) };
    reply("done");
}

fn churn(n: u32) -> io::Result<()> {
    for _ in 0..n {
        drop(tempfile::tempdir()?);
    }
    Ok(())
}

fn main() {
    let mut dir: Option<TempDir> = None;

    for line in io::stdin().lock().lines() {
        let line = line.unwrap();

        match line.as_str() {
            "version" => reply("Rust's tempfile CRATE_VERSION"),
            "create" => {
                dir = Some(tempfile::tempdir().unwrap());
                reply(dir.as_ref().unwrap().path().to_str().unwrap());
            }
            // TempDir::close() takes the object: what failed cannot be tried again with it.
            "remove" => match dir.take() {
                Some(dir) => reply_result(dir.close()),
                None => reply("not offered"),
            },
            "fork-exit" => match unsafe { fork() } {
                // The end of main(), at which what is alive is dropped.
                0 => return,
                pid => wait_for_child(pid),
            },
            "fork-remove" => match unsafe { fork() } {
                0 => {
                    reply_result(dir.take().unwrap().close());
                    unsafe { _exit(0) };
                }
                pid => wait_for_child(pid),
            },
            other => match other.strip_prefix("churn ") {
                Some(n) => reply_result(churn(n.parse().unwrap())),
                None => reply("not offered"),
            },
        }
    }
}
