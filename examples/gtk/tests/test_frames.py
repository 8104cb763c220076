# SPDX-FileCopyrightText: 2026 The tempfile-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""No frame waits more than 16 ms for the library while 1 GB is fetched from a local server, and saved.

Usage: desktop.py test_frames.py SCRATCH INSIDE [UNITTEST_ARGUMENT...]
"""

import hashlib
import os
import signal
import sys
import unittest

import desktop
from test_scratch import HOME, MB, Server, TestCase

INSIDE = sys.argv.pop(1)

GB = 1000 * MB
LIMIT_US = 16000


class TestFrames(TestCase):
    def setUp(self):
        super().setUp()
        self.results = self.out / 'frames'
        self.results.touch()

    def measure(self, app, what):
        """What inside.c has measured since the last call."""
        n_results = len(self.results.read_text().splitlines())
        app.process.send_signal(signal.SIGUSR1)
        desktop.wait_for(lambda: len(self.results.read_text().splitlines()) > n_results, 'the measurement')
        library, busy, n_frames, paint, interval = map(int, self.results.read_text().splitlines()[-1].split())
        print(f'{what}: in the library {library} µs at most, busy {busy} µs; {n_frames} frames, painting {paint} µs, '
              f'{interval} µs from one to the next')
        return library, n_frames

    def start_measured(self):
        return self.start(env={'LD_PRELOAD': INSIDE, 'SCRATCH_FRAMES': str(self.results)})

    def wait_until_ready(self, app):
        # To look at the tree is work for the application.
        desktop.wait_for(lambda: app.is_enabled('save-to'), 'the end')

    def assert_frames_do_not_wait(self, app, what):
        library, n_frames = self.measure(app, what)
        self.assertLess(library, LIMIT_US, what)
        self.assertGreater(n_frames, 10, what)

    def test_measurement_finds_what_blocks(self):
        app = self.start_measured()
        self.measure(app, 'start')
        app.process.send_signal(signal.SIGUSR2)
        desktop.iterate(0.2)
        library, _n_frames = self.measure(app, 'blocked')
        self.assertGreater(library, 28000)
        self.assertEqual(self.get_left(), [])

    def test_fetch_and_save(self):
        server = Server()
        piece = os.urandom(MB)
        server.answers['large'] = ({'Content-Length': GB}, lambda: (piece for _ in range(GB // MB)))
        digest = hashlib.sha256()
        for _ in range(GB // MB):
            digest.update(piece)
        other_disk = HOME / 'small'
        targets = [self.out / 'saved']
        if desktop.mount_tmpfs(other_disk, '1200M'):
            self.addCleanup(desktop.run_tool, 'umount', other_disk)
            targets.append(other_disk / 'saved')

        app = self.start_measured()
        self.measure(app, 'start')
        app.activate('win.fetch-uri', server.get_uri('large'))
        self.wait_until_ready(app)
        self.assert_frames_do_not_wait(app, 'fetched')
        for target in targets:
            app.activate('win.save-to', target.as_uri())
            desktop.wait_for(target.exists, 'the file')
            self.wait_until_ready(app)
            self.assert_frames_do_not_wait(app, f'saved on {"this" if target is targets[0] else "another"} file system')
        for target in targets:
            with open(target, 'rb') as file:
                self.assertEqual(hashlib.file_digest(file, 'sha256').digest(), digest.digest())
        self.assertRegex(app.get_rows()['large'].replace('\u00a0', ' '), '1.0 GB · on disk')
        self.close(app)


if __name__ == '__main__':
    unittest.main(verbosity=2)
