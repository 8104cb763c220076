#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The tempfile-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Checks what the compiler says of functions that are too new or deprecated, with the header of a made-up 1.2.

Usage: check-versions.py COMPILER_FLAGS TF-VERSION.H -- COMPILER...
COMPILER_FLAGS are separated by semicolons. COMPILER compiles C, or C++ when its name has "++" in it.
"""

import pathlib
import re
import subprocess
import sys
import tempfile

FUNCTIONS = '''
#define TEMPFILE_GLIB_INSIDE
#include "tf-version.h"
#undef TEMPFILE_GLIB_INSIDE

G_BEGIN_DECLS
TF_AVAILABLE_IN_1_0
void first (void);
TF_AVAILABLE_IN_1_2
void second (void);
TF_DEPRECATED_IN_1_0
void outdated (void);
TF_DEPRECATED_IN_1_2_FOR (second)
void replaced (void);
G_END_DECLS

#if TEMPFILE_GLIB_VERSION_CUR_STABLE != TEMPFILE_GLIB_VERSION_1_2
# error "The current version is another one."
#endif
'''

TOO_NEW = 'Not available before 1.2'
OUTDATED = "outdated.* is deprecated"
REPLACED = "replaced.* is deprecated.*Use 'second' instead"

# What is defined before the header is included, what is called, what the compiler has to say
CASES = [
    ({}, 'first', None),
    ({}, 'second', None),
    ({}, 'outdated', OUTDATED),
    ({}, 'replaced', REPLACED),
    ({'MIN_REQUIRED': '1_0'}, 'second', None),
    ({'MIN_REQUIRED': '1_0'}, 'outdated', OUTDATED),
    ({'MIN_REQUIRED': '1_0'}, 'replaced', None),
    ({'MIN_REQUIRED': '1_2'}, 'replaced', REPLACED),
    ({'MIN_REQUIRED': '1_0', 'MAX_ALLOWED': '1_0'}, 'first', None),
    ({'MIN_REQUIRED': '1_0', 'MAX_ALLOWED': '1_0'}, 'second', TOO_NEW),
    ({'MIN_REQUIRED': '1_0', 'MAX_ALLOWED': '1_2'}, 'second', None),
    # Of a version that the header does not know, all that it knows may be used.
    ({'MAX_ALLOWED': '1_4'}, 'second', None),
    ({'MIN_REQUIRED': '1_0', 'MAX_ALLOWED': '1_0', 'DISABLE': True}, 'second', None),
    ({'DISABLE': True}, 'outdated', None),
    ({'DISABLE': True}, 'replaced', None),
    ({'MIN_REQUIRED': '1_4'}, 'first', 'MIN_REQUIRED must be <= TEMPFILE_GLIB_VERSION_CUR_STABLE'),
    ({'MAX_ALLOWED': '1_0'}, 'first', 'MAX_ALLOWED must be >= TEMPFILE_GLIB_VERSION_MIN_REQUIRED'),
    ({'MIN_REQUIRED': '1_2', 'MAX_ALLOWED': '1_0'}, 'first', 'MAX_ALLOWED must be >= TEMPFILE_GLIB_VERSION_MIN_REQUIRED'),
    ({'MIN_REQUIRED': 'G_ENCODE_VERSION (0, 8)'}, 'first', 'MIN_REQUIRED must be >= TEMPFILE_GLIB_VERSION_1_0'),
]


def add_version(header):
    """The header as it is when 1.2 comes: with each paragraph of 1.0 once more."""
    paragraphs = []
    added = 0
    for paragraph in header.split('\n\n'):
        paragraphs.append(paragraph)
        if re.search(r'# ?define \w+_1_0\b', paragraph):
            paragraphs.append(paragraph.replace('1_0', '1_2').replace('(1, 0)', '(1, 2)'))
            added += 1
    assert added == 3, f'{added} paragraphs define macros of 1.0'
    header, n_minors = re.subn(r'(define TEMPFILE_GLIB_MINOR_VERSION) .*', r'\1 (2)', '\n\n'.join(paragraphs))
    assert n_minors == 1, n_minors
    return header


def define(name, value):
    if name == 'DISABLE':
        return '#define TEMPFILE_GLIB_DISABLE_DEPRECATION_WARNINGS\n'
    if value[0].isdigit():
        value = f'TEMPFILE_GLIB_VERSION_{value}'
    return f'#define TEMPFILE_GLIB_VERSION_{name} {value}\n'


def complaint_of(compiler, source):
    result = subprocess.run([*compiler, '-fsyntax-only', '-Wall', '-Wextra', '-Werror', '-Wfatal-errors', '-'],
                            input=source, capture_output=True, text=True)
    return result.stderr if result.returncode != 0 else None


def check(compiler, source, expected, what):
    complaint = complaint_of(compiler, source)
    if expected is None:
        assert complaint is None, f'{what}: {complaint}'
    else:
        assert complaint is not None, f'{what}: accepted, without "{expected}"'
        assert re.search(expected, complaint.translate({0x2018: "'", 0x2019: "'"})), f'{what}: {complaint}'


def main():
    flags, header, _, *compiler = sys.argv[1:]
    compiler += ['-x', 'c++' if any('++' in word for word in compiler) else 'c']

    with tempfile.TemporaryDirectory() as folder:
        pathlib.Path(folder, 'tf-version.h').write_text(
            add_version(pathlib.Path(header).read_text(encoding='utf-8')), encoding='utf-8')
        for defined, called, expected in CASES:
            source = (''.join(define(*item) for item in defined.items()) + FUNCTIONS +
                      f'void call (void);\nvoid call (void) {{ {called} (); }}\n')
            check([*compiler, f'-I{folder}', *flags.split(';')], source, expected, f'{called} with {defined}')

    # The header as it is
    source = '#include <tempfile-glib.h>\nchar *call (void);\nchar *call (void) { return tf_mktemp (0, 0, 0, 0); }\n'
    check([*compiler, *flags.split(';')], source, "tf_mktemp.* is deprecated.*Use 'tf_mkstemp' instead", 'tf_mktemp()')
    check([*compiler, *flags.split(';')], define('DISABLE', True) + source, None, 'tf_mktemp()')


main()
