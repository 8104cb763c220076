# SPDX-FileCopyrightText: 2026 The tempfile-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Measures the installed library beside its peers. See README.md; "./run bench" builds, installs and calls this."""

import argparse
import math
import os
import signal
import statistics
import subprocess
import sys
import time
from pathlib import Path

import report
from items import ITEMS
from peers import Peers
from places import Places


def run_alone(command, environment):
    """Runs COMMAND; when this program is stopped, so are COMMAND and all that it has started."""
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          start_new_session=True) as process:
        try:
            number, complaint = process.communicate()
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise
    return process.returncode, number, complaint


def run_once(peers, places, entry, place, source, **values):
    """One run of one contestant: its number."""
    with places.fresh(place or 'disk') as directory:
        words = [str(word).format(dir=directory, source=source, **values) for word in entry.arguments]
        status, number, complaint = run_alone([*peers.commands[entry.program], *words], {**peers.environment, 'TMPDIR': str(directory)})
    if status != 0:
        raise RuntimeError(f'{entry.program} {" ".join(words)}: exit status {status}\n{complaint}')
    return float(number)


def measure(runs, rounds):
    """Interleaved: every run of RUNS once, then every run again, and so on. The first round warms up."""
    results = [[] for _ in runs]
    for n in range(rounds + 1):
        for run, numbers in zip(runs, results):
            number = run()
            if n > 0:
                numbers.append(number)
    return results


def measure_case(peers, places, case, rounds):
    entries = [entry for entry in case.entries if entry.program in peers.commands]
    with places.source(case.source) as source:
        runs = [lambda entry=entry: run_once(peers, places, entry, case.place, source) for entry in entries]
        results = measure(runs, rounds)
    return report.CaseResult(case, [
        report.EntryResult(entry.label, entry.role, statistics.median(numbers), min(numbers), max(numbers))
        for entry, numbers in zip(entries, results)
    ])


def exponent(sizes, totals):
    """The slope of the time over the size, both logarithmic: 1 is linear."""
    return statistics.linear_regression([math.log(n) for n in sizes], [math.log(t) for t in totals]).slope


def measure_growth(peers, places, growth, rounds):
    place = growth.place if growth.place in places.parents else 'disk'
    runs = [lambda n=n: run_once(peers, places, growth, place, None, n=n) for n in growth.sizes]
    medians = [statistics.median(numbers) for numbers in measure(runs, rounds)]
    totals = [value * n / growth.per if growth.per else value for value, n in zip(medians, growth.sizes)]
    return report.GrowthResult(growth.label, growth.sizes, totals, exponent(growth.sizes, totals))


def measure_table(peers, places, table):
    """Each once: there is nothing to warm up, and little noise."""
    entries = [entry for entry in table.entries if entry.program in peers.commands]
    return report.TableResult(table, [entry.label for entry in entries], [
        [run_once(peers, places, entry, None, None, n=n, count=table.count(n)) for entry in entries]
        for n in table.sizes
    ])


def measure_item(peers, places, item, rounds):
    rounds = rounds or item.rounds
    peers.add({entry.program for case in item.cases for entry in case.entries} |
              {growth.program for growth in item.growth} |
              {entry.program for table in item.tables for entry in table.entries})
    cases = [case for case in item.cases if (case.place or 'disk') in places.parents and
             any(entry.program in peers.commands for entry in case.entries)]
    return report.ItemResult(
        item,
        [measure_case(peers, places, case, rounds) for case in cases],
        [measure_growth(peers, places, growth, rounds) for growth in item.growth],
        [measure_table(peers, places, table) for table in item.tables],
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--prefix', type=Path, required=True, help='where the library is installed')
    parser.add_argument('--build', type=Path, required=True, help='a folder for programs, results and work')
    parser.add_argument('--rounds', type=int, help='how often each contestant runs, after the warm-up')
    parser.add_argument('--docs', type=Path, help='the folder whose performance.md gets the results')
    parser.add_argument('items', nargs='*', metavar='ITEM', help=f'of: {" ".join(item.name for item in ITEMS)}')
    arguments = parser.parse_args()

    unknown = {*arguments.items} - {item.name for item in ITEMS}
    if unknown:
        parser.error(f'no such item: {", ".join(sorted(unknown))}')
    chosen = [item for item in ITEMS if not arguments.items or item.name in arguments.items]

    signal.signal(signal.SIGTERM, lambda *_: sys.exit('stopped'))  # so that nothing is left behind
    start = time.monotonic()
    build = arguments.build.resolve()
    peers = Peers(arguments.prefix.resolve(), build / 'peers')
    results = []
    with Places(build) as places:
        for item in chosen:
            item_start = time.monotonic()
            result = measure_item(peers, places, item, arguments.rounds)
            results.append(result)
            print(f'{report.text(result)}  ({time.monotonic() - item_start:.0f} s)\n', flush=True)
        machine = report.describe_machine(peers.versions, places.describe())

    for program, reason in sorted(peers.absent.items()):
        print(f'Left out: {program} ({reason})')
    report.write_json(build / 'results.json', machine, results)
    report.write_charts(build / 'charts', results)
    report.write_markdown(build / 'performance.md', machine, peers.absent, results)
    if arguments.docs:
        report.update_docs(arguments.docs, build)
    missed = [bound for result in results for bound in result.bounds() if not bound.met]
    print(f'{time.monotonic() - start:.0f} s; results, charts and table in {os.path.relpath(build)}')
    print(f'{sum(len(result.bounds()) for result in results) - len(missed)} bounds met, {len(missed)} missed')


if __name__ == '__main__':
    sys.exit(main())
