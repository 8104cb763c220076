# SPDX-FileCopyrightText: 2026 The tempfile-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""What each public symbol is called in C, Python, JavaScript and Vala, from the GIR."""

import xml.etree.ElementTree as ET
from dataclasses import dataclass, field

CORE = '{http://www.gtk.org/introspection/core/1.0}'
C = '{http://www.gtk.org/introspection/c/1.0}'
GLIB = '{http://www.gtk.org/introspection/glib/1.0}'

NONE = '–'
# Between two names of the same
OR = ' or '

# What the overrides have for what introspection leaves out.
OVERRIDDEN = {
    'tf_temp_file_read': ('Tf.TempFile.read()', 'Tf.TempFile.read()'),
}

# What the metadata for Vala has although introspection leaves it out.
IN_VALA = {'tf_temp_file_read'}

# What Python's tempfile calls it, which the override for Python has as well.
PYTHON_TOO = {
    'TfTempFile': 'Tf.TemporaryFile',
    'TfNamedFile': 'Tf.NamedTemporaryFile',
    'TfSpooledFile': 'Tf.SpooledTemporaryFile',
    'TfTempDir': 'Tf.TemporaryDirectory',
    'tf_get_temp_dir': 'Tf.gettempdir()',
    'tf_get_temp_prefix': 'Tf.gettempprefix()',
    'tf_set_temp_dir': 'Tf.tempdir',
}

# What takes the place of what a language does not have, in Python, JavaScript and Vala: in C it saves a copy, a check or a
# call, and elsewhere nothing.
INSTEAD = {
    'tf_temp_file_consume': ('Tf.TempFile.read()', 'Tf.TempFile.read()', 'Tf.TempFile.read_data ()'),
    'tf_temp_file_fill': ('Tf.TempFile.read()', 'Tf.TempFile.chunks()', 'Tf.TempFile.read_data ()'),
    'tf_temp_file_fill_async': ('Tf.TempFile.read_bytes_async()', 'Tf.TempFile.readAsync()', 'Tf.TempFile.read_data_async ()'),
    'tf_temp_file_fill_finish': ('Tf.TempFile.read_bytes_async()', 'Tf.TempFile.readAsync()', 'Tf.TempFile.read_data_async ()'),
    'tf_temp_file_peek': ('Tf.TempFile.read()', 'Tf.TempFile.lines()', 'Tf.TempFile.read_line ()'),
    'tf_temp_file_try_close': ('Tf.TempFile.close()', 'Tf.TempFile.close()', 'IOStream.close ()'),
    'tf_temp_file_try_read': ('Tf.TempFile.read()', 'Tf.TempFile.read()', 'Tf.TempFile.read ()'),
    'tf_temp_file_try_read_line': ('Tf.TempFile.read_line()', 'Tf.TempFile.read_line()', 'Tf.TempFile.read_line ()'),
    'tf_temp_file_try_seek': ('Tf.TempFile.seek()', 'Tf.TempFile.seek()', 'Seekable.seek ()'),
    'tf_get_last_errno': ('the errno of the exception', 'the code of the error', 'the code of the error'),
    'TEMPFILE_GLIB_CHECK_VERSION': ('Tf.check_version()', 'Tf.check_version()', 'Tf.check_version ()'),
}

PAGES = {'method': 'method', 'function': 'type_func', 'constructor': 'ctor', 'virtual-method': 'vfunc'}


@dataclass
class Name:
    """One symbol, with its page."""

    page: str
    c: str
    python: str
    javascript: str
    vala: str
    # By language, if there is no name in that
    instead: dict = field(default_factory=dict)

    def of_languages(self):
        return {'c': self.c, 'py': self.python, 'js': self.javascript, 'vala': self.vala}


