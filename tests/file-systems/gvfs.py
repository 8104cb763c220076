#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The tempfile-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Persists to a server by GVfs, over SFTP through a pipe: with its file system of FUSE, and without it. In namespaces of
its own. Needs root.

Usage: gvfs.py PROGRAM, which is that of in-gvfs.c
"""

import os
import subprocess
import sys
import tempfile

from matrix import ALL_NAMESPACES, SFTP_SERVER, Missing, enter_namespaces, make, need, write

DAEMONS = ['/usr/libexec/gvfsd', '/usr/lib/gvfs/gvfsd']
TIMEOUT = 60

# It is asked for its version first.
SSH = '''#!/bin/sh
[ "$1" != -V ] || {{ echo OpenSSH_9 >&2; exit; }}
exec {server}
'''


def need_file(*paths):
    for path in paths:
        if os.path.exists(path):
            return path
    raise Missing(f'there is no {paths[0]}')


def check(program, how, needed):
    session = need('dbus-run-session')
    daemon = need_file(*DAEMONS)
    for name in needed:
        need_file(os.path.join(os.path.dirname(daemon), name))
    server = need_file(SFTP_SERVER)
    with tempfile.TemporaryDirectory(prefix='gvfs-') as folder:
        make(folder, 'bin')
        write(folder, 'bin/ssh', SSH.format(server=server), 0o755)
        remote = make(folder, 'remote')
        environment = dict(os.environ, HOME=make(folder, 'home'), XDG_RUNTIME_DIR=make(folder, 'run'),
                           TMPDIR=make(folder, 'tmp'), PATH=os.path.join(folder, 'bin') + ':' + os.environ['PATH'])
        environment.pop('GIO_USE_VFS', None)
        if how == 'without-path':
            environment['GVFS_DISABLE_FUSE'] = '1'
        os.chmod(environment['XDG_RUNTIME_DIR'], 0o700)
        try:
            result = subprocess.run([session, '--', program, 'sftp://nowhere' + remote, remote, how], env=environment,
                                    timeout=TIMEOUT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                    stderr=subprocess.STDOUT, text=True, errors='replace')
            output, passed = result.stdout, result.returncode == 0
        except subprocess.TimeoutExpired as error:
            output, passed = f'{error.stdout}\nhangs', False
        finally:
            subprocess.run(['umount', '-l', os.path.join(folder, 'run', 'gvfs')], stderr=subprocess.DEVNULL, check=False)
        left = os.listdir(remote)
        if left:
            output, passed = f'{output}\n{left} is left', False
    if not passed:
        print(output, file=sys.stderr)
    return passed


def main():
    why_not = enter_namespaces(*ALL_NAMESPACES)
    if why_not:
        print('1..0 # SKIP', why_not)
        return 0

    cases = {'with-path': ['gvfsd-sftp', 'gvfsd-fuse'], 'without-path': ['gvfsd-sftp']}
    print(f'1..{len(cases)}')
    for number, (how, needed) in enumerate(cases.items(), 1):
        try:
            print('ok' if check(sys.argv[1], how, needed) else 'not ok', number, how)
        except Missing as error:
            print('ok', number, how, '# SKIP', error)
        sys.stdout.flush()
    return 0


if __name__ == '__main__':
    sys.exit(main())
