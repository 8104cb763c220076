#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The tempfile-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Does what the guide "Getting started" says, with what it has installed into a folder.

Usage: check-getting-started.py GUIDE BUILD_ROOT PREFIX LIBDIR DATADIR OVERRIDES PYTHON MESON...
LIBDIR, DATADIR and OVERRIDES can be relative to PREFIX.
"""

import os
import pathlib
import re
import sys
import tempfile

from kept import run

API = 'tempfile-glib-1'
PROJECTS = {'c': 'hello.c', 'vala': 'hello.vala'}


def blocks_of(text, language):
    return re.findall(rf'^```{language}\n(.*?)^```$', text, re.DOTALL | re.MULTILINE)


def variables(text, lib, share, overrides):
    """What the table of the guide tells for another prefix."""
    values = {
        'LD_LIBRARY_PATH': lib,
        'GI_TYPELIB_PATH': f'{lib}/girepository-1.0',
        'PYTHONPATH': os.path.dirname(os.path.dirname(overrides)),
        'XDG_DATA_DIRS': f"{share}:{os.environ.get('XDG_DATA_DIRS', '/usr/local/share:/usr/share')}",
        'PKG_CONFIG_PATH': f'{lib}/pkgconfig',
    }
    named = re.findall(r'^\| `(\w+)` \|', text, re.MULTILINE)
    assert sorted(named) == sorted(values), named
    return values


def install(meson, build_root, destination, prefix, lib):
    run(*meson, 'install', '-C', build_root, '--no-rebuild', '--quiet', DESTDIR=destination)
    pc = pathlib.Path(lib, 'pkgconfig', f'{API}.pc')
    lines = pc.read_text(encoding='utf-8').splitlines()
    assert lines[0].startswith('prefix='), lines[0]
    pc.write_text('\n'.join([f'prefix={destination}{prefix}', *lines[1:], '']), encoding='utf-8')


def check(command, env):
    """The program prints the path of a file, and has removed it."""
    output = run(*command, **env)
    assert output.startswith(f"{env['TMPDIR']}/hello-"), f'{command}: {output}'
    assert not os.listdir(env['TMPDIR']), f"{command} left {os.listdir(env['TMPDIR'])}"


def check_projects(text, folder, meson, env):
    projects = blocks_of(text, 'meson')
    assert len(projects) == len(PROJECTS), projects
    for project, (language, name) in zip(projects, PROJECTS.items()):
        source = folder / language
        source.mkdir()
        (source / 'meson.build').write_text(project, encoding='utf-8')
        (source / name).write_text(blocks_of(text, language)[0], encoding='utf-8')
        run(*meson, 'setup', str(source / 'build'), str(source), **env)
        run(*meson, 'compile', '-C', str(source / 'build'), **env)
        check([str(source / 'build' / 'hello')], env)


def check_commands(text, folder, env):
    """Compilers leave a program, and all else is one."""
    for language in 'c', 'py', 'js', 'vala':
        (folder / f'hello.{language}').write_text(blocks_of(text, language)[0], encoding='utf-8')
    commands, = blocks_of(text, 'sh')
    os.chdir(folder)
    for command in commands.splitlines():
        if command.startswith(('cc ', 'valac ')):
            run('sh', '-euc', command, **env)
            check(['./hello'], env)
            os.unlink('hello')
        else:
            check(['sh', '-euc', command], env)


def main():
    guide, build_root, prefix, *folders, python = sys.argv[1:8]
    meson = sys.argv[8:]
    text = pathlib.Path(guide).read_text(encoding='utf-8')
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for part in 'bin', 'tmp':
            (folder / part).mkdir()
        (folder / 'bin' / 'python3').symlink_to(python)
        lib, share, overrides = [f'{folder}/installed{os.path.join(prefix, each)}' for each in folders]
        install(meson, build_root, f'{folder}/installed', prefix, lib)
        env = {
            **variables(text, lib, share, overrides),
            'GJS_PATH': '',
            'PATH': f"{folder}/bin:{os.environ['PATH']}",
            'TMPDIR': f'{folder}/tmp',
        }
        check_projects(text, folder, meson, env)
        check_commands(text, folder, env)


main()
