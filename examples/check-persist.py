#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The tempfile-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Runs the save and the download example and looks at what they make.

Usage: check-persist.py SAVE DOWNLOAD
"""

import os
import pathlib
import subprocess
import sys
import tempfile

SIZES = [0, 1, 1 << 20, (1 << 20) + 1, (3 << 20) + 12345]


def run(folder, *command):
    temp_dir = folder / 'tmp'
    temp_dir.mkdir(exist_ok=True)
    result = subprocess.run([str(part) for part in command], env=dict(os.environ, TMPDIR=str(temp_dir)),
                            text=True, errors='replace', stdin=subprocess.DEVNULL, capture_output=True)
    assert not os.listdir(temp_dir), f'left behind: {os.listdir(temp_dir)}'
    return result


def check_save(folder, program, content):
    source, real, link = folder / 'source', folder / 'real', folder / 'link'
    source.write_bytes(content)
    real.write_bytes(b'old')
    real.chmod(0o640)
    link.symlink_to('real')

    result = run(folder, program, source, link)
    assert result.returncode == 0, result.stderr
    assert result.stdout.splitlines()[-1] == '100 %', result.stdout
    assert link.is_symlink() and real.read_bytes() == content
    assert real.stat().st_mode & 0o7777 == 0o640
    assert sorted(os.listdir(folder)) == ['link', 'real', 'source', 'tmp'], os.listdir(folder)
    for path in (source, real, link):
        path.unlink()


def check_download(folder, program, content):
    source, target = folder / 'source', folder / 'target'
    source.write_bytes(content)

    result = run(folder, program, source.as_uri(), target)
    assert result.returncode == 0, result.stderr
    where = 'on disk' if len(content) > 1 << 20 else 'in memory'
    assert result.stdout == f'{len(content)} bytes, {where}\n', result.stdout
    assert target.read_bytes() == content

    target.write_bytes(b'old')
    result = run(folder, program, source.as_uri(), target)
    assert result.returncode == 1 and result.stderr != '', 'a file was replaced'
    assert target.read_bytes() == b'old'
    assert sorted(os.listdir(folder)) == ['source', 'target', 'tmp'], os.listdir(folder)
    source.unlink()
    target.unlink()


def main():
    save, download = sys.argv[1:]
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for size in SIZES:
            content = (b'tempfile-glib ' * (size // 14 + 1))[:size]
            check_save(folder, save, content)
            check_download(folder, download, content)
        result = run(folder, save, folder / 'missing', folder / 'target')
        assert result.returncode == 1 and not (folder / 'target').exists()
        result = run(folder, download, (folder / 'missing').as_uri(), folder / 'target')
        assert result.returncode == 1 and not (folder / 'target').exists()


main()
