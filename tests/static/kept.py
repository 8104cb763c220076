#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The tempfile-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""What is kept of a run of a test for the next one: folders, so that only what has changed is built, and results.

Usage: kept.py SOURCE_ROOT BUILD_ROOT COMMAND...

Runs a test of which the result depends on nothing but what it reads. If it has passed, and nothing of that has changed
since, says so, repeats its output, and passes. What it reads is taken to be all of the source tree, what is built of the
library and its bindings, the programs and files of the command, the variables of the environment that programs look at,
the packages that are installed, and what the process may do. A test that is skipped is always run; of one that is skipped
in part, the output that is repeated says so.

With TF_TEST_ANEW in the environment, everything is run.
"""

import hashlib
import os
import pathlib
import re
import shutil
import subprocess
import sys
import sysconfig
import time

VARIABLES = re.compile(
    r'(CC|CFLAGS|HOME|LANG|LANGUAGE|PATH|TMPDIR|TZ|.*SAN_OPTIONS)$|(LC|GI|GJS|G|LD|NODE|PKG_CONFIG|PYTHON|TF|XDG)_?[A-Z_]*$')
# What changes whenever a package is installed, removed or updated
PACKAGES = ['/var/lib/dpkg/status', '/var/lib/rpm', '/usr/lib/sysimage/rpm', '/var/lib/pacman/local',
            '/lib/apk/db/installed']
# What a process may do, and what the kernel can mount
POWERS = re.compile(r'(Cap\w+|NoNewPrivs|Seccomp):.*', re.MULTILINE)
FILES_OF_POWERS = ['/proc/self/cgroup', '/proc/sys/user/max_user_namespaces']
# Here a file system appears when it is mounted for the first time, by the test itself.
FILE_SYSTEMS = '/proc/filesystems'
BUILT = ('.so', '.a', '.gir', '.typelib', '.vapi', '.h', '.pc', '.py', '.toml')


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


def walk(root):
    """The files below the folder, but for those of version control, and for what is built or written meanwhile."""
    for folder, names, files in os.walk(root):
        names[:] = sorted(name for name in names if name not in ('.git', '_build', '__pycache__', 'node_modules') and
                          not os.path.exists(os.path.join(folder, name, 'meson-private')))
        yield from (os.path.join(folder, name) for name in sorted(files))


def list_built(build_root):
    yield from (os.path.join(build_root, name) for name in ('build.ninja', 'meson-info/intro-buildoptions.json'))
    for folder in 'tempfile-glib', 'bindings', 'doc', 'tools':
        for path in walk(os.path.join(build_root, folder)):
            if path.endswith(BUILT):
                yield path


def describe(path):
    """A file of the system is what it was while its size and its times are."""
    try:
        status = os.stat(path)
    except OSError as error:
        return f'{path} {error.errno}'
    return f'{os.path.realpath(path)} {status.st_size} {status.st_mtime_ns} {status.st_ctime_ns} {status.st_ino}'


def read_of_system(path):
    try:
        return pathlib.Path(path).read_text(encoding='utf-8', errors='replace')
    except OSError as error:
        return str(error.errno)


def list_of_powers():
    yield from (match.group() for match in POWERS.finditer(read_of_system('/proc/self/status')))
    yield from (read_of_system(path) for path in FILES_OF_POWERS)
    yield str(os.path.exists('/dev/fuse'))


def list_of_system(words, build_root):
    yield f'{os.uname().release} {os.geteuid()} {sys.version}'
    yield from list_of_powers()
    # What is built is read itself, and its folders change with each file that the compiler puts there for a moment.
    folders = [folder for folder in os.environ.get('PATH', '').split(':') if not folder.startswith(build_root)]
    folders += [sysconfig.get_path('purelib'), sysconfig.get_path('platlib')]
    yield from (describe(path) for path in [*PACKAGES, *folders, *words])
    yield from (f'{name}={value}' for name, value in sorted(os.environ.items())
                if VARIABLES.match(name) and name != 'TF_TEST_ANEW')


def make_keys(source_root, build_root, command):
    """One of what does not change while the test runs, and one of what it may have the kernel load."""
    roots = tuple(os.path.join(os.path.realpath(root), '') for root in (source_root, build_root))
    # Of folders that are given, the test may write to those that are built.
    own = [word for word in command if os.path.join(os.path.realpath(word), '').startswith(roots)]
    key = hashlib.sha256()
    for path in [*walk(source_root), *list_built(build_root), *filter(os.path.isfile, own)]:
        key.update(path.encode() + b'\0')
        try:
            with open(path, 'rb') as file:
                key.update(hashlib.sha256(file.read()).digest())
        except OSError as error:
            # A symbolic link that leads nowhere
            key.update(str(error.errno).encode())
    system = list_of_system([word for word in command if os.path.isabs(word) and word not in own], roots[1])
    key.update('\0'.join([*command, *system]).encode(errors='surrogateescape'))
    return key.hexdigest(), hashlib.sha256(read_of_system(FILE_SYSTEMS).encode()).hexdigest()


def run_and_show(command):
    """Returns the output."""
    lines = []
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        for line in process.stdout:
            lines.append(line)
            sys.stdout.buffer.write(line)
            sys.stdout.flush()
    return process.returncode, b''.join(lines)


def is_pass(status, output):
    lines = output.decode(errors='replace').splitlines()
    return status == 0 and not any(re.match(r'not ok|Bail out!|1\.\.0', line, re.IGNORECASE) for line in lines)


def main():
    source_root, build_root, *command = sys.argv[1:]
    name = hashlib.sha256('\0'.join(command).encode()).hexdigest()[:16]
    record = pathlib.Path(build_root, 'tests', 'kept', name)
    keys = make_keys(source_root, build_root, command)
    if record.is_file() and not os.environ.get('TF_TEST_ANEW'):
        *kept_keys, when, output = record.read_bytes().split(b'\n', 3)
        if tuple(key.decode() for key in kept_keys) == keys:
            print(f'# Passed at {when.decode()}, and nothing that it reads has changed since. TF_TEST_ANEW=1 runs it again.',
                  flush=True)
            sys.stdout.buffer.write(output)
            return 0

    record.unlink(missing_ok=True)
    status, output = run_and_show(command)
    keys_now = make_keys(source_root, build_root, command)
    if is_pass(status, output) and keys_now[0] == keys[0] and any(os.path.exists(path) for path in PACKAGES):
        record.parent.mkdir(exist_ok=True)
        temporary = record.with_suffix(f'.{os.getpid()}')
        when = time.strftime('%Y-%m-%d %H:%M:%S')
        temporary.write_bytes(b'\n'.join([*(line.encode() for line in (*keys_now, when)), output]))
        temporary.replace(record)
    return status if status >= 0 else 128 - status


if __name__ == '__main__':
    sys.exit(main())
