# SPDX-FileCopyrightText: 2026 The tempfile-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Compiles what was installed to byte code: compile.py FOLDER SOURCE..."""

import os
import py_compile
import sys

folder, *sources = sys.argv[1:]
for source in sources:
    py_compile.compile(os.path.join(folder, os.path.basename(source)), doraise=True)
