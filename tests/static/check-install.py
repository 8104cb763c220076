#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The tempfile-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Installs into a folder, looks whether all is there, and builds and runs a program with it.

Usage: check-install.py BUILD_ROOT PREFIX PROGRAM.C FILE... -- MESON... -- COMPILER...
FILEs are relative to PREFIX.
"""

import os
import pathlib
import shlex
import subprocess
import sys
import tempfile

PACKAGE = 'tempfile-glib-1'


def run(*command, **env):
    result = subprocess.run(command, env=dict(os.environ, **env), stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors='replace')
    assert result.returncode == 0, f'{command}:\n{result.stdout}'
    return result.stdout


def split(words):
    first = words.index('--')
    second = words.index('--', first + 1)
    return words[:first], words[first + 1:second], words[second + 1:]


def check_files(prefix, files):
    missing = [file for file in files if not (prefix / file).is_file()]
    assert not missing, f'not installed: {missing}'
    headers = prefix / os.path.dirname(next(file for file in files if file.endswith('/tempfile-glib.h')))
    private = [header.name for header in headers.iterdir() if 'private' in header.name or 'internal' in header.name]
    assert not private, f'installed: {private}'


def move_pc(prefix, pc):
    """What was installed for one prefix is used in another one."""
    lines = pc.read_text(encoding='utf-8').splitlines()
    assert lines[0].startswith('prefix='), lines[0]
    pc.write_text('\n'.join([f'prefix={prefix}', *lines[1:], '']), encoding='utf-8')


def main():
    (build, prefix, program, *files), meson, compiler = split(sys.argv[1:])
    with tempfile.TemporaryDirectory() as folder:
        run(*meson, 'install', '-C', build, '--no-rebuild', '--quiet', DESTDIR=folder)
        installed = pathlib.Path(folder + prefix)
        check_files(installed, files)

        pc = installed / next(file for file in files if file.endswith('.pc'))
        move_pc(installed, pc)
        env = {'PKG_CONFIG_PATH': str(pc.parent), 'LD_LIBRARY_PATH': str(pc.parent.parent)}
        flags = shlex.split(run('pkg-config', '--cflags', '--libs', PACKAGE, **env))
        assert any(flag.startswith(f'-I{installed}') for flag in flags), flags
        binary = os.path.join(folder, 'program')
        run(*compiler, '-Wall', '-Werror', program, '-o', binary, *flags, **env)
        run(binary, TMPDIR=folder, **env)


main()
