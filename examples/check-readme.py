#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The tempfile-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Checks that a README example is part of a program, and runs the program.

Usage: check-readme.py README SOURCE [COMMAND...]
README's one code block in the language of SOURCE must stand in SOURCE as it is, but for the
indentation, and what COMMAND prints must be quoted in README.
"""

import pathlib
import re
import subprocess
import sys
import textwrap


def main():
    readme, source, *command = sys.argv[1:]
    readme = pathlib.Path(readme).read_text(encoding='utf-8')
    source = pathlib.Path(source)
    language = source.suffix[1:]

    blocks = re.findall(rf'^```{language}\n(.*?)^```$', readme, re.DOTALL | re.MULTILINE)
    assert len(blocks) == 1, f'{len(blocks)} blocks of {language} in README, expected one'
    lines = blocks[0].splitlines()
    program = source.read_text(encoding='utf-8').splitlines()
    stands_in_program = any(
        textwrap.dedent('\n'.join(program[i:i + len(lines)])) == '\n'.join(lines)
        for i in range(len(program)))
    assert stands_in_program, f'README and {source.name} differ'

    if command:
        result = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        assert result.returncode == 0, f'exit status {result.returncode}: {result.stderr}'
        assert result.stderr == '', f'wrote to stderr: {result.stderr}'
        output = result.stdout.strip()
        assert output and f'`{output}`' in readme, f'README does not quote {output!r}'


main()
