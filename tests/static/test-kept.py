#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The tempfile-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""When kept.py runs a test, and when it repeats what it has said before."""

import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

FOLDER = pathlib.Path(__file__).resolve().parent

# kept.py, where the file systems of the kernel are in a file of the test
MAIN = '''
import os, sys
sys.path.insert(0, sys.argv[1])
del sys.argv[1]
import kept
kept.FILE_SYSTEMS = os.environ['FILE_SYSTEMS']
sys.exit(kept.main())
'''

PROGRAM = '''
import os, pathlib, sys
with open(os.environ['RUNS'], 'a') as runs:
    runs.write('.')
# As a test that mounts a file system for the first time
if 'LOADS' in os.environ:
    pathlib.Path(os.environ['FILE_SYSTEMS']).write_text(os.environ['LOADS'])
source = pathlib.Path(__file__).parent
print((source / 'output').read_text(), end='')
sys.exit(int((source / 'status').read_text()))
'''


class KeptTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        self.source, self.build = self.root / 'source', self.root / 'build'
        (self.source / 'folder').mkdir(parents=True)
        for name in 'tests', 'tempfile-glib':
            (self.build / name).mkdir(parents=True)
        for name, text in {'program.py': PROGRAM, 'output': 'ok 1\n', 'status': '0', 'folder/input': ''}.items():
            (self.source / name).write_text(text)
        (self.build / 'tempfile-glib/lib.so').write_text('')

    def run_it(self, *arguments, **env):
        """Returns how often it was run, the exit status, and the output."""
        runs = self.root / 'runs'
        runs.write_text('')
        environment = {name: value for name, value in os.environ.items() if name != 'TF_TEST_ANEW'}
        result = subprocess.run([sys.executable, '-c', MAIN, str(FOLDER), str(self.source), str(self.build), sys.executable,
                                 str(self.source / 'program.py'), *arguments],
                                env={**environment, 'RUNS': str(runs), 'FILE_SYSTEMS': str(self.root / 'filesystems'), **env},
                                stdout=subprocess.PIPE, text=True)
        return len(runs.read_text()), result.returncode, result.stdout

    def assert_runs(self, *arguments, **env):
        self.assertEqual(self.run_it(*arguments, **env)[0], 1)

    def assert_kept(self, *arguments, **env):
        n, status, output = self.run_it(*arguments, **env)
        self.assertEqual((n, status), (0, 0))
        self.assertRegex(output, '^# Passed at .*\nok 1\n$')

    def test_pass(self):
        self.assert_runs()
        self.assert_kept()
        self.assert_runs(TF_TEST_ANEW='1')
        self.assert_kept()

    def test_changes(self):
        self.assert_runs()
        for path in self.source / 'folder/input', self.build / 'tempfile-glib/lib.so', self.source / 'new':
            path.write_text('changed')
            self.assert_runs()
            self.assert_kept()
        (self.source / 'new').unlink()
        self.assert_runs()
        self.assert_runs('another')
        self.assert_runs(TF_HOW='otherwise')
        self.assert_runs(PATH=os.environ['PATH'] + ':/another')

    def test_folder_of_path_that_is_built(self):
        path = f'{self.build / "tempfile-glib"}:{os.environ["PATH"]}'
        self.assert_runs(PATH=path)
        (self.build / 'tempfile-glib/lib.so.tmp').write_text('')
        self.assert_kept(PATH=path)

    def test_folder_to_build_in(self):
        (self.build / 'folder').mkdir()
        self.assert_runs(str(self.build / 'folder'), str(self.build))
        (self.build / 'folder/built').write_text('')
        self.assert_kept(str(self.build / 'folder'), str(self.build))

    def test_file_system_that_the_test_loads(self):
        file_systems = self.root / 'filesystems'
        file_systems.write_text('ext4')
        self.assert_runs(LOADS='xfs')
        self.assert_kept()
        file_systems.write_text('ext4')
        self.assert_runs()

    def test_failure(self):
        for name, text in ('status', '3'), ('output', 'not ok 1\n'), ('output', '1..0 # SKIP\n'), ('output', 'Bail out!\n'):
            with self.subTest(name, text=text):
                before = (self.source / name).read_text()
                (self.source / name).write_text(text)
                self.assert_runs()
                self.assert_runs()
                self.assertEqual(self.run_it()[1], 3 if name == 'status' else 0)
                (self.source / name).write_text(before)

    def test_skip_in_part(self):
        (self.source / 'output').write_text('ok 1\nok 2 # SKIP\n')
        self.assert_runs()
        n, status, output = self.run_it()
        self.assertEqual((n, status), (0, 0))
        self.assertIn('ok 2 # SKIP', output)

    def test_failure_after_pass(self):
        self.assert_runs()
        (self.source / 'status').write_text('1')
        self.assert_runs()
        (self.source / 'status').write_text('0')
        self.assert_runs()


if __name__ == '__main__':
    unittest.main()
