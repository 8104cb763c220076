#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The tempfile-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Runs the tests of a build that counts (-Db_coverage=true), and prints which lines and branches of the library none of
them reaches. Where a call that sets an error is the last operand of a condition, it has one branch: it returns FALSE.

Usage: coverage.py BUILD SOURCE [--suite SUITE]... [--folder FOLDER] [--lines PERCENT] [--branches PERCENT] [--report]
                   [TEST...]

With names of tests, only these are run, and what the others have counted before is kept. Which test reaches which line is
written to BUILD/coverage.json, which mutate.py reads. What need not be reached stands in coverage-excluded.txt.
"""

import argparse
import collections
import concurrent.futures
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
EXCLUDED = HERE / 'coverage-excluded.txt'
# Calls that set an error return FALSE: where one is the last operand of a condition, there is no other way.
SETS_ERROR = re.compile(r'(?:\|\||&&) *\(?(?:tf_errno_set\w*|tf_store_fail_closed) \(')
# More than any path has: counts are written to one folder.
ALL_DIRECTORIES = '99'


def read_tests(build, suites):
    """Returns the tests of some suites as Meson knows them, the slowest first."""
    text = subprocess.run(['meson', 'introspect', '--tests', build], check=True, capture_output=True, text=True).stdout
    tests = {}
    for test in json.loads(text):
        if {suite.partition(':')[2] for suite in test['suite']} & set(suites):
            tests[test['name']] = test
            test['workdir'] = test['workdir'] or str(build)
    return dict(sorted(tests.items(), key=lambda item: -item[1]['priority']))


def run_test(test, env, timeout=None, command=(), stdout=subprocess.DEVNULL):
    """Runs a test, after the words of a command. Returns whether it passed or was skipped, and how many seconds it took."""
    begin = time.monotonic()
    process = subprocess.Popen([*command, *test['cmd']], env={**os.environ, **test['env'], **env}, cwd=test['workdir'],
                               stdin=subprocess.DEVNULL, stdout=stdout, stderr=subprocess.STDOUT, start_new_session=True)
    try:
        status = process.wait(timeout)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, 9)
        process.wait()
        status = -9
    return status in (0, 77), time.monotonic() - begin


class Counts:
    """How often each line, and each branch of each line, of each file was reached, and by which tests."""

    def __init__(self, source, folder, objects):
        self.source = source
        self.folder = folder
        self.objects = {notes.stem for notes in objects}
        self.lines = collections.defaultdict(collections.Counter)
        self.branches = collections.defaultdict(lambda: collections.defaultdict(dict))
        self.tests = collections.defaultdict(lambda: collections.defaultdict(set))

    def add(self, test, data, build):
        for record in data['files']:
            path = os.path.relpath(os.path.join(build, record['file']), self.source)
            # Of objects of tests, inline functions: the lines of examples are those of comments.
            is_wanted = path.endswith('.h') or pathlib.Path(data['data_file']).stem in self.objects
            if not path.startswith(self.folder + '/') or path.startswith('..') or not is_wanted:
                continue
            for line in record['lines']:
                number = line['line_number']
                self.lines[path][number] += line['count']
                self.tests[path][number].update([test] if line['count'] > 0 else [])
                counts = self.branches[path][number]
                for index, branch in enumerate(line['branches']):
                    key = (line.get('function_name'), index)
                    counts[key] = counts.get(key, 0) + branch['count']


def prepare(place, objects):
    """Makes a folder in which a test, and its children with other users, leave what they count."""
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    place.chmod(0o777)
    for notes in objects:
        (place / notes.name).symlink_to(notes)
        counts = place / (notes.stem + '.gcda')
        counts.touch()
        counts.chmod(0o666)


def objects_of(test):
    """Returns those of the test itself, which count inline functions of the library as well."""
    return [notes for word in test['cmd'] for notes in pathlib.Path(word + '.p').glob('*.gcno')]


def run_gcov(place, files):
    return subprocess.run(['gcov', '--json-format', '--branch-probabilities', '--stdout', *files],
                          cwd=place, check=False, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


def read_counts(place, build):
    counted = [path.name for path in sorted(place.glob('*.gcda')) if path.stat().st_size > 0 and path.with_suffix('.gcno').exists()]
    if not counted:
        return
    results = [run_gcov(place, counted)]
    if results[0].returncode != 0:
        # What a process that was killed has written in part, or was written before the source was changed, is left out.
        results = [run_gcov(place, [file]) for file in counted]
    for result in results:
        for line in result.stdout.splitlines() if result.returncode == 0 else []:
            yield json.loads(line)


class Exclusions:
    """The paragraphs of coverage-excluded.txt: lines with # give the reason, others are FILE: TEXT, where FILE may be *.
    With ~ in front of it, it may be reached all the same.

    A line of code that begins with TEXT need not be reached, and not all of its branches; nor what such an if leads to."""

    def __init__(self, path):
        self.rules = []
        self.used = set()
        for line in path.read_text().splitlines() if path.exists() else []:
            if line.strip() and not line.startswith('#'):
                name, _, text = line.lstrip('~').partition(': ')
                self.rules.append((name, text))
                self.used.update([(name, text)] if line.startswith('~') else [])

    def covers(self, path, text):
        for rule in self.rules:
            if rule[0] in ('*', path) and text.strip().startswith(rule[1]):
                self.used.add(rule)
                return True
        return False

    def unused(self):
        return [rule for rule in self.rules if rule not in self.used]


def body_of(texts, number):
    """Returns the numbers of the lines that an if leads to: one statement, or a block."""
    last = number
    while last < len(texts) and not texts[last - 1].rstrip().endswith(')'):
        last += 1
    if last >= len(texts):
        return []

    indent = len(texts[last]) - len(texts[last].lstrip())
    end = last + 1
    while texts[last].strip() == '{' and end < len(texts) and texts[end] != ' ' * indent + '}':
        end += 1
    while texts[last].strip() != '{' and not texts[end - 1].rstrip().endswith(';'):
        end += 1
    return range(last + 1, end + 1)


def possible(branches, text, following):
    """Returns the counts of the branches of a line without those that no value leads to.

    An operand of a condition has two branches, one after the other; what sets an error mostly is the last operand."""
    joined = text + ' ' + following.strip() if text.endswith(('||', '&&')) else text
    n_constant = len(SETS_ERROR.findall(joined))
    left = list(branches)
    for at in range(len(branches) // 2 * 2 - 2, -1, -2):
        pair = branches[at:at + 2]
        if n_constant > 0 and min(pair) == 0 < max(pair):
            left[at:at + 2] = [max(pair)]
            n_constant -= 1
    return left


def report(counts, source, exclusions):
    """Prints what is not reached. Returns the percentages of lines and branches that are."""
    totals = collections.Counter()
    for path in sorted(counts.lines):
        texts = (source / path).read_text().splitlines()
        here = collections.Counter()
        missing = []
        excluded = set()
        for number, count in sorted(counts.lines[path].items()):
            text = texts[number - 1] if number <= len(texts) else ''
            following = texts[number] if number < len(texts) else ''
            branches = possible(list(counts.branches[path][number].values()), text, following)
            missed = sum(not branch for branch in branches)
            if (count == 0 or missed) and (number in excluded or exclusions.covers(path, text)):
                here['excluded'] += 1
                if text.strip().startswith('if ('):
                    excluded.update(body_of(texts, number))
                continue
            here['lines'] += 1
            here['reached lines'] += count > 0
            here['branches'] += len(branches)
            here['reached branches'] += len(branches) - missed
            if count == 0:
                missing.append(f'  {number:5}  never        {text.strip()}')
            elif missed:
                missing.append(f'  {number:5}  {missed} of {len(branches)} ways  {text.strip()}')
        totals.update(here)
        print(f'{path}: {share(here, "lines")} of lines, {share(here, "branches")} of branches')
        print(''.join(line + '\n' for line in missing), end='')
    print(f'{totals["lines"]} lines, {share(totals, "lines")} reached; '
          f'{totals["branches"]} branches, {share(totals, "branches")} reached; {totals["excluded"]} lines excluded')
    return percent(totals, 'lines'), percent(totals, 'branches')


def percent(totals, what):
    return 100 * totals['reached ' + what] / totals[what] if totals[what] else 100


def share(totals, what):
    return f'{percent(totals, what):.1f} %'


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('build', type=pathlib.Path)
    parser.add_argument('source', type=pathlib.Path)
    parser.add_argument('--suite', action='append')
    parser.add_argument('--folder', default='tempfile-glib')
    parser.add_argument('--lines', type=float, default=0)
    parser.add_argument('--branches', type=float, default=0)
    parser.add_argument('--report', action='store_true', help='run nothing, print what was counted before')
    parser.add_argument('tests', nargs='*')
    options = parser.parse_intermixed_args()
    build, source = options.build.resolve(), options.source.resolve()
    tests = read_tests(build, options.suite or ['c'])
    unknown = set(options.tests) - set(tests)
    if unknown:
        parser.error('no such test: ' + ' '.join(sorted(unknown)))

    objects = sorted((build / options.folder).rglob('*.gcno'))
    places = build / 'coverage'
    times_file = build / 'coverage-times.json'
    times = json.loads(times_file.read_text()) if times_file.exists() and (options.tests or options.report) else {}
    failed = []

    def run(name):
        prepare(places / name, objects + objects_of(tests[name]))
        env = {'GCOV_PREFIX': str(places / name), 'GCOV_PREFIX_STRIP': ALL_DIRECTORIES}
        with open(places / name / 'log', 'wb') as log:
            passed, times[name] = run_test(tests[name], env, tests[name]['timeout'], stdout=log)
        if not passed:
            failed.append(name)

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(run, [] if options.report else options.tests or tests))
    times_file.write_text(json.dumps(times))

    counts = Counts(source, options.folder, objects)
    for place in sorted(places.iterdir()):
        for data in read_counts(place, build):
            counts.add(place.name, data, build)
    (build / 'coverage.json').write_text(json.dumps({
        'times': times,
        'lines': {path: {number: sorted(names) for number, names in lines.items()} for path, lines in counts.tests.items()},
    }))

    exclusions = Exclusions(EXCLUDED)
    lines, branches = report(counts, source, exclusions)
    for path, text in exclusions.unused():
        print(f'excluded, but not there or reached: {path}: {text}')
    for name in failed:
        print(f'failed: {name}, see {places / name / "log"}')
    sys.exit(bool(failed or exclusions.unused() or lines < options.lines or branches < options.branches))


if __name__ == '__main__':
    main()