def vala_of_method(type_name, node):
    """What vapigen makes of it."""
    name = node.get('name')
    if name.endswith('_finish'):
        return NONE
    if node.tag == CORE + 'constructor':
        return f'new Tf.{type_name}' + (f".{name[len('new_'):]}" if name != 'new' else '') + ' ()'
    if node.get(C + 'identifier') == 'tf_temp_dir_build_filenamev':
        name = 'build_filename'
    return f'{type_name and "Tf." + type_name or "Tf"}.{name} ()'


def name_of_function(type_name, node, page):
    identifier = node.get(C + 'identifier')
    full = f"Tf.{type_name + '.' if type_name else ''}{node.get('shadows') or node.get('name')}()"
    python, javascript = full, full
    if node.get('introspectable') == '0' and not node.get('shadowed-by'):
        python = javascript = NONE
    if identifier in OVERRIDDEN:
        python, javascript = OVERRIDDEN[identifier]
    if identifier in PYTHON_TOO:
        python = python + OR + PYTHON_TOO[identifier]
    vala = vala_of_method(type_name, node)
    if node.get('introspectable') == '0' and identifier not in IN_VALA and not node.get('shadowed-by'):
        vala = NONE
    instead = dict(zip(('py', 'js', 'vala'), INSTEAD.get(identifier, ())))
    if identifier.endswith('_finish') and not instead:
        instead['vala'] = full.replace('_finish()', '_async ()')
    return Name(page, f'{identifier}()', python, javascript, vala, instead)


def names_of_enumeration(node, kind):
    type_name = node.get('name')
    page = f'{kind}.{type_name}.html'
    yield Name(page, node.get(C + 'type'), *3 * [f'Tf.{type_name}'])
    for member in node.findall(CORE + 'member'):
        name = f"Tf.{type_name}.{member.get('name').upper()}"
        yield Name(page, member.get(C + 'identifier'), name, name, name)


def names_of_class(node):
    type_name = node.get('name')
    full, c_type = f'Tf.{type_name}', node.get(C + 'type')
    python = full + OR + PYTHON_TOO[c_type] if c_type in PYTHON_TOO else full
    yield Name(f'class.{type_name}.html', c_type, python, full, full)
    for child in node:
        kind = child.tag.replace(CORE, '').replace(GLIB, '')
        name = child.get('name')
        if kind in ('method', 'function', 'constructor'):
            yield name_of_function(type_name, child, f'{PAGES[kind]}.{type_name}.{name}.html')
        elif kind == 'property':
            attribute = name.replace('-', '_')
            yield Name(f'property.{type_name}.{name}.html', f'{c_type}:{name}', f'{full}.props.{attribute}',
                       f'{full}.{attribute}', f'{full}.{attribute}')
        elif kind == 'signal':
            connect = f"{full}.connect('{name}', …)"
            yield Name(f'signal.{type_name}.{name}.html', f'{c_type}::{name}', connect, connect,
                       f"{full}.{name.replace('-', '_')}.connect (…)")


def read_names(gir):
    """Returns all names in the order in which they are to be shown."""
    namespace = ET.parse(gir).getroot().find(CORE + 'namespace')
    names = []
    for node in namespace.findall(CORE + 'class'):
        names += names_of_class(node)
    for node in namespace.findall(CORE + 'function'):
        names.append(name_of_function('', node, f"func.{node.get('name')}.html"))
    for node in namespace.findall(CORE + 'function-macro'):
        if node.get('version'):
            names.append(name_of_function('', node, f"func.{node.get('name')}.html"))
    for node in namespace.findall(CORE + 'callback'):
        full = f"Tf.{node.get('name')}"
        names.append(Name(f"callback.{node.get('name')}.html", node.get(C + 'type'), 'a callable', 'a function', full))
    for tag, kind in (('enumeration', 'enum'), ('bitfield', 'flags')):
        for node in namespace.findall(CORE + tag):
            names += names_of_enumeration(node, kind)
    for node in namespace.findall(CORE + 'constant'):
        full = f"Tf.{node.get('name')}"
        names.append(Name(f"const.{node.get('name')}.html", node.get(C + 'type'), full, full, full))
    return names
