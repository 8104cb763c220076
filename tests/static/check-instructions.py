#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The tempfile-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Compares the instructions of a call with those in a file, so that a loss of speed is seen without a clock.

check-instructions.py [--update] FILE CONFIGURATION PROGRAM
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile

# As in instructions.c
CALLS = 10000
CREATIONS = 1000
SLACK = 0.05
SKIP = 77


def count(program):
    """Instructions of a call, what it calls included, by the name of the counting function."""
    # The length of a path counts, and that of the build folder is anything.
    with tempfile.NamedTemporaryFile() as out, tempfile.TemporaryDirectory(dir='/var/tmp') as temp_dir:
        subprocess.run(['valgrind', '--quiet', '--tool=callgrind', f'--callgrind-out-file={out.name}', program],
                       check=True, stderr=subprocess.DEVNULL,
                       env={**os.environ, 'MALLOC_PERTURB_': '0', 'TMPDIR': temp_dir})
        report = subprocess.run(['callgrind_annotate', '--inclusive=yes', '--threshold=100', out.name],
                                check=True, capture_output=True, text=True).stdout
    found = re.findall(r'^\s*([\d,]+) .*:count_(create_)?(\w+?)(?:\'2)? \[', report, re.MULTILINE)
    return {name: round(int(number.replace(',', '')) / (CREATIONS if creates else CALLS))
            for number, creates, name in found}


def read(path):
    """The counts of FILE: configuration → name → instructions."""
    known = {}
    with open(path, encoding='utf-8') as lines:
        for line in lines:
            if not line.startswith('#'):
                configuration, name, number = line.strip().split('; ')
                known.setdefault(configuration, {})[name] = int(number)
    return known


def write(path, known):
    with open(path, encoding='utf-8') as lines:
        head = [line for line in lines if line.startswith('#')]
    with open(path, 'w', encoding='utf-8') as lines:
        lines.writelines(head)
        for configuration in sorted(known):
            for name in sorted(known[configuration]):
                lines.write(f'{configuration}; {name}; {known[configuration][name]}\n')


def main():
    arguments = sys.argv[1:]
    update = arguments[0] == '--update'
    path, configuration, program = arguments[1:] if update else arguments
    known = read(path)

    if not shutil.which('valgrind') or not shutil.which('callgrind_annotate'):
        print('skipped: no valgrind')
        return SKIP
    if configuration not in known and not update:
        print(f'skipped: {path} has no counts of {configuration}')
        return SKIP

    counts = count(program)
    if update:
        write(path, {**known, configuration: counts})
        return 0

    too_many = 0
    for name, before in known[configuration].items():
        verdict = 'ok'
        if counts[name] > before * (1 + SLACK):
            verdict = 'MORE'
            too_many += 1
        elif counts[name] < before * (1 - SLACK):
            verdict = 'fewer: write them down with --update'
        print(f'{name}: {counts[name]} instructions, {before} before: {verdict}')
    return 1 if too_many else 0


sys.exit(main())
