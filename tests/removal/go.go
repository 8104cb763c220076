// SPDX-FileCopyrightText: 2026 The tempfile-glib authors
// SPDX-License-Identifier: LGPL-2.1-or-later

// One of the candidates of compare.py, which says what the commands mean.
package main

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
)

func replyResult(err error) {
	if err == nil {
		fmt.Println("ok")
	} else {
		fmt.Println("error", err)
	}
}

func churn(n int) error {
	for i := 0; i < n; i++ {
		dir, err := os.MkdirTemp("", "")
		if err == nil {
			err = os.RemoveAll(dir)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func main() {
	var dir string
	var err error

	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		words := strings.Fields(lines.Text())

		switch words[0] {
		case "version":
			fmt.Println("Go " + strings.TrimPrefix(runtime.Version(), "go"))
		case "create":
			dir, err = os.MkdirTemp("", "")
			if err == nil {
				fmt.Println(dir)
			} else {
				replyResult(err)
			}
		case "remove":
			replyResult(os.RemoveAll(dir))
		case "churn":
			n, _ := strconv.Atoi(words[1])
			replyResult(churn(n))
		default:
			fmt.Println("not offered")
		}
	}
}
