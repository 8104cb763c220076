# SPDX-FileCopyrightText: 2026 The tempfile-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""A program with types that uses tempfile; checked by mypy, and run, as it is and with Tf in its place."""

import csv
import gzip
import io
import json
import os
import pathlib
import pickle
import shutil
import subprocess
import sys
import tempfile
import zipfile
from typing import IO, Any, BinaryIO, Optional


def copy(source: IO[bytes], target: IO[bytes]) -> int:
    shutil.copyfileobj(source, target)
    return target.tell()


def count_words(file: IO[str]) -> int:
    return sum(len(line.split()) for line in file)


def archive(file: IO[bytes]) -> list[str]:
    with zipfile.ZipFile(file, 'w') as package:
        package.writestr('name', b'content')
    with zipfile.ZipFile(file) as package:
        return package.namelist()


def unnamed() -> None:
    with tempfile.TemporaryFile() as source, tempfile.TemporaryFile('w+b', dir=pathlib.Path('.')) as target:
        source.write(b'Hello world!')
        source.seek(0)
        assert copy(source, target) == 12
        pickle.dump([1], target)
        with gzip.open(target, 'wb') as packed:
            packed.write(b'x')
    assert source.closed


def named() -> str:
    with tempfile.NamedTemporaryFile('w+', encoding='utf-8', newline='', suffix='.csv', delete=True) as file:
        csv.writer(file).writerow(['a b', 'c'])
        json.dump([1], file)
        file.flush()
        file.seek(0)
        assert count_words(file) == 3
        below: IO[str] = file.file
        below.seek(0)
        name: str = file.name
        file.delete = True
    with tempfile.NamedTemporaryFile(prefix='p', mode='wb') as output:
        subprocess.run([sys.executable, '-c', 'print(1)'], stdout=output, check=True)
        data: IO[bytes] = output
        data.writelines([b'a', b'b'])
    return name


def spooled(kept: Optional[IO[bytes]] = None) -> list[bytes]:
    with tempfile.SpooledTemporaryFile(max_size=1000) as file:
        kept = file
        archive(file)
        file.rollover()
        file.seek(0)
        file.truncate(0)
        file.write(b'one\ntwo\n')
        file.seek(0)
        with io.BytesIO() as memory:
            assert copy(file, memory) == 8
        file.seek(0)
        lines: list[bytes] = file.readlines()
    with tempfile.SpooledTemporaryFile(mode='w+') as text:
        text.write('one\n')
        text.seek(0)
        assert count_words(text) == 1
    assert kept.closed
    return lines


class Report:
    file: 'tempfile.SpooledTemporaryFile[bytes]'
    directory: 'Optional[tempfile.TemporaryDirectory[str]]' = None

    def __init__(self) -> None:
        self.file = tempfile.SpooledTemporaryFile(0)
        self.directory = tempfile.TemporaryDirectory(prefix='report-')

    def close(self) -> None:
        self.file.close()
        if self.directory is not None:
            self.directory.cleanup()


def directories() -> None:
    with tempfile.TemporaryDirectory('s', 'p', None, True) as path:
        pathlib.Path(path, 'file').touch()
        assert os.path.join(path, 'file').startswith(tempfile.gettempdir())
    directory = tempfile.TemporaryDirectory(suffix=b's')
    name: bytes = directory.name
    directory.cleanup()
    report = Report()
    report.close()
    assert not os.path.exists(name)


def functions() -> None:
    fd, path = tempfile.mkstemp('.txt', 'p', text=True)
    with open(fd, 'w') as file:
        file.write('x')
    os.remove(path)
    made: str = tempfile.mkdtemp(prefix='p')
    os.rmdir(made)
    made_of_bytes: bytes = tempfile.mkdtemp(b's')
    os.rmdir(made_of_bytes)
    prefix: str = tempfile.gettempprefix()
    names: list[bytes] = [tempfile.gettempdirb(), tempfile.gettempprefixb()]
    limit: int = tempfile.TMP_MAX
    assert prefix == tempfile.template and len(names) < limit


def copied() -> None:
    with tempfile.TemporaryFile() as file, tempfile.NamedTemporaryFile() as named, \
            tempfile.SpooledTemporaryFile(max_size=1000) as spooled:
        shutil.copyfileobj(io.BytesIO(b'x'), file)
        shutil.copyfileobj(io.BytesIO(b'x'), named)
        shutil.copyfileobj(io.BytesIO(b'x'), spooled)
        shutil.copyfileobj(named, io.BytesIO())
    with tempfile.TemporaryFile('w+') as text, tempfile.NamedTemporaryFile('w+') as named_text:
        shutil.copyfileobj(io.StringIO('x'), text)
        shutil.copyfileobj(io.StringIO('x'), named_text)


def use_binary(file: BinaryIO) -> Any:
    return file.read()


unnamed()
named()
assert spooled() == [b'one\n', b'two\n']
directories()
functions()
copied()
