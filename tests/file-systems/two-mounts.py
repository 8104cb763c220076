#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The tempfile-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Mounts one folder twice, which is as two machines that share it: a sweep through one mount takes nothing that lives
through the other, of two that persist a file under one name, one succeeds, a document keeps the mode that the other one
has given it, and a file persisted to its own name on another mount stays. Also mounts folders in which files show other
owners than those who create them, or in which modes cannot be changed. In namespaces of its own. Needs root.

Usage: two-mounts.py ACT, which is the program of act.c

TF_RACE_ROUNDS in the environment is how often two race, instead of 20 times.
"""

import os
import subprocess
import sys
import tempfile

from matrix import (ALL_NAMESPACES, SFTP_SERVER, Missing, end_server, enter_namespaces, glusterfs, make, need,
                    run, write)

# This is to say which one hangs, before the whole is ended.
TIMEOUT = 60

class Failed(Exception):
    pass


def expect(true, what):
    if not true:
        raise Failed(what)


# --- Mounts: each makes "A", and those of two machines "B" ---

def bindfs(folder, name, *options):
    run(need('bindfs'), *options, os.path.join(folder, 'backing'), make(folder, name))


def bindfs_twice(folder):
    bindfs(folder, 'A')
    bindfs(folder, 'B')


def bindfs_force_user(folder):
    """As on SMB, or sshfs without a map of ids."""
    bindfs(folder, 'A', '--force-user=1234')


def bindfs_root_squash(folder):
    """What root creates is nobody's."""
    bindfs(folder, 'A', '--create-for-user=nobody', '--create-for-group=nogroup')


def bindfs_deny(folder):
    bindfs(folder, 'A', '--chmod-deny', '--xattr-none')


def sshfs_twice(folder, options=',dir_cache=no'):
    sshfs = need('sshfs')
    if not os.path.exists(SFTP_SERVER):
        raise Missing(f'there is no {SFTP_SERVER}')
    server = write(folder, 'server', f'#!/bin/sh\nexec {SFTP_SERVER}\n', 0o700)
    for name in 'AB':
        run(sshfs, 'nowhere:' + os.path.join(folder, 'backing'), make(folder, name),
            '-o', f'ssh_command={server},allow_other' + options)


def sshfs_without_links(folder):
    sshfs_twice(folder, ',dir_cache=no,disable_hardlink')


def sshfs_that_remembers(folder):
    """For 20 seconds."""
    sshfs_twice(folder, ',disable_hardlink')


def glusterfs_twice(folder):
    glusterfs(folder, 'backing', 'A', 'B')


# --- Machines: each has a directory of its own for what is to be known until it is shut down ---

