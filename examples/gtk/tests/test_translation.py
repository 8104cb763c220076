# SPDX-FileCopyrightText: 2026 The tempfile-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""All that users read can be translated: in a language that puts brackets around everything, all is in brackets.

Usage: desktop.py test_translation.py SCRATCH INSIDE SOURCE_ROOT [UNITTEST_ARGUMENT...]
"""

import re
import shutil
import subprocess
import sys
import unittest

import desktop
from test_scratch import HOME, MB, TestCase

INSIDE, SOURCE_ROOT = sys.argv.pop(1), sys.argv.pop(1)

# Names of files, numbers, and what GTK says
UNTRANSLATED = re.compile(r'(missing|notes)\.txt|(Minimize|Maximize|Close)( the window)?|plain text document|'
                          r'Error when getting information for file .*|No such file or directory|Gtk[A-Z].*|Adw[A-Z].*')
ROLES = ('alert', 'frame', 'label', 'level bar', 'list', 'progress bar', 'push button', 'text')


class TestTranslation(TestCase):
    def make_language(self):
        if not shutil.which('xgettext'):
            self.skipTest('gettext is not installed')
        messages = HOME / 'locale' / 'xx' / 'LC_MESSAGES'
        messages.mkdir(parents=True)
        pot, po = messages / 'a.pot', messages / 'a.po'
        subprocess.run(['xgettext', '--from-code=UTF-8', '-k_', '-kN_', '-f', 'examples/gtk/po/POTFILES', '-o', pot],
                       cwd=SOURCE_ROOT, check=True)
        subprocess.run(['msgen', pot, '-o', po], check=True)
        subprocess.run(['msgfilter', '--keep-header', '-i', po, '-o', po, 'sed', r'1s/^/[/;$s/$/]/'],
                       check=True, stderr=subprocess.DEVNULL)
        subprocess.run(['msgfmt', '--check-format', po, '-o', messages / 'tempfile-glib-scratch.mo'], check=True)
        return HOME / 'locale'

    def test_all_is_translated(self):
        path = self.make_file('notes.txt', content=b'text')
        app = self.start(path, HOME / 'in' / 'missing.txt',
                         env={'LANGUAGE': 'xx', 'LD_PRELOAD': INSIDE, 'SCRATCH_LOCALEDIR': str(self.make_language())})
        app.wait_for_row('notes.txt', r'\[4 bytes · \[in memory\]\]')
        app.wait_for_row('missing.txt', 'No such file')
        app.activate('win.fetch')
        names = [node.get_name() for node in app.walk() if node.get_role_name() in ROLES and node.get_name()]
        self.assertEqual([name for name in names if not name.startswith('[') and not UNTRANSLATED.fullmatch(name)], [])
        self.assertGreater(len([name for name in names if name.startswith('[')]), 15, names)
        app.activate('win.save-to', (self.out / 'saved').as_uri())
        self.close(app)


if __name__ == '__main__':
    unittest.main(verbosity=2)
