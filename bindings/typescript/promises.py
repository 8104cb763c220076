#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The tempfile-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Adds to what ts-for-gir generated that create_async() without a callback returns a promise.

Usage: promises.py TF-1.D.TS
ts-for-gir 5.4 says so of methods alone, and TypeScript lets no other file add to the static side of a class.
"""

import pathlib
import re
import sys

CREATE = re.compile(
    r'^( *static create_async)\((.*), callback: Gio\.AsyncReadyCallback<(\w+)> \| null\): void;$', re.MULTILINE)

path = pathlib.Path(sys.argv[1])
text, count = CREATE.subn(r'\1(\2): Promise<\3>;\n\g<0>', path.read_text())
if count == 0:
    sys.exit(f'{path}: no create_async() with a callback')
path.write_text(text)
