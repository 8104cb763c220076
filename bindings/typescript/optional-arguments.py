#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The tempfile-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Adds to what ts-for-gir generated what the override for GJS does with every function.

Usage: optional-arguments.py TF-1.D.TS
Arguments at the end may be left out, also before a callback, or given as options, and a static asynchronous function without a callback
returns a promise: ts-for-gir 5.4 says so of methods alone, and TypeScript lets no other file add to the static side of
a class. What GIR does not tell of properties, of the path of an audit function and of what persist() and sweep() return is told
as well.
"""

import pathlib
import re
import sys

FUNCTION = re.compile(r'^( *)(function |static )?(\["new"\]|(?!vfunc_)[a-z]\w*)\((\w+: .*)\): (.*);$', re.MULTILINE)
CALLBACK = re.compile(r'(.*), (callback: Gio\.AsyncReadyCallback<(.*)>) \| null')
REPLACEMENTS = [
    (re.compile(r'\b((?:get )?(?:prefix|suffix|dir)(?:\(\))?: string);'), r'\1 | null;'),
    (re.compile(r'(\bpersist(?:_finish)?\(.*\): )\[boolean, Gio\.File \| null\]'), r'\1Gio.File'),
    (re.compile(r'(\bpersist_async\(.*\): globalThis\.Promise<Gio\.File) \| null'), r'\1'),
    (re.compile(r'(\bsweep(?:_finish)?\(.*\): )\[boolean, number\]'), r'\1number'),
    (re.compile(r'(\bsweep_async\(.*\): globalThis\.Promise<)\[number\]'), r'\1number'),
    (re.compile(r'(interface AuditFunc \{\s*\(event: string, path: )Uint8Array'), r'\1string'),
]
HERE = pathlib.Path(__file__).resolve()
# In the source tree, and installed
OVERRIDES = [HERE.parents[1] / 'gjs/overrides/Tf.js', HERE.parents[2] / 'gjs-1.0/overrides/Tf.js']


def names_with_default():
    """Returns what is in getDefaults() of the override."""
    override = next(path for path in OVERRIDES if path.exists())
    table = re.search(r'function getDefaults\(.*?return \{(.*?)\};', override.read_text(), re.DOTALL).group(1)
    return set(re.findall(r'(\w+): ', table))


def required(parts, names):
    """Returns the number of parameters before those at the end that have a default."""
    return max((i + 1 for i, part in enumerate(parts) if part.split(': ')[0] not in names), default=0)


def make_optional(parts, names):
    first = required(parts, names)
    return ', '.join(parts[:first] + [part.replace(': ', '?: ', 1) for part in parts[first:]])


def option_of(part):
    """Returns a parameter as one of the options that the override takes instead."""
    name, kind = part.split(': ', 1)
    if name == 'progress_callback':
        name = 'onProgress'
    return f"{re.sub('_(.)', lambda match: match[1].upper(), name)}?: {kind}"


def signatures(name, parts, result, names):
    """Returns those with optional arguments, and with options in their place."""
    first = required(parts, names)
    lines = [f'{name}({make_optional(parts, names)}): {result};']
    if first < len(parts):
        options = f'options: {{{"; ".join(map(option_of, parts[first:]))}}}'
        lines.append(f'{name}({", ".join([*parts[:first], options])}): {result};')
    return lines


def rewrite(match, names):
    indent, kind, name, parameters, result = match.groups(default='')
    callback = CALLBACK.fullmatch(parameters)
    if callback is None or result != 'void':
        lines = signatures(name, parameters.split(', '), result, names)
        return '\n'.join(f'{indent}{kind}{line}' for line in lines)

    parts = callback[1].split(', ')
    lines = [f'{name}({", ".join([*parts[:i], callback[2]])}): void;' for i in range(required(parts, names), len(parts))]
    if kind == 'static ':
        lines[:0] = signatures(name, parts, f'Promise<{callback[3]}>', names)
    return ''.join(f'{indent}{kind}{line}\n' for line in lines) + match.group()


path = pathlib.Path(sys.argv[1])
text, count = FUNCTION.subn(lambda match: rewrite(match, names_with_default()), path.read_text())
if count == 0:
    sys.exit(f'{path}: no functions')
for pattern, replacement in REPLACEMENTS:
    text, count = pattern.subn(replacement, text)
    if count == 0:
        sys.exit(f'{path}: nothing like {pattern.pattern}')
path.write_text(text)
