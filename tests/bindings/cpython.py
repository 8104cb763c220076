# SPDX-FileCopyrightText: 2026 The tempfile-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Runs CPython's own tests of tempfile with Tf in its place.

Debian has them in libpython3.N-testsuite. The cases that do not apply are listed here, each with its reason.
"""

import importlib
import os
import sys
import unittest
import warnings

try:
    import test.test_tempfile
except ImportError:
    print('skipped: the test suite of Python is not installed')
    sys.exit(77)

from sandbox import Tf

NOT_APPLICABLE = {
    # Tf finds its directory, and makes its names, in C.
    'TestCandidateTempdirList.test_nonempty_list': 'a private function',
    'TestCandidateTempdirList.test_wanted_dirs': 'a private function',
    'TestGetDefaultTempdir.test_no_files_left_behind': 'replaces private functions, and os.open()',
    'TestMkdtemp.test_collision_with_existing_directory': 'replaces a private function',
    'TestMkdtemp.test_collision_with_existing_file': 'replaces a private function',
    'TestMkstempInner.test_collision_with_existing_directory': 'replaces a private function',
    'TestMkstempInner.test_collision_with_existing_file': 'replaces a private function',
    'TestNamedTemporaryFile.test_unexpected_error': 'replaces a private class, and io.open()',
    'TestTemporaryFile.test_unexpected_error': 'replaces io.open()',
    'TestSpooledTemporaryFile.test_truncate_with_size_parameter': 'looks for a BytesIO in a private attribute',
    'TestExports.test_exports': 'Tf has more than tempfile',
    'TestNamedTemporaryFile.test_del_by_finalizer': 'expects the name of a private class',
    'TestTemporaryDirectory.test_cleanup_safe': 'looks at a private variable',
}

MOST = 13


class Names:
    """Names as files get them."""

    def __iter__(self):
        return self

    def __next__(self):
        return os.path.basename(Tf.mktemp('', ''))


def lend_private_names(real):
    """What the tests of public calls use besides, so that they test Tf."""
    overrides = sys.modules['gi.overrides.Tf']
    Tf._bin_openflags, Tf._text_openflags = real._bin_openflags, real._text_openflags
    Tf._infer_return_type = lambda *names: overrides.type_of_names(map(as_path, names))
    Tf._RandomNameSequence = Names
    names = Names()
    Tf._get_candidate_names = lambda: names
    Tf._mkstemp_inner = lambda dir, prefix, suffix, flags, output_type: Tf.mkstemp(suffix, prefix, dir)


def as_path(name):
    return None if name is None else os.fspath(name)


def load():
    """Returns the module of the tests, with Tf for tempfile in it and in what it imports from there."""
    real = sys.modules['tempfile']
    sys.modules['tempfile'] = Tf
    lend_private_names(real)
    try:
        del sys.modules['test.test_tempfile']
        return importlib.import_module('test.test_tempfile')
    finally:
        sys.modules['tempfile'] = real


def each(suite):
    for test in suite:
        if isinstance(test, unittest.TestSuite):
            yield from each(test)
        else:
            yield test


def main():
    module = load()
    tests = list(each(unittest.defaultTestLoader.loadTestsFromModule(module)))
    names = {test.id().removeprefix('test.test_tempfile.') for test in tests}
    applicable = unittest.TestSuite(
        test for test in tests if test.id().removeprefix('test.test_tempfile.') not in NOT_APPLICABLE)
    with warnings.catch_warnings():
        warnings.simplefilter('default')
        result = unittest.TextTestRunner(verbosity=1).run(applicable)

    print(f'{result.testsRun} of {len(tests)} cases apply')
    unknown = sorted(NOT_APPLICABLE.keys() - names) if sys.version_info[:2] == (3, 14) else []
    if unknown:
        print(f'No such case: {unknown}')
    sys.exit(not result.wasSuccessful() or bool(unknown) or len(NOT_APPLICABLE) > MOST)


os.environ.pop('TMPDIR', None)
main()
