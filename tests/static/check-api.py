#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The tempfile-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Checks what every public function, property, signal and type has to have: twins, documentation, annotations.

Usage: check-api.py GIR HEADER...
"""

import pathlib
import re
import sys
from xml.etree import ElementTree

CORE = '{http://www.gtk.org/introspection/core/1.0}'
C = '{http://www.gtk.org/introspection/c/1.0}'
GLIB = '{http://www.gtk.org/introspection/glib/1.0}'

# Take a cancellable and have no asynchronous twin of their name
WITHOUT_TWIN = {
    'tf_temp_file_read': 'fills memory of the caller: tf_temp_file_read_bytes_async() is its twin',
    'tf_temp_file_write': 'reads memory of the caller: tf_temp_file_write_bytes_async() is its twin',
}

# Strings that are text. All others are file names, in whatever encoding.
TEXT = {
    'TfAuditFunc': {'event'},
    'TfTextStream:encoding': {''},
    'tf_text_stream_get_encoding': {'return'},
    'tf_text_stream_new': {'encoding'},
    'tf_text_stream_read': {'return'},
    'tf_text_stream_read_all': {'return'},
    'tf_text_stream_read_all_finish': {'return'},
    'tf_text_stream_read_finish': {'return'},
    'tf_text_stream_read_line': {'return'},
    'tf_text_stream_read_line_finish': {'return'},
}

DESCRIPTORS = re.compile(r'(^|_)(fd|seal|mkstemp)(_finish)?$')


class Function:
    def __init__(self, element):
        self.name = element.get(f'{C}identifier')
        self.doc = text_of(element)
        self.parameters = element.findall(f'{CORE}parameters/{CORE}parameter')
        self.types = {type_of(parameter) for parameter in self.parameters}
        result = element.find(f'{CORE}return-value')
        self.returned = type_of(result)
        self.returns_owned = result.get('transfer-ownership') == 'full'

    @property
    def is_async(self):
        return 'Gio.AsyncReadyCallback' in self.types

    @property
    def is_finish(self):
        return 'Gio.AsyncResult' in self.types and self.name.endswith('_finish')

    @property
    def twin(self):
        return re.sub(r'_new(_|$)', r'_create\1', self.name)


def text_of(element):
    doc = element.find(f'{CORE}doc')
    return '' if doc is None else doc.text


def type_of(element):
    found = element.find(f'{CORE}type')
    return None if found is None else found.get('name')


def symbols_of(root):
    """Yields the name and the element of all that has a name of its own in the documentation."""
    for tag in ['function', 'method', 'constructor', 'virtual-method', 'function-macro']:
        for element in root.iter(CORE + tag):
            yield element.get(f'{C}identifier') or element.get('name'), element
    for tag in ['class', 'interface', 'enumeration', 'bitfield', 'callback', 'constant', 'alias']:
        for element in root.iter(CORE + tag):
            if element.get(f'{C}type'):
                yield element.get(f'{C}type'), element
    for owner in root.iter(f'{CORE}class'):
        for element in owner.findall(f'{CORE}property'):
            yield f'{owner.get(f"{C}type")}:{element.get("name")}', element
        for element in owner.findall(f'{GLIB}signal'):
            yield f'{owner.get(f"{C}type")}::{element.get("name")}', element


def twin_problems(functions):
    for name, function in functions.items():
        if function.is_async:
            stem = name.removesuffix('_async')
            if not name.endswith('_async'):
                yield name, 'is asynchronous and is not called so'
            # Newer scanners warn, where two share one.
            if f'{stem}_finish' not in functions:
                yield name, f'has no {stem}_finish'
            if 'Gio.Cancellable' not in function.types:
                yield name, 'is asynchronous and takes no cancellable'
            if 'io_priority' not in {parameter.get('name') for parameter in function.parameters}:
                yield name, 'is asynchronous and takes no I/O priority'
        elif function.is_finish:
            if f'{name.removesuffix("_finish")}_async' not in functions:
                yield name, 'finishes nothing'
            if 'Finishes an operation started with' not in function.doc:
                yield name, 'does not say what it finishes'
        elif 'Gio.Cancellable' in function.types and name not in WITHOUT_TWIN:
            if f'{function.twin}_async' not in functions:
                yield name, f'has no {function.twin}_async'


def list_problems(functions):
    for name in WITHOUT_TWIN:
        if name not in functions or f'{functions[name].twin}_async' in functions:
            yield name, 'is on the list of those without a twin, and is not one of them'


def documentation_problems(root):
    for name, element in symbols_of(root):
        # The marks of what is available and deprecated
        if re.match(r'TF_(AVAILABLE|DEPRECATED)_IN_', name):
            continue
        if not re.fullmatch(r'\d+\.\d+', element.get('version', '')):
            yield name, 'has no Since:'
        if not text_of(element):
            yield name, 'has no documentation'


def string_problems(root):
    for name, element in symbols_of(root):
        strings = {'': element, 'return': element.find(f'{CORE}return-value')}
        strings.update((parameter.get('name'), parameter) for parameter in element.iter(f'{CORE}parameter'))
        if element.tag in [f'{CORE}class', f'{CORE}constant']:
            continue
        for what, holder in strings.items():
            if holder is None or what in TEXT.get(name, ()):
                continue
            # GJS compares the type of a property, which may not be this one, to that of its getter, which may.
            wrong, right = ('filename', 'utf8') if element.get('getter') else ('utf8', 'filename')
            if type_of(holder) == wrong:
                yield name, f'{what or "its value"} is a {wrong}, and has to be a {right}'


def unused_problems(functions, headers):
    for name, function in functions.items():
        is_descriptor = function.returned == 'gint' and DESCRIPTORS.search(name)
        if not is_descriptor and not function.returns_owned:
            continue
        declaration = re.search(rf'\b{name}\s*\([^;]*;', headers)
        if declaration is None:
            yield name, 'is declared in no header'
        elif 'G_GNUC_WARN_UNUSED_RESULT' not in declaration.group():
            yield name, 'has no G_GNUC_WARN_UNUSED_RESULT'


def main():
    root = ElementTree.parse(sys.argv[1]).getroot()
    headers = ''.join(pathlib.Path(header).read_text(encoding='utf-8') for header in sys.argv[2:])
    elements = [element for tag in ['function', 'method', 'constructor'] for element in root.iter(CORE + tag)]
    functions = {function.name: function for function in map(Function, elements)}
    assert functions, 'no functions'

    problems = {*twin_problems(functions), *list_problems(functions), *documentation_problems(root),
                *string_problems(root), *unused_problems(functions, headers)}
    for name, problem in sorted(problems):
        print(f'{name}: {problem}')
    print(f'{len(functions)} functions, {sum(function.is_async for function in functions.values())} asynchronous')
    sys.exit(1 if problems else 0)


main()
