#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The tempfile-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Makes the manual for Vala: runs valadoc over the VAPI, with the comments of the GIR. A warning is an error.

Usage: build-valadoc.py VALADOC VAPI GIR VERSION OUTPUT

valadoc does not know the links of gi-docgen, nor the name of its format, nor arguments that an asynchronous method does
not have in Vala. What it reads is a copy of the GIR without them.
"""

import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET

CORE = '{http://www.gtk.org/introspection/core/1.0}'
C = '{http://www.gtk.org/introspection/c/1.0}'
DOC = '{http://www.gtk.org/introspection/doc/1.0}'
NOT_IN_VALA = {'callback', 'user_data', 'progress_data', 'destroy'}
LINK = re.compile(r'\[(\w+)@([\w.:-]+)\]')


def plain(text):
    """Links become code, and signs of other tools go."""
    text = LINK.sub(lambda match: f"`{re.split('::?', match.group(2))[-1]}`", text)
    text = re.sub(r'\bg_build_filenamev ?\(\)', 'g_build_filename()', text)
    text = re.sub(r'```(?:c|py|js)\n.*?```\n*', '', text, flags=re.DOTALL)
    text = re.sub(r'\[([^\]]*)\]\([\w.-]+\)', r'\1', text)
    return re.sub(r'[%#@](?=[A-Za-z])', '', text)


def simplify(tree):
    for element in tree.getroot().findall(f'{DOC}format'):
        tree.getroot().remove(element)
    for parent in tree.iter():
        if parent.tag == CORE + 'parameter' and parent.get('name') in NOT_IN_VALA:
            for doc in parent.findall(CORE + 'doc'):
                parent.remove(doc)
    for doc in tree.iter(CORE + 'doc'):
        doc.text = plain(doc.text)


def main():
    valadoc, vapi, gir, version, output = sys.argv[1:]
    ET.register_namespace('', CORE[1:-1])
    ET.register_namespace('c', C[1:-1])
    ET.register_namespace('glib', 'http://www.gtk.org/introspection/glib/1.0')
    tree = ET.parse(gir)
    simplify(tree)
    with tempfile.TemporaryDirectory() as folder:
        copy = pathlib.Path(folder, pathlib.Path(gir).name)
        tree.write(copy, encoding='utf-8', xml_declaration=True)
        result = subprocess.run(
            [valadoc, '--force', '--directory', f'{folder}/manual', '--package-name', pathlib.Path(vapi).stem,
             '--package-version', version, '--importdir', folder, '--import', copy.stem, '--pkg', 'gio-2.0', vapi],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors='replace')
        if result.returncode != 0 or re.search('(warning|error):', result.stdout, re.IGNORECASE):
            sys.exit(result.stdout)
        shutil.rmtree(output, ignore_errors=True)
        shutil.copytree(f'{folder}/manual', output)


main()
