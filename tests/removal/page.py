# SPDX-FileCopyrightText: 2026 The tempfile-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""The page with the table of compare.py."""

import datetime
import os
import platform
import subprocess
from pathlib import Path

from cases import CASES
from peer import NOT_OFFERED, NOT_RUN, SAFE


def file_system_of(path):
    result = subprocess.run(['stat', '-f', '-c', '%T', str(path)], stdout=subprocess.PIPE, text=True)
    return {'ext2/ext3': 'ext4'}.get(result.stdout.strip(), result.stdout.strip())


TEXT = """Title: Removal compared
Slug: removal
Group: Behaviour
Summary: Difficult directories here and elsewhere, tested

<!--
SPDX-FileCopyrightText: 2026 The tempfile-glib authors
SPDX-License-Identifier: LGPL-2.1-or-later
-->

# Removal compared

What becomes of difficult directories, in tempfile-glib and elsewhere.

{table}

**safe**: what the case asks for, see below. **loses data**: something was erased that was not the remover's
to erase. **touches outside**: something outside of the directory was changed. **fails**: neither, but the
directory is not gone, or the candidate broke. **not offered**: there is no such thing to test.

## Who was tested

{versions}

All as they come, in their default settings, apart from what a case says. What `rm` removes was made by
`mkdtemp()`; Python's is `tempfile.TemporaryDirectory`, Rust's the crate `tempfile` as Debian has it, Go's
`os.MkdirTemp` and `os.RemoveAll`. `rm` and Go have no object that stands for a directory, so that
there is nothing that could react to the end of a process. What a distribution ships may carry corrections of
later versions.

## What was asked, and what was seen

{cases}

## How the table was made

By `tests/removal/compare.py` on {date}, on Linux {kernel}, {file_system}, as {user}. It runs each candidate in each
case in a directory of its own, looks at what is there afterwards, and writes this page with
`--markdown`; nothing in it is written by hand. Races are not raced: the candidate is stopped by
seccomp(2) at the system call in question, what an attacker might do is done, and it goes on. Mounts are made in a
mount namespace of their own. What cannot be had on a machine is left out, and said to be. The column of
tempfile-glib is also a test, in the suite `root`.
"""


def write_markdown(path, candidates, verdicts, folder):
    def cell(verdict):
        return verdict.word if verdict.word in (SAFE, NOT_OFFERED, NOT_RUN) else f'**{verdict.word}**'

    names = [candidate.name for candidate in candidates]
    rows = ['| | ' + ' | '.join(f'`{name}`' if name.startswith('rm') else name for name in names) + ' |',
            '|---' * (len(names) + 1) + '|']
    cases = []
    for case, title, text in CASES:
        row = verdicts.get(case)
        if row is None:
            continue
        rows.append('| ' + ' | '.join([title, *(cell(verdict) for verdict in row)]) + ' |')
        seen = [f'- {name}: {verdict.word}: {verdict.reason}' for name, verdict in zip(names, row) if verdict.reason]
        cases.append('\n'.join([f'### {title[0].upper()}{title[1:]}', '', text, *([''] if seen else []), *seen]))
    Path(path).write_text(TEXT.format(
        table='\n'.join(rows),
        versions='\n'.join(f'- {candidate.version}' for candidate in unique_versions(candidates)),
        cases='\n\n'.join(cases),
        date=datetime.date.today().isoformat(),
        kernel='.'.join(platform.release().split('.')[:2]),
        file_system=file_system_of(folder),
        user='root' if os.geteuid() == 0 else 'an ordinary user'))


def unique_versions(candidates):
    return {candidate.version: candidate for candidate in candidates}.values()
