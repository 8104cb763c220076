# SPDX-FileCopyrightText: 2026 The tempfile-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Builds the programs of all contestants, and says which cannot take part."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
CARGO_REGISTRY = Path('/usr/share/cargo/registry')
GUAVA = Path('/usr/share/java/guava.jar')


class Absent(Exception):
    """A peer that is not installed here."""


def output(*command, **options):
    """The output of COMMAND; when it fails, its complaint is the error."""
    result = subprocess.run([*map(str, command)], capture_output=True, text=True, **options)
    if result.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, command))}:\n{result.stderr or result.stdout}")
    return result.stdout.strip()


def need(program):
    path = shutil.which(program)
    if path is None:
        raise Absent(f'no {program}')
    return path


class Peers:
    """Programs by name: commands to call with a verb and its arguments, or the word why not."""

    def __init__(self, prefix, build):
        self.build = build
        self.environment = installed_environment(prefix)
        self.commands = {}
        self.absent = {}
        self.versions = {}
        build.mkdir(parents=True, exist_ok=True)

    def add(self, names):
        """Builds what NAMES stand for."""
        for name in sorted({*names, 'libc'} - {*self.commands, *self.absent}):
            try:
                self.commands[name] = getattr(self, 'add_' + name.replace('-', '_'))()
            except Absent as reason:
                self.absent[name] = str(reason)
        self.environment['MAKE_TREE'] = self.commands['libc'][0]

    def compile_c(self, name, *packages):
        program = self.build / name
        flags = output('pkg-config', '--cflags', '--libs', *packages, env=self.environment).split() if packages else []
        output(need('cc'), '-O2', '-D_GNU_SOURCE', '-D_FILE_OFFSET_BITS=64', '-o', program, HERE / f'{name}.c', *flags)
        return [str(program)]

    def add_ours(self):
        self.versions['tempfile-glib'] = output('pkg-config', '--modversion', 'tempfile-glib-1', env=self.environment)
        return self.compile_c('ours', 'tempfile-glib-1')

    def add_ours_in_group(self):
        """The same in a control group with 256 MiB of memory."""
        command = [sys.executable, str(HERE.parent / 'tests/file-systems/groups.py'), str(256 << 20)]
        result = subprocess.run([*command, 'true'], stderr=subprocess.PIPE, text=True, check=False)
        if result.returncode != 0:
            raise Absent(result.stderr.strip().splitlines()[-1])
        return [*command, *self.add_ours()]

    def add_libc(self):
        self.versions['glibc'] = os.confstr('CS_GNU_LIBC_VERSION').split()[-1]
        return self.compile_c('libc')

    def add_gio(self):
        self.versions['GLib'] = output('pkg-config', '--modversion', 'gio-2.0')
        return self.compile_c('gio', 'gio-2.0')

    def add_python(self):
        self.versions['Python'] = sys.version.split()[0]
        return [sys.executable, str(HERE / 'python.py')]

    def add_python_gi(self):
        try:
            output(sys.executable, '-c', 'import gi; gi.require_version("Tf", "1")', env=self.environment)
        except RuntimeError:
            raise Absent(f'no PyGObject in {sys.executable}, or no typelib') from None
        return [sys.executable, str(HERE / 'python-gi.py')]

    def add_gjs(self):
        gjs = need('gjs')
        self.versions['GJS'] = output(gjs, '--version').split()[-1]
        return [gjs, '-m', str(HERE / 'gjs.js')]

    def add_rust(self):
        """With the crates that Debian packages (librust-tempfile-dev), from the disk alone."""
        crates = sorted(CARGO_REGISTRY.glob('tempfile-3*'))
        if not crates:
            raise Absent('no librust-tempfile-dev')
        cargo = need('cargo')
        self.versions['Rust tempfile'] = crates[-1].name.split('-')[-1]
        output(cargo, 'build', '--release', '--offline', '--quiet',
               '--manifest-path', self.crate() / 'Cargo.toml', '--target-dir', self.build / 'rust',
               '--config', f'source.debian.directory="{CARGO_REGISTRY}"',
               '--config', 'source.crates-io.replace-with="debian"')
        return [str(self.build / 'rust/release/bench-rust')]

    def crate(self):
        """A copy, so that cargo leaves its lock file there."""
        crate = self.build / 'rust-source'
        shutil.copytree(HERE / 'rust', crate, dirs_exist_ok=True)
        return crate

    def add_go(self):
        go = need('go')
        self.versions['Go'] = output(go, 'env', 'GOVERSION').removeprefix('go')
        output(go, 'build', '-o', self.build / 'bench-go', '.', cwd=HERE / 'go',
               env={**os.environ, 'GOCACHE': str(self.build / 'go-cache'), 'GOFLAGS': '-mod=mod', 'GOPROXY': 'off'})
        return [str(self.build / 'bench-go')]

    def add_qt(self):
        for package in ('Qt6Core', 'Qt5Core'):
            if subprocess.run(['pkg-config', '--exists', package], check=False).returncode == 0:
                break
        else:
            raise Absent('no Qt')
        self.versions['Qt'] = output('pkg-config', '--modversion', package)
        program = self.build / 'bench-qt'
        output(need('c++'), '-O2', '-fPIC', '-o', program, HERE / 'qt.cpp',
               *output('pkg-config', '--cflags', '--libs', package).split())
        return [str(program)]

    def add_guava(self):
        if not GUAVA.exists():
            raise Absent('no libguava-java')
        output(need('javac'), '-nowarn', '-cp', GUAVA, '-d', self.build / 'guava', HERE / 'Guava.java')
        self.versions['Guava'] = next((path.stem.split('-')[1] for path in GUAVA.parent.glob('guava-[0-9]*.jar')), '?')
        return [need('java'), '-Xmx4g', '-cp', f'{GUAVA}:{self.build / "guava"}', 'Guava']


def installed_environment(prefix):
    """The environment in which the library below PREFIX is found as if it were installed in the system."""
    environment = dict(os.environ)
    folders = {'PKG_CONFIG_PATH': 'pkgconfig', 'GI_TYPELIB_PATH': 'girepository-1.0', 'LD_LIBRARY_PATH': '.'}
    library = next(prefix.glob('lib*/**/libtempfile-glib-1.so'), None)
    if library is None:
        raise SystemExit(f'the library is not installed below {prefix}')
    for variable, folder in folders.items():
        path = str((library.parent / folder).resolve())
        environment[variable] = ':'.join(filter(None, (path, environment.get(variable))))
    environment['GJS_PATH'] = str(prefix / 'share/gjs-1.0')
    return environment
