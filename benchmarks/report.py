# SPDX-FileCopyrightText: 2026 The tempfile-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""What was measured, as text, JSON, Markdown and charts."""

import json
import os
import platform
import re
import shutil
from dataclasses import asdict, dataclass
from datetime import date

import chart
from items import LIMIT, OURS, PEER


@dataclass
class EntryResult:
    label: str
    role: str
    median: float
    least: float
    most: float


@dataclass
class BoundResult:
    text: str
    ratio: float
    factor: float

    @property
    def met(self):
        return self.ratio <= self.factor


@dataclass
class CaseResult:
    case: object
    entries: list

    def best(self, *roles):
        return min((entry.median for entry in self.entries if entry.role in roles), default=None)

    def bounds(self):
        medians = {entry.label: entry.median for entry in self.entries}
        for bound in self.case.bounds:
            others = [label for label in bound.others if label in medians]
            if not bound.others:
                yield BoundResult(f'{bound.ours} ≤ {bound.factor:,.0f}', medians[bound.ours], bound.factor)
            elif others:
                best = min(others, key=medians.get)
                yield BoundResult(f'{bound.ours} ≤ {bound.factor:g} × {best}', medians[bound.ours] / medians[best],
                                  bound.factor)


@dataclass
class GrowthResult:
    label: str
    sizes: tuple
    totals: list
    exponent: float


@dataclass
class TableResult:
    table: object
    labels: list
    values: list  # for each size one list, with one value for each label

    def bounds(self):
        table = self.table
        if table.ours in self.labels:
            column = self.labels.index(table.ours)
            yield BoundResult(f'{table.ours} ≤ {table.factor} × content + {table.room} bytes at each size',
                              max(values[column] / (table.factor * n + table.room)
                                  for n, values in zip(table.sizes, self.values)), 1)


@dataclass
class ItemResult:
    item: object
    cases: list
    growth: list
    tables: list

    def bounds(self):
        return [bound for part in (*self.cases, *self.tables) for bound in part.bounds()]


def ratio(value, base):
    return f'{value / base:.2f}' if base else '–'


def quantity(value, unit):
    if unit == 'descriptors':
        return f'{value:.0f}'
    if unit == 'bytes':
        return f'{value / (1 << 20):,.1f} MiB' if value >= 1 << 20 else f'{value:,.0f} B'
    for scale, name in ((1e9, 's'), (1e6, 'ms'), (1e3, 'µs')):
        if value >= scale:
            return f'{value / scale:.3g} {name}' if value < 1000 * scale else f'{value / scale:.0f} {name}'
    return f'{value:.3g} ns'


def rows(result, unit):
    """(label, median, × the limit, × the best peer) of each entry of a case."""
    for entry in result.entries:
        yield (entry.label, quantity(entry.median, unit), ratio(entry.median, result.best(LIMIT)),
               ratio(entry.median, result.best(PEER)))


def align(table):
    widths = [max(len(row[i]) for row in table) for i in range(len(table[0]))]
    return '\n'.join('  ' + row[0].ljust(widths[0]) + ''.join(
        '  ' + word.rjust(width) for word, width in zip(row[1:], widths[1:])) for row in table)


def growth_rows(growth):
    for line in growth:
        yield (line.label, *(f'{n:,}: {quantity(total, "ns")}' for n, total in zip(line.sizes, line.totals)),
               f'{line.exponent:.2f}')


def table_rows(result):
    """The content, and what each contestant has resident for it."""
    for n, values in zip(result.table.sizes, result.values):
        yield (f'{n:,} × {result.table.count(n):,}', *(f'{value:,.0f}' + (f' ({value / n:.2f})' if n >= 1024 else '')
                                                       for value in values))


def bound_text(bound):
    ratio_text = f'{bound.ratio:.2f}' if bound.factor < 1000 else f'{bound.ratio:,.0f}'
    return f'{"met   " if bound.met else "MISSED"}  {bound.text}: {ratio_text}'


def text(result):
    parts = [f'{result.item.name}: {result.item.title}']
    for case in result.cases:
        head = (case.case.title, 'median', '× limit', '× best peer')
        parts.append(align([head, *rows(case, result.item.unit)]))
        parts += ['  ' + bound_text(bound) for bound in case.bounds()]
    if result.growth:
        parts.append(align([('', 'small', 'medium', 'large', 'exponent'), *growth_rows(result.growth)]))
    for table in result.tables:
        parts.append(align([(table.table.title, *table.labels), *table_rows(table)]))
        parts += ['  ' + bound_text(bound) for bound in table.bounds()]
    return '\n'.join(parts) + '\n'


# --- Files -------------------------------------------------------------------------------------

