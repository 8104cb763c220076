# SPDX-FileCopyrightText: 2026 The tempfile-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Builds in folders that are kept, so that only what has changed is built the next time."""

import os
import pathlib
import shutil
import subprocess


def run(*command, **env):
    result = subprocess.run(command, env=dict(os.environ, **env), stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors='replace')
    assert result.returncode == 0, f'{command}:\n{result.stdout}'
    return result.stdout


def build(meson, folder, source, *options):
    """Configures the folder unless this was done with the same options, and builds. Returns what was printed."""
    folder = pathlib.Path(folder)
    command = [*meson, 'setup', *options, str(folder), str(source)]
    record = folder / 'configured-by'
    output = ''
    if not record.is_file() or record.read_text(encoding='utf-8') != repr(command):
        shutil.rmtree(folder, ignore_errors=True)
        output = run(*command)
        record.write_text(repr(command), encoding='utf-8')
    try:
        output += run(*meson, 'compile', '-C', str(folder))
        assert 'warning:' not in output, output
    except AssertionError:
        # What compiled with a warning would not be compiled again.
        record.unlink()
        raise
    return output
