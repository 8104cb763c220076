#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The tempfile-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Adds to what ts-for-gir generated what the override for GJS does with every function.

Usage: optional-arguments.py TF-1.D.TS
Arguments at the end may be left out, and a static asynchronous function without a callback returns a promise:
ts-for-gir 5.4 says so of methods alone, and TypeScript lets no other file add to the static side of a class.
"""

import pathlib
import re
import sys

FUNCTION = re.compile(r'^( *)(function |static )?(\["new"\]|(?!vfunc_)[a-z]\w*)\((\w+: .*)\): (.*);$', re.MULTILINE)
CALLBACK = re.compile(r'(.*), callback: Gio\.AsyncReadyCallback<(\w+)> \| null')
OVERRIDE = pathlib.Path(__file__).parents[1] / 'gjs/overrides/Tf.js'


def names_with_default():
    """Returns what is in getDefaults() of the override."""
    table = re.search(r'function getDefaults\(.*?return \{(.*?)\};', OVERRIDE.read_text(), re.DOTALL).group(1)
    return set(re.findall(r'(\w+): ', table))


def make_optional(parameters, names):
    parts = parameters.split(', ')
    for i in reversed(range(len(parts))):
        name, kind = parts[i].split(': ', 1)
        if name not in names:
            break
        parts[i] = f'{name}?: {kind}'
    return ', '.join(parts)


def rewrite(match, names):
    indent, kind, name, parameters, result = match.groups(default='')
    callback = CALLBACK.fullmatch(parameters)
    if kind == 'static ' and callback:
        promise = f'{indent}{kind}{name}({make_optional(callback[1], names)}): Promise<{callback[2]}>;\n'
        return promise + match.group()
    return f'{indent}{kind}{name}({make_optional(parameters, names)}): {result};'


path = pathlib.Path(sys.argv[1])
text, count = FUNCTION.subn(lambda match: rewrite(match, names_with_default()), path.read_text())
if count == 0:
    sys.exit(f'{path}: no functions')
path.write_text(text)
