# SPDX-FileCopyrightText: 2026 The tempfile-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Checks with mypy that the stubs accept program.py and, in the place of those of tempfile, drop_in.py, which are run
as well, and refuse each marked line of refused.py; and that they have what the module has, and no more.

Usage: check-stubs.py STUBS MYPY|""
"""

import ast
import os
import re
import shutil
import subprocess
import sys
import tempfile

stubs, mypy = sys.argv[1:]
here = os.path.dirname(os.path.abspath(__file__))


IMPORT_OF_TF = """import gi
gi.require_version('Tf', '1')
from gi.repository import Tf as tempfile
"""

# What stands for the stubs of other namespaces: the classes that matter here.
OTHERS = {
    'Gio': ['Cancellable', 'IOStream'],
    'GLib': [],
    'GObject': ['GEnum', 'GFlags', 'Object'],
}


def check(folder, path):
    environment = dict(os.environ, MYPYPATH=folder)
    run = subprocess.run([mypy, '--cache-dir', os.path.join(folder, 'cache'), '--strict', '--ignore-missing-imports',
                          '--allow-subclassing-any', '--no-warn-return-any', '--no-warn-unused-ignores',
                          path],
                         env=environment, cwd=folder, stdout=subprocess.PIPE, text=True)
    return {int(number): message for number, message in re.findall(r':(\d+): error: (.*)', run.stdout)}, run.stdout


def with_tf(folder):
    """Returns the path of drop_in.py as it is for Tf: only the import changes."""
    with open(os.path.join(here, 'drop_in.py')) as file:
        text = file.read()
    path = os.path.join(folder, 'drop_in_with_tf.py')
    with open(path, 'w') as file:
        file.write(text.replace('import tempfile\n', IMPORT_OF_TF, 1))
    return path


def check_with_mypy():
    with tempfile.TemporaryDirectory() as folder:
        repository = os.path.join(folder, 'gi', 'repository')
        os.makedirs(repository)
        for package in os.path.dirname(repository), repository:
            with open(os.path.join(package, '__init__.pyi'), 'w') as file:
                file.write('def require_version(namespace: str, version: str) -> None: ...\n')
        for name, classes in OTHERS.items():
            with open(os.path.join(repository, f'{name}.pyi'), 'w') as file:
                file.write('from typing import Any\ndef __getattr__(name: str) -> Any: ...\n')
                file.writelines(f'class {klass}: ...\n' for klass in classes)
        shutil.copy(stubs, repository)

        for path in os.path.join(here, 'program.py'), os.path.join(here, 'drop_in.py'), with_tf(folder):
            errors, output = check(folder, path)
            if errors:
                sys.exit(f'mypy refuses {path}:\n{output}')
        errors, output = check(folder, os.path.join(here, 'refused.py'))
        with open(os.path.join(here, 'refused.py')) as file:
            marked = {number for number, line in enumerate(file, 1) if line.endswith('# refused\n')}
        if errors.keys() != marked:
            sys.exit(f'mypy refuses other lines of refused.py than {sorted(marked)}:\n{output}')


def names_of(body):
    names = set()
    for node in body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            names.add(node.name)
        elif isinstance(node, ast.AnnAssign):
            names.add(node.target.id)
        elif isinstance(node, ast.Assign):
            names.update(target.id for target in node.targets)
    return {name for name in names if not name.startswith('_')}


def check_names():
    """What C and the override have, and what the stubs have, are the same."""
    import gi
    gi.require_version('Tf', '1')
    from gi.repository import Gio, Tf

    with open(stubs) as file:
        tree = ast.parse(file.read())
    there = {name for name in dir(Tf) if not name.startswith('_') and not name.endswith('Class')}
    compare('Tf', there, names_of(tree.body))

    written = {node.name: names_of(node.body) for node in tree.body if isinstance(node, ast.ClassDef)}
    for name in 'TempFile', 'NamedFile', 'SpooledFile', 'TempDir', 'TextStream':
        klass = getattr(Tf, name)
        bases = [base for base in klass.__mro__[1:] if base.__module__ == 'gi.overrides.Tf']
        inherited = {n for base in bases for n in dir(base)} | set(dir(Gio.IOStream)) | set(dir(Gio.AsyncInitable)) | \
            set(dir(Gio.Initable)) | set(dir(Gio.Seekable))
        there = {n for n in dir(klass) if n not in inherited and not n.startswith(('_', 'do_'))}
        # The stubs say again what a class has from another one, where its arguments differ.
        compare(name, there, written[name] - (inherited - there))


def compare(what, there, written):
    for words, names in (('not in the stubs', there - written), ('only in the stubs', written - there)):
        if names:
            sys.exit(f'{what}: {words}: {sorted(names)}')


check_names()
if mypy:
    check_with_mypy()
with tempfile.TemporaryDirectory() as folder:
    for path in os.path.join(here, 'program.py'), os.path.join(here, 'drop_in.py'), with_tf(folder):
        subprocess.run([sys.executable, path], check=True)
if not mypy:
    print('skipped: mypy is not installed')
    sys.exit(77)
