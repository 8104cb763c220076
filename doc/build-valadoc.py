#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The tempfile-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Makes the manual for Vala: runs valadoc over the VAPI, with the comments of the GIR. A warning is an error.

Usage: build-valadoc.py VALADOC VAPI GIR VERSION OUTPUT

valadoc does not know the links of gi-docgen, nor the name of its format, nor arguments that an asynchronous method does
not have in Vala. What it reads is a copy of the GIR without them, with links that it knows, and the names of Vala. Nor
does it know backticks, which are made code in what it writes.
"""

import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET

from names import NONE, read_names

CORE = '{http://www.gtk.org/introspection/core/1.0}'
C = '{http://www.gtk.org/introspection/c/1.0}'
DOC = '{http://www.gtk.org/introspection/doc/1.0}'
NOT_IN_VALA = {'callback', 'user_data', 'progress_data', 'destroy'}
LINK = re.compile(r'\[(\w+)@([\w.:-]+)\]')

# What GLib's constants are called
CONSTANTS = {'G_IO_ERROR': 'IOError', 'G_MAXSIZE': 'size_t.MAX', 'G_MAXSSIZE': 'ssize_t.MAX'}
PREFIXES = {'G_IO_ERROR_': 'IOError.', 'G_SEEK_': 'SeekType.', 'G_OUTPUT_STREAM_SPLICE_': 'OutputStreamSpliceFlags.'}
# Names of C outside of what valadoc writes itself
LEFT = re.compile(r'\b(?:tf_\w+_finish|g_\w+) ?\(\)|%\w+|\bG_[A-Z]\w+|\[\s*\w+@[^]]*\]')
CONSTANT = re.compile(r'%(\w+)')
CODE = re.compile(r'`([^`<>]+)`')
# A dot in code, which does not end the sentence
DOT = '\ue000'


def link_of(match, by_page):
    """A link that valadoc follows, or code for what is not in the library or not in Vala."""
    kind, target = match.groups()
    target = re.sub('^(?:Tf|Gio|GLib|GObject)[.]', '', target)
    kinds = [kind, 'type_func', 'func'] if kind in ('func', 'method') else [kind]
    found = [by_page[page] for page in (f"{each}.{re.sub('::?', '.', target)}.html" for each in kinds) if page in by_page]
    if not found:
        return f"`{re.sub('::?', '.', target)}`"
    if found[0].c.endswith('_finish()'):
        return f"`{target.removesuffix('_finish')}_async.end`"
    if found[0].vala == NONE or kind in ('property', 'signal'):
        return f"`{found[0].instead.get('vala', found[0].c) if found[0].vala == NONE else found[0].vala}`"
    return found[0].c if found[0].c.endswith('()') else f'#{found[0].c}'


def constant_of(match, by_c):
    """A constant as Vala has it."""
    text = match.group(1)
    if text in by_c:
        return f'`{by_c[text].vala}`'
    for prefix, name in PREFIXES.items():
        if text.startswith(prefix):
            return f'`{name}{text.removeprefix(prefix)}`'
    return f'`{CONSTANTS.get(text) or text.lower()}`'


def plain(text, names):
    """Turns what gi-docgen reads into what valadoc reads."""
    by_page = {}
    for name in names:
        by_page.setdefault(name.page, name)
    by_c = {name.c: name for name in names}
    text = re.sub(r'```(?:c|py|js)\n.*?```\n*', '', text, flags=re.DOTALL)
    text = re.sub(r'```vala\n(.*?)```', r'|[<!-- language="vala" -->\n\1]|', text, flags=re.DOTALL)
    text = LINK.sub(lambda match: link_of(match, by_page), text)
    text = CONSTANT.sub(lambda match: constant_of(match, by_c), text)
    text = re.sub(r'\bg_build_filenamev ?\(\)', 'Path.build_filename()', text)
    text = re.sub(r'\bg_unix_signal_add ?\(\)', 'Unix.signal_add()', text)
    text = re.sub(r'\[([^\]]*)\]\([\w.-]+\)', r'\1', text)
    return CODE.sub(lambda match: match.group().replace('.', DOT), text)


def simplify(tree, names):
    for element in tree.getroot().findall(f'{DOC}format'):
        tree.getroot().remove(element)
    for parent in tree.iter():
        if parent.tag == CORE + 'parameter' and parent.get('name') in NOT_IN_VALA:
            for doc in parent.findall(CORE + 'doc'):
                parent.remove(doc)
    for tag in 'doc', 'doc-deprecated':
        for doc in tree.iter(CORE + tag):
            doc.text = plain(doc.text, names)


def main():
    valadoc, vapi, gir, version, output = sys.argv[1:]
    ET.register_namespace('', CORE[1:-1])
    ET.register_namespace('c', C[1:-1])
    ET.register_namespace('glib', 'http://www.gtk.org/introspection/glib/1.0')
    tree = ET.parse(gir)
    simplify(tree, read_names(gir))
    with tempfile.TemporaryDirectory() as folder:
        copy = pathlib.Path(folder, pathlib.Path(gir).name)
        tree.write(copy, encoding='utf-8', xml_declaration=True)
        result = subprocess.run(
            [valadoc, '--force', '--directory', f'{folder}/manual', '--package-name', pathlib.Path(vapi).stem,
             '--package-version', version, '--importdir', folder, '--import', copy.stem, '--pkg', 'gio-2.0', vapi],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors='replace')
        if result.returncode != 0 or re.search('(warning|error):', result.stdout, re.IGNORECASE):
            sys.exit(result.stdout)
        for page in pathlib.Path(folder, 'manual').rglob('*.html'):
            text = CODE.sub(r'<code>\1</code>', page.read_text(encoding='utf-8'))
            if '`' in text:
                sys.exit(f'{page}: a backtick')
            left = LEFT.search(re.sub('<[^>]*>', '', text))
            if left:
                sys.exit(f'{page}: {left.group()}')
            page.write_text(text.replace(DOT, '.'), encoding='utf-8')
        shutil.rmtree(output, ignore_errors=True)
        shutil.copytree(f'{folder}/manual', output)


main()
