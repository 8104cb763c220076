// SPDX-FileCopyrightText: 2026 The tempfile-glib authors
// SPDX-License-Identifier: LGPL-2.1-or-later

// The os package of Go.
package main

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"time"
)

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func number(argument string) int {
	n, err := strconv.Atoi(argument)
	check(err)
	return n
}

func repeat(n int, work func()) float64 {
	start := time.Now()
	for i := 0; i < n; i++ {
		work()
	}
	return float64(time.Since(start).Nanoseconds()) / float64(n)
}

func createTemp(dir string) {
	file, err := os.CreateTemp(dir, "tmp")
	check(err)
	check(os.Remove(file.Name()))
	check(file.Close())
}

func mkdirTemp(dir string) {
	path, err := os.MkdirTemp(dir, "tmp")
	check(err)
	check(os.RemoveAll(path))
}

func tree(dir string, shape string, n string) float64 {
	path, err := os.MkdirTemp(dir, "tmp")
	check(err)
	check(exec.Command(os.Getenv("MAKE_TREE"), "make-tree", path, shape, n).Run())
	return repeat(1, func() { check(os.RemoveAll(path)) })
}

func main() {
	var result float64

	arguments := os.Args[2:]
	switch os.Args[1] {
	case "named":
		result = repeat(number(arguments[0]), func() { createTemp(arguments[1]) })
	case "dir":
		result = repeat(number(arguments[0]), func() { mkdirTemp(arguments[1]) })
	case "tree":
		result = tree(arguments[0], arguments[1], arguments[2])
	default:
		panic("no such verb")
	}
	fmt.Printf("%.3f\n", result)
}
