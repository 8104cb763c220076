#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The tempfile-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Plants small faults in the library, one at a time, and prints those that no test notices.

Usage: mutate.py SOURCE COVERAGE PLAIN SANITIZED [--minutes N] [--jobs N] [--only TEXT] [--quick]
                 [--summary]

COVERAGE is a build of which coverage.py has measured what each test reaches, PLAIN one without anything, and SANITIZED
one with sanitizers, all of them with a static library. A changed source is compiled and linked with the tests that reach
the line; these run, the quickest first, until one fails or hangs. What none notices is tried again with the sanitizers.

The changes come in a random order that is the same each time, all kinds of them alike. What was found is kept in
PLAIN/mutants/results.json: a next run tries again what was not noticed, and goes on. Changes that make no difference
stand in mutate-equivalent.txt, each with the reason.

A changed library may remove anything. Tests therefore run where all is read-only but the folder of the run, and in
a process namespace of their own.
"""

import argparse
import collections
import hashlib
import json
import os
import pathlib
import random
import shlex
import shutil
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import coverage
import mutate_c

EQUIVALENT = coverage.HERE / 'mutate-equivalent.txt'
SEED = 18
FOLDER = 'tempfile-glib'
ARCHIVE = 'tempfile-glib/libtempfile-glib-1.a'
SUITES = ['c', 'proof', 'root', 'tools']
# A test that takes so much longer than ever hangs.
SLOWNESS, PATIENCE = 6, 10
# All tests of one change, in seconds
LIMIT = 150

NOTICED = {'failed', 'hung'}
MISSED = {'missed', 'unreached'}
# Lets what is read-only be so, but for one folder, and what tests look at that is in the real /tmp and /var/tmp. Everything
# is mounted once more, so that it can be.
SANDBOX = '''
set -eu
mount --make-rprivate /
mount --bind "$1" "$1"
while read -r _ place _; do
  [ "$place" = "$1" ] || mount -o remount,bind,ro "$place" 2>/dev/null || :
done </proc/self/mounts
for place in /dev/shm /tmp /var/tmp; do
  case $1 in
    $place/*) ;;
    *) mount -t tmpfs -o mode=1777,size=2g tmpfs $place ;;
  esac
done
shift
exec "$@"
'''
# Sanitizers reserve more than there is.
LITTLE_MEMORY = ['prlimit', '--core=0', f'--data={6 << 30}']
ALONE = ['unshare', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc']


class Build:
    """A build with a static library, of which programs can be linked with one object exchanged."""

    def __init__(self, path, limits):
        self.path = path
        self.limits = limits
        self.tests = coverage.read_tests(path, SUITES)
        self.compilers = {os.path.normpath(path / entry['file']): entry for entry in self.read_commands('c_COMPILER')
                          if 'core' in entry['output']}
        self.linkers = {str(path / entry['output']): entry for entry in self.read_commands('c_LINKER')}
        self.sound = {}

    def read_commands(self, rule):
        text = subprocess.run(['ninja', '-t', 'compdb', rule], cwd=self.path, check=True, capture_output=True, text=True).stdout
        return json.loads(text)

    def compile(self, original, source, target):
        """Compiles a text in place of a source. Returns whether it compiles."""
        entry = self.compilers[str(original)]
        file = target.with_name(original.name)
        file.write_text(source)
        words = [str(file) if os.path.normpath(self.path / word) == str(original) else word for word in shlex.split(entry['command'])]
        words[words.index('-o') + 1] = str(target)
        if '-MF' in words:
            words[words.index('-MF') + 1] = str(target) + '.d'
        words += ['-iquote', str(original.parent), '-Werror=incompatible-pointer-types', '-Werror=int-conversion',
                  '-Werror=discarded-qualifiers']
        return subprocess.run(words, cwd=self.path, stderr=subprocess.DEVNULL).returncode == 0

    def link(self, program, mutant, target):
        words = shlex.split(self.linkers[program]['command'])
        at = words.index('-o') + 1
        words[at] = str(target)
        words.insert(at + 1, str(mutant))
        subprocess.run(words, cwd=self.path, check=True)

    def run(self, name, place, mutant, usual):
        """Runs a test with a mutant, or without. Returns what happened: 'passed', 'failed', 'hung'."""
        test = dict(self.tests[name])
        # Some are given relative to the build.
        words = without_record(test['cmd'])
        test['cmd'] = [str(self.path / word) if str(self.path / word) in self.linkers else word for word in words]
        programs = [word for word in test['cmd'] if word in self.linkers]
        if mutant is not None:
            changed = {program: str(place / os.path.basename(program)) for program in programs}
            for program, target in changed.items():
                self.link(program, mutant, target)
            test['cmd'] = [changed.get(word, word) for word in test['cmd']]
        sandbox = pathlib.Path(tempfile.mkdtemp(dir=place))
        sandbox.chmod(0o777)
        timeout = usual * SLOWNESS + PATIENCE
        with open(place / 'log', 'wb') as log:
            passed, seconds = coverage.run_test(test, {'TMPDIR': str(sandbox)}, timeout, [*ALONE, *self.limits], log)
        shutil.rmtree(sandbox, ignore_errors=True)
        return 'passed' if passed else 'hung' if seconds >= timeout else 'failed'

    def is_sound(self, name, place, usual):
        """Whether a test passes here without a mutant: otherwise, it notices nothing."""
        if name not in self.sound:
            self.sound[name] = self.run(name, place, None, usual) == 'passed'
            if not self.sound[name]:
                print(f'{name} fails without any change: {place / "log"}', file=sys.stderr, flush=True)
        return self.sound[name]


def without_record(command):
    """Returns the words of a test without those that have kept.py remember, in the build folder, that it has passed."""
    for index, word in enumerate(command):
        if os.path.basename(word) == 'kept.py':
            return command[index + 3:]
    return command


def read_reasons():
    lines = EQUIVALENT.read_text().splitlines() if EQUIVALENT.exists() else []
    return {line for line in lines if line.strip() and not line.startswith('#')}


def in_turn(mutants):
    """Orders mutants at random, but so that all kinds of them alternate."""
    kinds = collections.defaultdict(list)
    for mutant in mutants:
        kinds[mutant.kind].append(mutant)
    for kind in sorted(kinds):
        random.Random(f'{SEED} {kind}').shuffle(kinds[kind])
    ranked = [(rank, kind, mutant) for kind in sorted(kinds) for rank, mutant in enumerate(kinds[kind])]
    return [mutant for _, _, mutant in sorted(ranked, key=lambda item: item[:2])]


class Run:
    def __init__(self, options):
        self.source = options.source.resolve()
        self.plain = Build(options.plain.resolve(), LITTLE_MEMORY)
        self.sanitized = Build(options.sanitized.resolve(), ['prlimit', '--core=0'])
        self.place = self.plain.path / 'mutants'
        self.results_file = self.place / 'results.json'
        self.results = json.loads(self.results_file.read_text()) if self.results_file.exists() else {}
        measured = json.loads((options.coverage / 'coverage.json').read_text())
        self.reached = measured['lines']
        self.times = measured['times']
        self.killers = collections.Counter()
        self.unchanged = {}
        self.lock = threading.Lock()
        self.deadline = time.monotonic() + options.minutes * 60
        self.reasons = read_reasons()
        self.quick = options.quick
        self.mutants = self.choose(options.only)

    def choose(self, only):
        mutants = []
        for path in sorted((self.source / FOLDER).rglob('*.c')):
            name = str(path.relative_to(self.source))
            if str(path) in self.plain.compilers:
                mutants += mutate_c.mutants_of(name, path.read_text())
        mutants = [mutant for mutant in in_turn(mutants) if only in mutant.name]
        self.digests = {mutant.path: '' for mutant in mutants}
        for path in self.digests:
            self.digests[path] = hashlib.sha256((self.source / path).read_bytes()).hexdigest()[:16]
        return mutants

    def known(self, mutant):
        result = self.results.get(mutant.name)
        return result if result is not None and result['of'] == self.digests[mutant.path] else None

    def todo(self):
        """What was not noticed first, then what was not tried."""
        fresh = [mutant for mutant in self.mutants if mutant.name not in self.reasons]
        known = {mutant.name: self.known(mutant) for mutant in fresh}
        return [mutant for mutant in fresh if known[mutant.name] and known[mutant.name]['result'] in MISSED] + \
            [mutant for mutant in fresh if not known[mutant.name]]

    def tests_of(self, mutant):
        lines = self.reached.get(mutant.path, {})
        first = mutant.first_line
        # What goes on in further lines is counted where it begins.
        while first > 1 and not any(str(number) in lines for number in range(first, mutant.last_line + 1)):
            first -= 1
        names = {name for number in range(first, mutant.last_line + 1) for name in lines.get(str(number), [])}
        names &= set(self.plain.tests)
        # Those that have noticed changes of the same file come first.
        return sorted(names, key=lambda name: (-self.killers[mutant.path, name] // (1 + self.times[name]), self.times[name]))

    def try_mutant(self, mutant, place):
        """Returns the result, and the test that noticed it or how many tests did not run."""
        tests = self.tests_of(mutant)
        if not tests:
            return 'unreached', None
        original = self.source / mutant.path
        target = place / 'mutant.o'
        if not self.plain.compile(original, mutant.source(), target):
            return 'invalid', None
        if self.is_same(original, target, place):
            return 'same', None
        result = self.try_tests(self.plain, tests, place, target, 1)
        if result[0] == 'missed' and not self.quick and self.sanitized.compile(original, mutant.source(), target):
            result = self.try_tests(self.sanitized, tests, place, target, 3)
        return result

    def is_same(self, original, target, place):
        """Whether the compiler makes the same of it."""
        if (place, original) not in self.unchanged:
            same = place / 'same.o'
            self.plain.compile(original, original.read_text(), same)
            self.unchanged[place, original] = same.read_bytes()
        return self.unchanged[place, original] == target.read_bytes()

    def try_tests(self, build, tests, place, target, slowness):
        deadline = time.monotonic() + LIMIT
        for index, name in enumerate(tests):
            if time.monotonic() > deadline:
                return 'missed', f'{len(tests) - index} tests not tried'
            happened = build.run(name, place, target, self.times[name] * slowness)
            if happened != 'passed' and build.is_sound(name, place, self.times[name] * slowness):
                return happened, name
        return 'missed', None

    def work(self, number, queue):
        place = self.place / f'worker-{number}'
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        while time.monotonic() < self.deadline:
            with self.lock:
                if not queue:
                    return
                mutant = queue.pop(0)
            result, detail = self.try_mutant(mutant, place)
            with self.lock:
                if result in NOTICED:
                    self.killers[mutant.path, detail] += 1
                self.results[mutant.name] = {'result': result, 'detail': detail, 'kind': mutant.kind, 'of': self.digests[mutant.path]}
                self.results_file.with_suffix('.new').write_text(json.dumps(self.results, indent=1))
                self.results_file.with_suffix('.new').rename(self.results_file)
                if result in NOTICED | MISSED:
                    print(f'{result}{f" ({detail})" if detail else ""}: {mutant.kind}: {mutant.name}', flush=True)

    def summary(self):
        """Prints what was not noticed, and the shares. Returns the share of all."""
        counts = collections.defaultdict(collections.Counter)
        for mutant in self.mutants:
            result = self.known(mutant)
            if mutant.name in self.reasons:
                counts[mutant.kind]['equivalent'] += 1
            elif result is not None:
                counts[mutant.kind][result['result']] += 1
                if result['result'] in MISSED:
                    print(f'{result["result"]}: {mutant.name}' + (f' ({result["detail"]})' if result['detail'] else ''))
        total = collections.Counter()
        for kind, of_kind in sorted(counts.items()):
            total.update(of_kind)
            print(f'{kind}: {describe(of_kind)}')
        print(f'all: {describe(total)}')
        return share(total)


def share(counts):
    noticed = sum(counts[result] for result in NOTICED)
    tried = noticed + sum(counts[result] for result in MISSED)
    return 100 * noticed / tried if tried else 100


def describe(counts):
    noticed = sum(counts[result] for result in NOTICED)
    tried = noticed + sum(counts[result] for result in MISSED)
    return f'{noticed} of {tried} noticed ({share(counts):.1f} %), {counts["hung"]} of them by a hang, ' \
        f'{counts["unreached"]} never reached; {counts["equivalent"] + counts["same"]} make no difference'


def main():
    parser = argparse.ArgumentParser()
    for name in 'source', 'coverage', 'plain', 'sanitized':
        parser.add_argument(name, type=pathlib.Path)
    parser.add_argument('--minutes', type=float, default=60)
    parser.add_argument('--jobs', type=int, default=os.cpu_count())
    parser.add_argument('--only', default='', help='changes of whose name this is a part')
    parser.add_argument('--quick', action='store_true', help='without sanitizers')
    parser.add_argument('--summary', action='store_true', help='plant nothing')
    parser.add_argument('--inside', action='store_true', help=argparse.SUPPRESS)
    options = parser.parse_args()

    if not options.summary and not options.inside:
        place = options.plain.resolve() / 'mutants'
        place.mkdir(exist_ok=True)
        user = [] if os.geteuid() == 0 else ['--user', '--map-root-user']
        os.execvp('unshare', ['unshare', '--mount', *user, 'sh', '-c', SANDBOX, 'sh', str(place), sys.executable, *sys.argv, '--inside'])

    run = Run(options)
    if not options.summary:
        queue = run.todo()
        workers = [threading.Thread(target=run.work, args=(number, queue)) for number in range(options.jobs)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
    sys.exit(run.summary() < 90)


if __name__ == '__main__':
    main()
