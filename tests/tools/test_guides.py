# SPDX-FileCopyrightText: 2026 The tempfile-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Runs what README and the guide about debugging say to a shell.

Usage: test_guides.py TOOL README DEBUGGING
"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest
import zipfile

TOOL, README, DEBUGGING = map(os.path.abspath, sys.argv[1:4])

UNZIP = f'''#!/bin/sh
test "$1" = -d && exec {sys.executable} -m zipfile -e "$3" "$2"
'''


def block_of(guide, word):
    """The only block for a shell in which the word is."""
    blocks = re.findall(r'^```sh\n(.*?)^```$', pathlib.Path(guide).read_text(encoding='utf-8'), re.DOTALL | re.MULTILINE)
    block, = (block for block in blocks if word in block)
    return block


class GuidesTest(unittest.TestCase):
    def setUp(self):
        sandbox = tempfile.TemporaryDirectory(prefix='guides-')
        self.addCleanup(sandbox.cleanup)
        self.sandbox = pathlib.Path(sandbox.name).resolve()
        for name in 'bin', 'work', 'tmp', 'runtime':
            (self.sandbox / name).mkdir(mode=0o700)
        self.env = {**os.environ, 'PATH': f"{self.sandbox / 'bin'}:{os.environ['PATH']}",
                    'TMPDIR': str(self.sandbox / 'tmp'), 'XDG_RUNTIME_DIR': str(self.sandbox / 'runtime')}
        self.env.pop('TF_DEBUG', None)
        (self.sandbox / 'bin/tempfile-glib').symlink_to(TOOL)

    def add_program(self, name, text):
        path = self.sandbox / 'bin' / name
        path.write_text(text, encoding='utf-8')
        path.chmod(0o755)

    def run_shell(self, text):
        result = subprocess.run(['sh', '-e', '-c', text], env=self.env, cwd=self.sandbox / 'work', text=True, check=False,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.assertEqual(result.returncode, 0, result.stdout)
        return result.stdout

    def left(self):
        return os.listdir(self.sandbox / 'tmp')

    def test_readme(self):
        self.add_program('unzip', UNZIP)
        with zipfile.ZipFile(self.sandbox / 'work/photos.zip', 'w') as photos:
            photos.writestr('one.jpg', 'one')
            photos.writestr('notes.txt', 'notes')
        self.run_shell(block_of(README, 'tempfile-glib run'))
        self.assertEqual(sorted(os.listdir(self.sandbox / 'work')), ['one.jpg', 'photos.zip'])
        self.assertEqual(self.left(), [])

    def test_debugging(self):
        self.add_program('program', '#!/bin/sh\nexec tempfile-glib run -- sh -c \'test -d "$TMPDIR"\'\n')
        trace, keep, leaks, both = block_of(DEBUGGING, 'TF_DEBUG').splitlines()
        printed = self.run_shell(trace)
        self.assertIn('created', printed)
        self.assertIn('removed', printed)
        self.assertEqual(self.run_shell(leaks), '')
        self.assertIn('removed', self.run_shell(both))
        self.assertEqual(self.left(), [])
        printed = self.run_shell(keep)
        name, = self.left()
        self.assertIn(name, printed)


if __name__ == '__main__':
    unittest.main(argv=sys.argv[:1] + sys.argv[4:])
