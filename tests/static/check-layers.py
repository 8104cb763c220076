#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The tempfile-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Checks who includes whom, how long the functions are, what the symbols are called, and that only
base/tf-system* needs more than POSIX.

Usage: check-layers.py SOURCE_DIR

A function of more than 60 lines has "Long because …" in the comment before it.
"""

import pathlib
import re
import statistics
import sys

MAX_FUNCTION_LINES = 60

# Each folder may include what is in itself and in those it stands on. '' is the folder that is installed.
STANDS_ON = {
    'base': [],
    'tree': ['base'],
    'text': ['base'],
    'names': ['base', 'tree', 'text'],
    'persist': ['base', 'tree', 'text', 'names'],
    'store': ['base', 'tree', 'text', 'names', 'persist'],
    '': ['base', 'tree', 'text', 'names', 'persist', 'store'],
}

# What POSIX does not have belongs into these units.
SYSTEM = 'base/tf-system'
NOT_POSIX = re.compile(r"""
      \b(?: _GNU_SOURCE | TEMP_FAILURE_RETRY | AT_EMPTY_PATH | F_(?:ADD|GET)_SEALS | FICLONE\w* | O_PATH | O_TMPFILE
         | SEEK_(?:DATA|HOLE) | (?:FALLOC|F_SEAL|MADV|MFD|MREMAP|RENAME|RESOLVE|STATX|SYS)_\w+
         | struct\ (?:dirent64|open_how|statfs|statx) )\b
    | \b(?: [fl]?(?:get|list|remove|set)xattr | asprintf | copy_file_range | dup3 | eventfd | f?statfs | fallocate
         | flock | getdents64 | getentropy | getrandom | ioctl | madvise | memfd_create | memmem | mempcpy | memrchr | mincore
         | mremap | openat2 | pidfd_open | pipe2 | preadv2? | pwritev2? | renameat2 | secure_getenv | sendfile
         | statx | strchrnul | syncfs | syscall )\ \(
    | \#\ *include\ <(?: linux/.* | sys/(?:eventfd|file|ioctl|mount|random|sendfile|statfs|syscall|sysmacros|vfs|xattr)\.h )>
    | "/proc/[^"]*"
    """, re.VERBOSE)

# Public headers that hold types alone: everybody may include them.
TYPES = ['tf-enums.h', 'tf-version.h']


class Unit:
    """A .c file and the .h file of the same name."""

    def __init__(self, root, stem):
        self.stem = stem
        self.folder, _, self.name = stem.rpartition('/')
        self.files = {path.name: path.read_text(encoding='utf-8')
                      for path in sorted(root.glob(f'{stem}.[ch]')) + sorted(root.glob(f'{stem}.h.in'))}
        self.includes = {}

    def resolve(self, root):
        """Maps each included file of ours to its path below the root."""
        for file, text in self.files.items():
            for quote, name in re.findall(r'^# *include ([<"])([^>"]+)', text, re.MULTILINE):
                own = f'{self.folder}/{name}'.lstrip('/')
                if quote == '"':
                    self.includes.setdefault(file, []).append(own if (root / own).exists() else name)

    @property
    def used(self):
        return {re.sub(r'\.h$', '', path) for paths in self.includes.values() for path in paths} - {self.stem}


def functions_of(text):
    """Yields name, number of lines, whether it is static, and the comment before each function."""
    pattern = r'((?:^/\*(?:[^*]|\*(?!/))*\*/\n)?)((?:^(?!#)[A-Za-z_].*\n)+?)^(?!G_)(\w+) \((?:.*\n)+?^\{\n((?:.*\n)*?)^\}$'
    for comment, head, name, body in re.findall(pattern, text, re.MULTILINE):
        yield name, body.count('\n'), re.search(r'\bstatic\b', head) is not None, comment


def include_problems(unit):
    for file, paths in unit.includes.items():
        public = unit.folder == '' and not file.endswith('.c')
        for path in paths:
            folder = path.rpartition('/')[0]
            if path in TYPES or folder == unit.folder:
                continue
            if public:
                yield file, f'a public header includes {path}'
            elif folder not in STANDS_ON.get(unit.folder, []):
                yield file, f'includes {path}, which is above it'
    for file, text in unit.files.items():
        if unit.folder == '' and not file.endswith('.c'):
            for name in re.findall(r'^# *include <([^>]+)', text, re.MULTILINE):
                if not re.match(r'g(lib|io)(-object)?(/|\.h)', name):
                    yield file, f'a public header includes <{name}>'


def system_problems(unit):
    if unit.stem.startswith(SYSTEM):
        return
    for file, text in unit.files.items():
        code = re.sub(r'/\*(?:[^*]|\*(?!/))*\*/', '', text)
        for found in NOT_POSIX.finditer(code):
            yield file, f'uses {found.group().rstrip(" (")}, which belongs into {SYSTEM}'


def naming_problems(unit, units):
    # What stands beside a unit and has its name with something behind it is the rest of that unit.
    names = [unit.name, *(other.name for other in units
                         if other.folder == unit.folder and unit.name.startswith(f'{other.name}-'))]
    prefix = min(names, key=len).replace('-', '_')
    for file, text in unit.files.items():
        if unit.folder not in STANDS_ON:
            yield file, 'is in a folder that this check does not know'
        if '-private' in file:
            yield file, 'is private by its folder, not by its name'
        if unit.folder == '' or file.endswith('.h'):
            continue
        for name, _, is_static, _ in functions_of(text):
            if not is_static and not re.match(rf'{prefix}(_|$)', name):
                yield file, f'{name}() does not begin with {prefix}_'


def find_circles(units):
    """The sets of two and more units that reach each other."""
    def reach(start):
        seen, todo = set(), [start]
        while todo:
            for used in units[todo.pop()].used & units.keys() - seen:
                seen.add(used)
                todo.append(used)
        return seen

    reached = {stem: reach(stem) for stem in units}
    return sorted({tuple(sorted({stem} | {other for other in reached[stem] if stem in reached[other]}))
                   for stem in units if stem in reached[stem]})


def count_floors(units):
    floors = {}

    def floor_of(stem):
        if stem not in floors:
            floors[stem] = 0
            floors[stem] = 1 + max((floor_of(used) for used in units[stem].used & units.keys()), default=0)
        return floors[stem]

    return max(floor_of(stem) for stem in units)


def main():
    root = pathlib.Path(sys.argv[1])
    stems = {re.sub(r'\.(c|h|h\.in)$', '', str(path.relative_to(root)))
             for path in root.rglob('*') if re.search(r'\.([ch]|h\.in)$', path.name)}
    units = {stem: Unit(root, stem) for stem in sorted(stems)}
    assert units, 'no files'

    found = 0
    lengths = []
    for unit in units.values():
        unit.resolve(root)
        for file, problem in [*include_problems(unit), *naming_problems(unit, units.values()), *system_problems(unit)]:
            print(f'{unit.folder or "."}/{file}: {problem}')
            found += 1
        for file, text in unit.files.items():
            for name, n_lines, _, comment in functions_of(text) if file.endswith('.c') else []:
                lengths.append(n_lines)
                if n_lines > MAX_FUNCTION_LINES:
                    reason = re.search(r'Long because (.*?)\.?\s*(\*/|\n \*\n)', comment, re.DOTALL)
                    print(f'{file}: {name}() has {n_lines} lines: {reason.group(1) if reason else "no reason given"}')
                    found += reason is None

    circles = find_circles(units)
    for circle in circles:
        print(f'a circle: {" ".join(circle)}')
    lengths.sort()
    print(f'{sum(any(file.endswith(".c") for file in unit.files) for unit in units.values())} .c files, '
          f'{len(circles)} circles, {count_floors(units)} floors; {len(lengths)} functions, '
          f'median {statistics.median(lengths):g} lines, p90 {lengths[len(lengths) * 9 // 10]}, '
          f'{sum(n > MAX_FUNCTION_LINES for n in lengths)} above {MAX_FUNCTION_LINES}')
    sys.exit(1 if found or circles else 0)


main()