class Machine:
    def __init__(self, act, folder, name, mount):
        self.act = act
        self.mount = os.path.join(folder, mount)
        self.runtime_dir = make(folder, name)
        os.chmod(self.runtime_dir, 0o700)

    def start(self, what):
        environment = dict(os.environ, XDG_RUNTIME_DIR=self.runtime_dir, TMPDIR=self.mount)
        return subprocess.Popen([self.act, what, self.mount], env=environment, text=True,
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def does(self, what, status=0):
        process = self.start(what)
        output, _ = process.communicate(timeout=TIMEOUT)
        expect(process.returncode == status, f'"{what}" ended with {process.returncode}')
        return output

    def entries(self):
        return sorted(name for name in os.listdir(self.mount)
                      if not name.startswith(('.fuse_hidden', '.glusterfs', 'tempfile-glib-')))


# --- What is done on them ---

def living_stays(here, there):
    process = here.start('live')
    expect(process.stdout.readline() == 'ready\n', 'nothing was created')
    living = here.entries()
    expect(len(living) == 3, f'{living} was created')
    for machine in (there, here):
        machine.does('sweep')
        expect(here.entries() == living, f'a sweep through {os.path.basename(machine.mount)} removed what lives')
    process.communicate(timeout=TIMEOUT)
    expect(process.returncode == 0, f'the living process ended with {process.returncode}')
    expect(here.entries() == [], f'{here.entries()} is left at exit')


def dead_is_swept(here, there):
    here.does('die', status=-9)
    dead = here.entries()
    expect(len(dead) == 3, f'{dead} was left by the dead process')
    there.does('sweep')
    if there.runtime_dir != here.runtime_dir:
        expect(here.entries() == dead, 'another machine took it')
    here.does('sweep')
    expect(here.entries() == [], f'{here.entries()} is left by a sweep')


def one_wins(racers, name):
    for racer in racers:
        racer.stdin.write(name + '\n')
        racer.stdin.flush()
    said = [racer.stdout.readline().strip() for racer in racers]
    expect(sorted(said) in (sorted([str(racer.pid), 'exists']) for racer in racers), f'of {name} they say {said}')
    return next(word for word in said if word != 'exists')


def one_of_two_wins(here, there):
    racers = [machine.start('race') for machine in (here, there)]
    for number in range(int(os.environ.get('TF_RACE_ROUNDS', 20))):
        name = f'race-{number}'
        winner = one_wins(racers, name)
        # A mount may have cached what it was before.
        with open(os.path.join(os.path.dirname(here.mount), 'backing', name)) as file:
            content = file.read()
            expect(content == winner, f'{name} has {content!r}, and {winner!r} has won')
        os.unlink(os.path.join(here.mount, name))
    for racer in racers:
        racer.communicate(timeout=TIMEOUT)
        expect(racer.returncode == 0, f'a racer ended with {racer.returncode}')
    expect(here.entries() == [], f'{here.entries()} is left by a race')


def expect_done(process):
    said = process.stdout.readline().strip()
    expect(said == 'done', f'replacing a document failed: {said}')


def both_replace(here, there):
    """In turn, and at once. What one machine knows of the document is stale when the other one has replaced it."""
    processes = [machine.start('replace') for machine in (here, there)]
    for _ in range(20):
        for process in processes:
            process.stdin.write('document\n')
            process.stdin.flush()
            expect_done(process)
    for process in processes:
        process.stdin.write('document\n' * 50)
        process.stdin.flush()
    for process in processes * 50:
        expect_done(process)
    for process in processes:
        process.communicate(timeout=TIMEOUT)
        expect(process.returncode == 0, f'a process that replaces ended with {process.returncode}')
    expect(here.entries() == ['document'], f'{here.entries()} is left by replacing')
    os.unlink(os.path.join(here.mount, 'document'))


def mode_stays(here, there):
    """What one machine knows of the document's mode is old when the other one has changed it."""
    process = here.start('replace')
    for mode in 0o644, 0o600, 0o640, 0o600:
        process.stdin.write('document\n')
        process.stdin.flush()
        expect_done(process)
        os.stat(os.path.join(here.mount, 'document'))
        os.chmod(os.path.join(there.mount, 'document'), mode)
        process.stdin.write('document\n')
        process.stdin.flush()
        expect_done(process)
        found = os.stat(os.path.join(os.path.dirname(here.mount), 'backing', 'document')).st_mode & 0o7777
        expect(found == mode, f'a document of mode {mode:o} has {found:o} after it was replaced')
    process.communicate(timeout=TIMEOUT)
    os.unlink(os.path.join(here.mount, 'document'))


def backup_is_whole(here, there):
    """What one machine knows of the document's size is old when another one has replaced it."""
    backing = os.path.join(os.path.dirname(here.mount), 'backing')
    process = here.start('back-up')
    for size in 6, 5000, 200000, 0, 3000, 70000, 1:
        os.path.exists(os.path.join(here.mount, 'document'))
        content = (f'{size} ' * size)[:size]
        write(there.mount, 'fresh', content)
        os.rename(os.path.join(there.mount, 'fresh'), os.path.join(there.mount, 'document'))
        process.stdin.write('document\n')
        process.stdin.flush()
        expect_done(process)
        with open(os.path.join(backing, 'document~')) as file:
            found = file.read()
        expect(found == content, f'the backup of {size} bytes has {len(found)}')
    process.communicate(timeout=TIMEOUT)
    for name in 'document', 'document~':
        os.unlink(os.path.join(here.mount, name))


def own_name_stays(here, *same_dirs):
    """A directory is the same on another mount, whatever numbers it has there."""
    process = here.start('own')
    for path in same_dirs + (make(here.mount, 'sub'), here.runtime_dir):
        process.stdin.write(path + '\n')
        process.stdin.flush()
        expected = 'same' if path in same_dirs else 'other'
        said = process.stdout.readline().strip()
        expect(said == expected, f'{path} is taken for {said!r}')
    process.communicate(timeout=TIMEOUT)
    expect(process.returncode == 0, f'the process that persists ended with {process.returncode}')


def check_mount(act, folder):
    machine = Machine(act, folder, 'run', 'A')
    machine.does('work')
    expect(machine.entries() == [], f'{machine.entries()} is left by work')
    living_stays(machine, machine)
    dead_is_swept(machine, machine)


def check_two_mounts(act, folder):
    here, other = Machine(act, folder, 'run', 'A'), Machine(act, folder, 'other-run', 'B')
    # The same machine, but through the other mount
    mount = Machine(act, folder, 'unused', 'B')
    mount.runtime_dir = here.runtime_dir
    here.does('work')
    for there in (other, mount):
        living_stays(here, there)
        dead_is_swept(here, there)
    one_of_two_wins(here, other)
    both_replace(here, other)
    mode_stays(here, other)
    backup_is_whole(here, other)
    own_name_stays(here, other.mount, os.path.join(folder, 'backing'))


def check_race(act, folder):
    here, other = Machine(act, folder, 'run', 'A'), Machine(act, folder, 'other-run', 'B')
    one_of_two_wins(here, other)


def check_backup(act, folder):
    backup_is_whole(Machine(act, folder, 'run', 'A'), Machine(act, folder, 'other-run', 'B'))


def check(make_mounts, check_mounts, act):
    with tempfile.TemporaryDirectory(prefix='two-mounts-') as folder:
        os.chmod(folder, 0o755)
        try:
            os.chmod(make(folder, 'backing'), 0o1777)
            make_mounts(folder)
            check_mounts(act, folder)
        finally:
            for name in 'AB':
                subprocess.run(['umount', '-l', os.path.join(folder, name)],
                               stderr=subprocess.DEVNULL, check=False)
            end_server(folder)


def main():
    why_not = enter_namespaces(*ALL_NAMESPACES)
    if why_not:
        print('1..0 # SKIP', why_not)
        return 0

    cases = [
        (bindfs_twice, check_two_mounts),
        (sshfs_twice, check_two_mounts),
        (glusterfs_twice, check_two_mounts),
        (sshfs_without_links, check_race),
        (sshfs_without_links, check_backup),
        (sshfs_that_remembers, check_backup),
        (bindfs_force_user, check_mount),
        (bindfs_root_squash, check_mount),
        (bindfs_deny, check_mount),
    ]
    print(f'1..{len(cases)}')
    for number, (make_mounts, check_mounts) in enumerate(cases, 1):
        name = f'{number} {make_mounts.__name__} {check_mounts.__name__}'
        try:
            check(make_mounts, check_mounts, sys.argv[1])
            print('ok', name)
        except Missing as error:
            print('ok', name, '# SKIP', error)
        except (Failed, subprocess.TimeoutExpired) as error:
            print('not ok', name, '-', error)
        sys.stdout.flush()
    return 0


if __name__ == '__main__':
    sys.exit(main())
