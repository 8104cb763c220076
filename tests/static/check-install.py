#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The tempfile-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Installs into a folder, looks whether all is there, and builds and runs a program with it.

Usage: check-install.py BUILD_ROOT PREFIX PROGRAM.C FILE... -- MESON... -- COMPILER...
       check-install.py --static|--both SOURCE_ROOT BUILD PREFIX PROGRAM.C FILE... -- MESON... -- COMPILER...
FILEs are relative to PREFIX. With --static the static library alone is built before, in the folder BUILD, and with --both
both.
"""

import os
import pathlib
import shlex
import sys
import tempfile
from xml.etree import ElementTree

from kept import build, run

PACKAGE = 'tempfile-glib-1'


def split(words):
    first = words.index('--')
    second = words.index('--', first + 1)
    return words[:first], words[first + 1:second], words[second + 1:]


def build_library(library, source, folder, prefix, meson):
    options = ['tests=false', 'introspection=disabled', 'vapi=disabled', 'documentation=disabled']
    build(meson, folder, source, f'--prefix={prefix}', f'--default-library={library}', '--optimization=0',
          *[f'-D{option}' for option in options])


def check_files(prefix, files):
    missing = [file for file in files if not (prefix / file).is_file()]
    assert not missing, f'not installed: {missing}'
    headers = prefix / os.path.dirname(next(file for file in files if file.endswith('/tempfile-glib.h')))
    private = [path.name for path in headers.iterdir() if str(path.relative_to(prefix)) not in files]
    assert not private, f'installed: {private}'


def check_libraries(libdir, files):
    names = tuple(os.path.basename(file) for file in files)
    others = [path.name for path in libdir.glob('lib*') if not path.name.startswith(names)]
    assert not others, f'installed: {others}'


def check_book(book):
    """Devhelp finds the links of a book in the folder of the book."""
    links = {element.get('link').split('#')[0] for element in ElementTree.parse(book).iter() if element.get('link')}
    assert 'index.html' in links, links
    missing = [link for link in links if not (book.parent / link).is_file()]
    assert not missing, f'{book.name} leads to {missing}'


def move_pc(prefix, pc):
    """What was installed for one prefix is used in another one."""
    lines = pc.read_text(encoding='utf-8').splitlines()
    assert lines[0].startswith('prefix='), lines[0]
    pc.write_text('\n'.join([f'prefix={prefix}', *lines[1:], '']), encoding='utf-8')


def check_program(compiler, program, folder, installed, pc, options):
    env = {'PKG_CONFIG_PATH': str(pc.parent), 'LD_LIBRARY_PATH': str(pc.parent.parent)}
    flags = shlex.split(run('pkg-config', *options, '--cflags', '--libs', PACKAGE, **env))
    assert any(flag.startswith(f'-I{installed}') for flag in flags), flags
    binary = os.path.join(folder, 'program')
    run(*compiler, '-Wall', '-Werror', program, '-o', binary, *flags, **env)
    temporary = os.path.join(folder, 'temporary')
    os.makedirs(temporary, exist_ok=True)
    output = run(binary, TMPDIR=temporary, **env)
    assert output.startswith(temporary), output
    assert not os.listdir(temporary), f'still there: {os.listdir(temporary)}'


def main():
    arguments, meson, compiler = split(sys.argv[1:])
    if arguments[0] in ('--static', '--both'):
        library, source, folder, prefix = arguments[:4]
        build_library(library[2:], source, folder, prefix, meson)
        del arguments[:2]
    build_root, prefix, program, *files = arguments
    with tempfile.TemporaryDirectory() as folder:
        destination = os.path.join(folder, 'installed')
        run(*meson, 'install', '-C', build_root, '--no-rebuild', '--quiet', DESTDIR=destination)
        installed = pathlib.Path(destination + prefix)
        check_files(installed, files)
        for file in files:
            if file.endswith('.devhelp2'):
                check_book(installed / file)

        pc = installed / next(file for file in files if file.endswith('.pc'))
        check_libraries(pc.parent.parent, files)
        move_pc(installed, pc)
        for options in [], ['--static']:
            check_program(compiler, program, folder, installed, pc, options)


main()
