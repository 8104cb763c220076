#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The tempfile-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Checks that the interface of the library is what a list says: functions with their types, structs with their fields,
enumerations with their values, properties and signals.

Usage: check-abi.py [--update] LIST GIR

After a release, a line of the list may be added, but none may change or go: programs that were compiled before rely on it.
Names of parameters are included, because languages can pass arguments by name.
"""

import difflib
import sys
from xml.etree import ElementTree

CORE = '{http://www.gtk.org/introspection/core/1.0}'
C = '{http://www.gtk.org/introspection/c/1.0}'
GLIB = '{http://www.gtk.org/introspection/glib/1.0}'

HEADER = '''\
# SPDX-FileCopyrightText: 2026 The tempfile-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The interface of the library, as programs are compiled for it. "ninja update-abi" writes this list.
'''


def children(element, *tags):
    return [child for child in element if child.tag in [CORE + tag for tag in tags]]


def c_type(element):
    """The type of a parameter, a field or a result."""
    for kind in children(element, 'type', 'array', 'callback', 'varargs'):
        if kind.tag == CORE + 'varargs':
            return '...'
        if kind.tag == CORE + 'callback':
            return function(kind, '(*)')
        size = f'[{kind.get("fixed-size")}]' if kind.get('fixed-size') else ''
        name = kind.get(C + 'type') or next((c_type(kind) for _ in children(kind, 'type')), kind.get('name'))
        return name + (size if element.tag == CORE + 'field' else '')
    raise AssertionError(f'no type: {element.attrib}')


def function(element, name):
    parameters = []
    for group in children(element, 'parameters'):
        for parameter in children(group, 'instance-parameter', 'parameter'):
            kind = c_type(parameter)
            parameters.append(kind if kind == '...' else f'{kind} {parameter.get("name")}')
    if element.get('throws') == '1':
        parameters.append('GError** error')
    result, = children(element, 'return-value')
    return f'{c_type(result)} {name} ({", ".join(parameters) or "void"})'


def fields(element):
    return '; '.join(f'{c_type(field)} {field.get("name")}' for field in children(element, 'field'))


def of_class(element, name):
    parent = element.get('parent')
    if parent:
        interfaces = [child.get('name') for child in children(element, 'implements')]
        yield f'class {name} : {", ".join([parent, *interfaces])}'
    for prop in children(element, 'property'):
        flags = ['read'] if prop.get('readable', '1') == '1' else []
        flags += [flag for flag in ('writable', 'construct', 'construct-only') if prop.get(flag) == '1']
        yield f'property {name}:{prop.get("name")} {c_type(prop)} {" ".join(flags)}'
    for emission in children(element, *['signal']) + element.findall(GLIB + 'signal'):
        yield f'signal {function(emission, name + "::" + emission.get("name"))}'


def lines_of(namespace):
    for element in namespace.iter():
        tag = element.tag.split('}')[1]
        name = element.get(C + 'type')
        if tag in ('function', 'method', 'constructor') and element.get(C + 'identifier'):
            yield function(element, element.get(C + 'identifier'))
        elif tag == 'callback' and name:
            yield 'callback ' + function(element, name)
        elif tag == 'member':
            yield f'{element.get(C + "identifier")} = {element.get("value")}'
        elif tag == 'constant':
            yield f'{name} = {element.get("value")}'
        elif tag in ('class', 'record', 'interface'):
            yield from of_class(element, name)
            if children(element, 'field'):
                yield f'struct {name} {{ {fields(element)} }}'


def main():
    *options, listed, gir = sys.argv[1:]
    namespace = ElementTree.parse(gir).getroot().find(CORE + 'namespace')
    versions = ('TEMPFILE_GLIB_MAJOR', 'TEMPFILE_GLIB_MINOR', 'TEMPFILE_GLIB_MICRO', 'TEMPFILE_GLIB_VERSION_S')
    found = sorted({' '.join(line.split()) for line in lines_of(namespace) if not line.startswith(versions)})
    if options == ['--update']:
        with open(listed, 'w', encoding='utf-8') as file:
            file.write(HEADER + '\n'.join(found) + '\n')
        return

    with open(listed, encoding='utf-8') as file:
        expected = [line.rstrip('\n') for line in file if not line.startswith('#')]
    differences = list(difflib.unified_diff(expected, found, listed, gir, lineterm='', n=0))
    assert not differences, 'The interface is not what the list says:\n' + '\n'.join(differences)
    print(f'{len(found)} lines')


main()
