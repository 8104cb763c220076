// SPDX-FileCopyrightText: 2026 The tempfile-glib authors
// SPDX-License-Identifier: LGPL-2.1-or-later

//! The tempfile crate of Rust.

use std::env;
use std::fs;
use std::hint::black_box;
use std::io::{Read, Seek, SeekFrom, Write};
use std::process::Command;
use std::time::Instant;

use tempfile::SpooledTempFile;

const PIECE: usize = 4096;
const FOREVER: usize = usize::MAX;

fn fill(file: &mut impl Write, size: usize, total: usize) {
    let data = vec![b'x'; size];
    for _ in 0..total / size {
        file.write_all(black_box(&data)).unwrap();
    }
}

fn drain(file: &mut impl Read, size: usize, total: usize) {
    let mut data = vec![0; size];
    for _ in 0..total / size {
        file.read_exact(black_box(&mut data)).unwrap();
    }
}

fn resident() -> f64 {
    let statm = fs::read_to_string("/proc/self/statm").unwrap();
    statm.split(' ').nth(1).unwrap().parse::<f64>().unwrap() * 4096.0
}

fn each(start: Instant, n: usize) -> f64 {
    start.elapsed().as_nanos() as f64 / n as f64
}

fn repeat(n: usize, mut work: impl FnMut()) -> f64 {
    let start = Instant::now();
    for _ in 0..n {
        work();
    }
    each(start, n)
}

fn tree(dir: &str, shape: &str, n: &str) -> f64 {
    let holder = tempfile::tempdir_in(dir).unwrap();
    let made = Command::new(env::var("MAKE_TREE").unwrap())
        .args(["make-tree", holder.path().to_str().unwrap(), shape, n])
        .status()
        .unwrap();
    assert!(made.success());
    let start = Instant::now();
    holder.close().unwrap();
    each(start, 1)
}

fn main() {
    let args: Vec<String> = env::args().skip(1).collect();
    let number = |i: usize| args[i].parse::<usize>().unwrap();

    let result = match args[0].as_str() {
        "fill-memory" => {
            let (size, file_size, n) = (number(1), number(2), number(3));
            let work = || fill(&mut SpooledTempFile::new(FOREVER), size, file_size);
            repeat(n, work) / (file_size / size) as f64
        }
        "grow-memory" => {
            let (size, total) = (number(1), number(2));
            let mut file = SpooledTempFile::new(FOREVER);
            let start = Instant::now();
            fill(&mut file, size, total);
            each(start, total / size)
        }
        "drain-memory" => {
            let (size, total) = (number(1), number(2));
            let mut file = SpooledTempFile::new(FOREVER);
            fill(&mut file, size, total);
            file.seek(SeekFrom::Start(0)).unwrap();
            let start = Instant::now();
            drain(&mut file, size, total);
            each(start, total / size)
        }
        "resident" => {
            let (size, n) = (number(1), number(2));
            let mut files = Vec::with_capacity(n);
            let before = resident();
            for _ in 0..n {
                let mut file = SpooledTempFile::new(FOREVER);
                fill(&mut file, PIECE, size);
                if size % PIECE > 0 {
                    fill(&mut file, size % PIECE, size % PIECE);
                }
                files.push(file);
            }
            (resident() - before) / n as f64
        }
        "unnamed" => repeat(number(1), || drop(tempfile::tempfile_in(&args[2]).unwrap())),
        "named" => repeat(number(1), || {
            tempfile::NamedTempFile::new_in(&args[2]).unwrap().close().unwrap()
        }),
        "dir" => repeat(number(1), || {
            tempfile::tempdir_in(&args[2]).unwrap().close().unwrap()
        }),
        "tree" => tree(&args[1], &args[2], &args[3]),
        verb => panic!("no such verb: {verb}"),
    };
    println!("{result:.3}");
}