def describe_machine(versions, places):
    with open('/proc/cpuinfo', encoding='utf-8') as cpuinfo:
        model = re.search(r'model name\s*: (.*)', cpuinfo.read())
    with open('/proc/meminfo', encoding='utf-8') as meminfo:
        memory = int(meminfo.readline().split()[1]) / (1 << 20)
    system = platform.freedesktop_os_release()
    return {
        'date': date.today().isoformat(),
        'processor': model.group(1) if model else platform.machine(),
        'processors': os.cpu_count(),
        'memory': f'{memory:.0f} GiB',
        'system': f'{system["NAME"]} {system.get("VERSION_ID", "")}'.strip(),
        'kernel': platform.release(),
        'file systems': ', '.join(f'{name}: {kind}' for name, kind in places.items()),
        'versions': versions,
    }


def write_json(path, machine, results):
    data = {
        'machine': machine,
        'items': [{
            'name': result.item.name,
            'title': result.item.title,
            'unit': result.item.unit,
            'cases': [{
                'title': case.case.title,
                'entries': [asdict(entry) for entry in case.entries],
                'bounds': [{**asdict(bound), 'met': bound.met} for bound in case.bounds()],
            } for case in result.cases],
            'growth': [asdict(line) for line in result.growth],
            'tables': [asdict(table) for table in result.tables],
        } for result in results],
    }
    path.write_text(json.dumps(data, indent=2, ensure_ascii=False) + '\n', encoding='utf-8')


def write_charts(folder, results):
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for result in results:
        if result.cases:
            (folder / f'{result.item.name}.svg').write_text(chart.draw(result, quantity), encoding='utf-8')


# Headings of performance.md that say what misses a bound, by item
ALL_REASONS = 'where-bounds-are-missed-and-why'
REASONS = {
    'write-64-again': '64-byte-writes-into-many-files-of-10-kib',
    'write-large': 'large-writes-compared-with-python-and-rust',
    'unnamed': 'an-unnamed-file',
    'named': 'a-named-file-and-a-directory-create-and-remove',
    'dir': 'a-named-file-and-a-directory-create-and-remove',
}


def markdown_table(head, lines):
    dashes = ['---'] + ['---:'] * (len(head) - 1)
    return '\n'.join('| ' + ' | '.join(line) + ' |' for line in (head, dashes, *lines))


def markdown_bound(bound, item):
    ratio = bound_text(bound).rsplit(': ', 1)[1]
    if bound.met:
        return f'Met: {bound.text} ({ratio})'
    return f'**Missed**: {bound.text} ({ratio}), [why](#{REASONS.get(item, ALL_REASONS)})'


def markdown_item(result):
    parts = [f'### {result.item.title}']
    if result.cases:
        parts.append(f'![{result.item.title}]({result.item.name}.svg)')
    for case in result.cases:
        emphasised = [(f'**{row[0]}**' if entry.role == OURS else row[0], *row[1:])
                      for row, entry in zip(rows(case, result.item.unit), case.entries)]
        parts.append(markdown_table((case.case.title, 'median', '× limit', '× best peer'), emphasised))
        bounds = list(case.bounds())
        if bounds:
            parts.append('\n'.join(f'- {markdown_bound(bound, result.item.name)}' for bound in bounds))
    if result.growth:
        parts.append(markdown_table(('n', 'small', 'medium', 'large', 'exponent'), growth_rows(result.growth)))
    for table in result.tables:
        parts.append(markdown_table((table.table.title, *table.labels), table_rows(table)))
        parts.append('\n'.join(f'- {markdown_bound(bound, result.item.name)}' for bound in table.bounds()))
    return '\n\n'.join(parts)


def write_markdown(path, machine, absent, results):
    versions = ', '.join(f'{name} {version}' for name, version in sorted(machine['versions'].items()))
    left_out = f' Not installed, so left out: {", ".join(sorted(absent))}.' if absent else ''
    head = (f'Measured on {machine["date"]}: {machine["processor"]}, {machine["processors"]} processors, '
            f'{machine["memory"]}; {machine["system"]}, Linux {machine["kernel"]}; {machine["file systems"]}. '
            f'{versions}.{left_out}')
    path.write_text('\n\n'.join([head, *map(markdown_item, results)]) + '\n', encoding='utf-8')


def update_docs(docs, build):
    """Puts the table between the two marks of performance.md, and the charts beside it."""
    page = docs / 'performance.md'
    table = (build / 'performance.md').read_text(encoding='utf-8')
    page.write_text(re.sub(r'(?s)(<!-- results -->\n).*(<!-- end of results -->)',
                           lambda match: f'{match[1]}\n{table}\n{match[2]}',
                           page.read_text(encoding='utf-8')), encoding='utf-8')
    for svg in (build / 'charts').iterdir():
        shutil.copy(svg, docs / svg.name)
