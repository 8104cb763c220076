#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The tempfile-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Removes the same difficult directories with tempfile-glib and with others, and says how each fares.

Usage: tests/removal/compare.py [OPTION...] [CASE...]

Without --tempfile-glib it takes the program that was built last in a folder in _build/. Rust is there
if cargo and Debian's librust-tempfile-dev are, Go if go is. Everything happens in a directory of its own in
$TMPDIR, mounts in a mount namespace of their own; nothing is left behind.

The exit status is 1 if tempfile-glib is not safe in a case, and 77 if it is in all that could be run.

A candidate is a program that obeys commands, a line each, and answers each with a line:
  version             its name and version
  create              makes a temporary directory, and answers with the path
  remove              removes it: "ok", or "error" and the reason
  remove-cancellable  the same; cancels it at the next line of input, and answers that with "cancelled"
  fork-exit           forks a child that ends as programs in that language do: "done"
  fork-remove         forks a child that does what "remove" does, answer included: then "done"
  handle-signals      asks to be cleaned up after on signals: "ok"
  sweep               removes what killed processes left: "ok"
  churn N             makes and drops N directories: "ok"
What it does not have it answers with "not offered".
"""

import argparse
import json
import os
import select
import signal
import sys
import tempfile
from pathlib import Path

sys.dont_write_bytecode = True

from candidates import ask_version, find_candidates  # noqa: E402
from cases import CASES, Scene  # noqa: E402
from page import write_markdown  # noqa: E402
from peer import FAILS, NOT_RUN, SAFE, Verdict  # noqa: E402
from stop import Unavailable, libc  # noqa: E402
from trees import empty  # noqa: E402

SECONDS_PER_CASE = 600
PR_SET_CHILD_SUBREAPER = 36


def play(case, candidate, sandbox):
    """Runs one case in a process of its own. Returns its verdict."""
    sandbox.mkdir()
    read_fd, write_fd = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.setpgid(0, 0)
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            verdict = run_case(case, candidate, sandbox)
            os.write(write_fd, json.dumps([verdict.word, verdict.reason]).encode())
        finally:
            os._exit(0)
    os.close(write_fd)
    try:
        ready, _, _ = select.select([read_fd], [], [], SECONDS_PER_CASE)
        result = os.read(read_fd, 65536) if ready else b''
    finally:
        os.close(read_fd)
        end_group(pid)
        empty(sandbox)
        sandbox.rmdir()
    return Verdict(*json.loads(result)) if result else Verdict(FAILS, 'does not end')


def run_case(case, candidate, sandbox):
    scene = Scene(candidate, sandbox)
    try:
        case(scene)
        return Verdict(SAFE)
    except Verdict as verdict:
        return verdict
    except Unavailable as unavailable:
        return Verdict(NOT_RUN, str(unavailable))
    except Exception as error:
        return Verdict(FAILS, f'{type(error).__name__}: {error}')
    finally:
        for peer in scene.peers:
            peer.kill()


def end_group(pid):
    """Ends the process and what it started, and waits until they are gone, for they may be in the tree."""
    try:
        os.setpgid(pid, pid)
    except OSError:
        pass
    try:
        while True:
            os.killpg(pid, signal.SIGKILL)
            os.waitpid(-pid, 0)
    except (ProcessLookupError, ChildProcessError):
        pass


def compare(options, folder):
    candidates = list(find_candidates(options, folder))
    for candidate in candidates:
        ask_version(candidate, folder)
    verdicts = {}
    for case, title, _ in CASES:
        if options.cases and case.__name__ not in options.cases:
            continue
        verdicts[case] = []
        print(f'{title} ({case.__name__}):')
        for candidate in candidates:
            verdict = play(case, candidate, folder / 'scene')
            verdicts[case].append(verdict)
            seen = f' ({verdict.reason})' if verdict.reason else ''
            print(f'  {candidate.name}: {verdict.word}{seen}', flush=True)
    if options.markdown:
        write_markdown(options.markdown, candidates, verdicts, folder)
    return [row[0].word for row in verdicts.values()]


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--markdown', metavar='FILE', help='write a page with the table')
    parser.add_argument('--tempfile-glib', metavar='PROGRAM', type=os.path.abspath, help='our candidate')
    parser.add_argument('--python', metavar='PROGRAM', action='append',
                        help='a Python to compare with; can be repeated')
    parser.add_argument('--alone', action='store_true', help='only tempfile-glib')
    parser.add_argument('--need-root', action='store_true', help='do nothing if this is not root')
    parser.add_argument('cases', nargs='*', metavar='CASE',
                        help='one of ' + ', '.join(case.__name__ for case, *_ in CASES))
    return parser.parse_args()


def main():
    options = parse_options()
    if options.need_root and os.geteuid() != 0:
        print('skipped: mounts need root')
        sys.exit(77)
    # What a case leaves running when it is ended becomes a child of this process, which waits for it.
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    folder = Path(tempfile.mkdtemp(prefix='compare-removal-')).resolve()
    try:
        words = compare(options, folder)
    finally:
        empty(folder)
        folder.rmdir()
    if any(word not in (SAFE, NOT_RUN) for word in words):
        sys.exit(1)
    if NOT_RUN in words:
        sys.exit(77)


main()
