# SPDX-FileCopyrightText: 2026 The tempfile-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Who is compared by compare.py: what is installed, built where it has to be."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from peer import Candidate, Peer
from stop import Unavailable

PEERS = Path(__file__).resolve().parent
TOP = PEERS.parent.parent
REGISTRY = Path('/usr/share/cargo/registry')


def build_rust(folder):
    """A program with the crate that Debian has, without the network."""
    crates = sorted(REGISTRY.glob('tempfile-[0-9]*'))
    if not shutil.which('cargo') or not crates:
        return None
    version = crates[-1].name.removeprefix('tempfile-')
    source = (PEERS / 'rust.rs').read_text().replace('CRATE_VERSION', version)
    (folder / 'src').mkdir(parents=True)
    (folder / 'src' / 'main.rs').write_text(source)
    (folder / 'Cargo.toml').write_text(
        '[package]\nname = "peer"\nversion = "0.0.0"\nedition = "2021"\n'
        f'[dependencies]\ntempfile = "={version}"\n')
    (folder / '.cargo').mkdir()
    (folder / '.cargo' / 'config.toml').write_text(
        '[source.crates-io]\nreplace-with = "debian"\n'
        f'[source.debian]\ndirectory = "{REGISTRY}"\n')
    run_quietly(['cargo', 'build', '--quiet', '--offline', '--release'], folder, CARGO_HOME=folder / 'home',
                CARGO_TARGET_DIR=folder / 'target')
    return folder / 'target' / 'release' / 'peer'


def build_go(folder):
    if not shutil.which('go'):
        return None
    folder.mkdir()
    run_quietly(['go', 'build', '-o', folder / 'peer', PEERS / 'go.go'], folder, GOCACHE=folder / 'cache',
                GOPATH=folder / 'path', GOTOOLCHAIN='local', GO111MODULE='off', GOTELEMETRY='off')
    return folder / 'peer'


def run_quietly(command, folder, **env):
    result = subprocess.run(command, cwd=folder, env={**os.environ, **{k: str(v) for k, v in env.items()}},
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if result.returncode:
        raise Unavailable(f'{command[0]}: {result.stdout.strip()}')


def find_tempfile_glib():
    programs = sorted(TOP.glob('_build/*/tests/removal/removal-tempfile-glib'), key=lambda path: path.stat().st_mtime)
    if not programs:
        sys.exit('compare.py: build tempfile-glib first (./run test), or say --tempfile-glib PROGRAM')
    return programs[-1]


def find_candidates(options, folder):
    def compiled(build):
        try:
            return build(folder / build.__name__)
        except Unavailable as error:
            print(error, file=sys.stderr)
            return None

    yield Candidate('tempfile-glib', [options.tempfile_glib or find_tempfile_glib()])
    if options.alone:
        return
    for program in options.python or [sys.executable]:
        yield Candidate('Python', [program, PEERS / 'python.py'])
    for option in [], ['--one-file-system']:
        command = [sys.executable, PEERS / 'python.py', 'rm', *option]
        yield Candidate(' '.join(['rm -rf', *option]), command, has_objects=False)
    for name, build in ('Rust', build_rust), ('Go', build_go):
        program = compiled(build)
        if program:
            yield Candidate(name, [program], has_objects=name == 'Rust')
        else:
            print(f'{name}: not installed')


def ask_version(candidate, folder):
    peer = Peer(candidate, str(folder))
    candidate.version = peer.ask('version')
    peer.kill()
    if candidate.name == 'Python':
        candidate.name = '.'.join(candidate.version.split('.')[:2])
