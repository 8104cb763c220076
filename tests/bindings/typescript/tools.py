# SPDX-FileCopyrightText: 2026 The tempfile-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Installs the tools that bindings/typescript/package-lock.json names, into the build folder alone."""

import contextlib
import fcntl
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

# What npm says when the registry is out of reach.
OUT_OF_REACH = re.compile(
    r'\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ENETUNREACH|EHOSTUNREACH|ETIMEDOUT|ENOTCACHED|ERR_SOCKET_TIMEOUT)\b')


def skip(why):
    print(f'skipped: {why}')
    sys.exit(77)


def version(text):
    return tuple(int(number) for number in re.findall(r'\d+', text)[:2])


@contextlib.contextmanager
def locked(folder):
    """For one test at a time."""
    with open(folder / 'lock', 'w') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def npm_ci(npm, folder):
    env = dict(os.environ, npm_config_cache=str(folder / 'cache'), npm_config_update_notifier='false',
               npm_config_fetch_retries='1', npm_config_fetch_timeout='60000')
    result = subprocess.run([npm, 'ci', '--ignore-scripts', '--no-audit', '--no-fund'], cwd=folder, env=env,
                            stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if result.returncode != 0 and OUT_OF_REACH.search(result.stderr):
        skip(f'the registry of npm is out of reach: {result.stderr}')
    if result.returncode != 0:
        sys.exit(f'npm ci: {result.stderr}')


def install(source, folder):
    """Returns the path of node_modules, and that of node."""
    folder.mkdir(parents=True, exist_ok=True)
    npm, node = shutil.which('npm'), shutil.which('node')
    if not npm or not node:
        skip('npm is not installed')
    needed = json.loads((source / 'package.json').read_text())['engines']['node']
    found = subprocess.run([node, '--version'], check=True, capture_output=True, text=True).stdout.strip()
    if version(found) < version(needed):
        skip(f'node is {found}, and {needed} is needed')

    modules = folder / 'node_modules'
    with locked(folder):
        locks = [source / 'package-lock.json', modules / 'installed-lock.json']
        if not locks[1].exists() or locks[0].read_bytes() != locks[1].read_bytes():
            for name in 'package.json', 'package-lock.json':
                shutil.copyfile(source / name, folder / name)
            npm_ci(npm, folder)
            shutil.copyfile(*locks)
    return modules, node


def run(*command, **kwargs):
    result = subprocess.run([str(part) for part in command], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                            **kwargs)
    if result.returncode != 0:
        sys.exit(f'{pathlib.Path(command[0]).name} ended with {result.returncode}:\n{result.stdout}{result.stderr}')
    return result.stdout
