#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The tempfile-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Checks that each name that the manual tells for a symbol exists in Python, JavaScript and Vala, or what to use there.

Usage: check-names.py FOLDER_OF_NAMES GIR VAPI GJS
VAPI and GJS can be "", for none.
"""

import json
import re
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, sys.argv[1])

from names import NONE, OR, Name, read_names  # noqa: E402

JAVASCRIPT = '''
import Tf from 'gi://Tf?version=1';

const NAMES = %s;

function exists(name) {
    const parts = name.replace(/[(].*/, '').split('.').slice(1);
    const last = parts.pop();
    const owner = parts.reduce((object, part) => object[part], Tf);
    return last in owner || (owner.prototype && (last in owner.prototype));
}

for (const name of NAMES.filter(each => !exists(each)))
    print(`JavaScript has no ${name}`);
'''


def in_python(name):
    import gi
    gi.require_version('Tf', '1')
    from gi.repository import Tf

    parts = re.sub(r'\(.*', '', name).split('.')[1:]
    owner = Tf
    for part in parts:
        if not hasattr(owner, part):
            return False
        owner = getattr(owner, part)
    return True


def in_vala(name, vapi):
    is_constructor = name.startswith('new ')
    parts = re.sub(r'^new |(?:\.connect)? \(.*', '', name).split('.')[1:]
    if is_constructor:
        return f"public {'.'.join(parts)} (" in vapi
    if len(parts) == 1:
        return re.search(rf'\b{parts[0]}\b( \(| \{{|;| :| =)', vapi) is not None
    owner = re.search(rf'^\tpublic (?:class|enum) {parts[0]} .*?^\t\}}', vapi, re.DOTALL | re.MULTILINE)
    return owner is not None and re.search(rf'\b{parts[1]}\b( \(| \{{|,|\n)', owner.group()) is not None


def problems_of_gaps(names):
    """Where a language has no name for something, the manual says what to use."""
    for name in names:
        for key, text in name.of_languages().items():
            if text == NONE and key not in name.instead:
                yield f'nothing is said to be in the place of {name.c} in {key}'


def main():
    _, gir, vapi, gjs = sys.argv[1:]
    names = read_names(gir)
    gaps = list(problems_of_gaps(names))
    names += [Name(name.page, name.c, *(name.instead.get(key, NONE) for key in ('py', 'js', 'vala'))) for name in names]
    missing = [f'Python has no {each}' for name in names for each in name.python.split(OR)
               if each.startswith('Tf.') and not in_python(each)]
    if vapi:
        with open(vapi, encoding='utf-8') as file:
            text = file.read()
        missing += [f'Vala has no {name.vala}' for name in names
                    if 'Tf.' in name.vala and not in_vala(name.vala, text)]
    if gjs:
        wanted = [name.javascript for name in names if name.javascript.startswith('Tf.')]
        with tempfile.NamedTemporaryFile('w', suffix='.js') as script:
            script.write(JAVASCRIPT % json.dumps(wanted))
            script.flush()
            result = subprocess.run([gjs, '-m', script.name], capture_output=True, text=True, check=True)
        missing += result.stdout.splitlines()
    assert len(names) > 200, f'{len(names)} names'
    missing += gaps
    print('\n'.join(missing))
    sys.exit(1 if missing else 0)


main()
