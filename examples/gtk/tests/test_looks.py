# SPDX-FileCopyrightText: 2026 The tempfile-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Takes pictures of the application in the light and the dark style, and in a narrow window, and looks at some pixels.

Usage: desktop.py test_looks.py SCRATCH FOLDER [UNITTEST_ARGUMENT...]

The pictures are in FOLDER, for people to look at.
"""

import pathlib
import sys
import threading
import unittest

import desktop
from test_scratch import HERE, HOME, MB, Server, TestCase

FOLDER = pathlib.Path(sys.argv.pop(1))

ICON = HERE.parent / 'data' / 'org.tempfile_glib.Scratch.svg'
TEXT = ''.join(f'Line {i} of a file that is looked at before it is saved, or thrown away.\n' for i in range(1, 100))


class TestLooks(TestCase):
    def setUp(self):
        super().setUp()
        FOLDER.mkdir(exist_ok=True)
        self.go_on = threading.Event()
        self.addCleanup(self.go_on.set)

    def shoot(self, app, name):
        """Takes a picture when it does not change any more, and returns the brightness of its pixels in a corner."""
        path = FOLDER / f'{name}.png'
        last = None
        size = app.get_size()
        picture = desktop.take_screenshot(path, size)
        for _ in range(50):
            desktop.iterate(0.1)
            last, picture = picture, desktop.take_screenshot(path, size)
            if picture == last:
                break
        return sum(picture[3 * 1200 * 450 + 60:3 * 1200 * 450 + 660]) / 600

    def start_with_files(self, scheme):
        def get_pieces():
            yield bytes(50 * MB)
            self.go_on.wait(desktop.TIMEOUT)
            yield bytes(70 * MB)

        server = Server()
        server.answers['holiday.mp4'] = ({'Content-Length': 120 * MB}, get_pieces)
        app = self.start(ICON, self.make_file('notes.txt', content=TEXT.encode()),
                         self.make_file('backup.tar', 30 * MB), HOME / 'in' / 'missing.pdf',
                         server.get_uri('holiday.mp4'), env={'ADW_DEBUG_COLOR_SCHEME': scheme})
        app.wait_for_row('holiday.mp4', '50.0 MB of 120.0 MB')
        app.wait_for_row('backup.tar', 'on disk')
        return app

    def test_light_and_dark(self):
        for scheme in ('prefer-light', 'prefer-dark'):
            with self.subTest(scheme):
                style = scheme.removeprefix('prefer-')
                app = self.start_with_files(scheme)
                app.activate('win.select', 0)
                desktop.wait_for(lambda: app.find('image', ICON.name), app.dump)
                brightness = self.shoot(app, f'{style}-image')
                app.activate('win.select', 1)
                desktop.wait_for(lambda: app.find('text', 'Preview').get_character_count() > 0, app.dump)
                self.shoot(app, f'{style}-text')
                app.activate('win.select', 3)
                app.wait_for_label('missing.pdf')
                self.shoot(app, f'{style}-error')
                if style == 'dark':
                    self.assertLess(brightness, 80)
                else:
                    self.assertGreater(brightness, 200)
                self.go_on.set()
                self.close(app)
                self.go_on.clear()

    def test_empty(self):
        app = self.start(env={'ADW_DEBUG_COLOR_SCHEME': 'prefer-light'})
        app.wait_for_label('Drop Files Here')
        self.shoot(app, 'light-empty')
        app.activate('win.fetch')
        desktop.wait_for(lambda: app.find('text', 'URL'), app.dump)
        self.shoot(app, 'light-fetch')
        self.close(app)

    def test_full_disk(self):
        small = self.mount('10M')
        app = self.start(self.make_file('backup.tar', 40 * MB), temp_dir=small,
                         env={'ADW_DEBUG_COLOR_SCHEME': 'prefer-light'})
        app.wait_for_label('does not fit')
        self.shoot(app, 'light-full-disk')
        app.resize(360, 640)
        self.shoot(app, 'narrow-full-disk')
        self.close(app)

    def test_failure(self):
        for style in ('light', 'dark'):
            app = self.start(self.make_file('notes.txt', content=TEXT.encode()),
                             env={'ADW_DEBUG_COLOR_SCHEME': f'prefer-{style}'})
            desktop.wait_for(lambda: app.is_enabled('save-to'), 'the action')
            app.activate('win.save-to', (self.out / 'none' / 'there').as_uri())
            app.wait_for_label('No such file or directory')
            self.shoot(app, f'{style}-failure')
            app.resize(360, 640)
            self.shoot(app, f'{style}-narrow-failure')
            self.close(app)

    def test_narrow(self):
        app = self.start_with_files('prefer-light')
        app.activate('win.select', 1)
        app.resize(360, 640)
        self.assertEqual(app.get_size(), (360, 640))
        self.shoot(app, 'narrow-list')
        self.assertFalse(app.is_enabled('back'))
        desktop.run_tool('xdotool', 'mousemove', '150', '135', 'click', '1')
        desktop.wait_for(lambda: app.is_enabled('back'), 'the preview')
        self.shoot(app, 'narrow-preview')
        app.press('Escape')
        desktop.wait_for(lambda: not app.is_enabled('back'), 'the list')
        self.close(app)


if __name__ == '__main__':
    unittest.main(verbosity=2)
