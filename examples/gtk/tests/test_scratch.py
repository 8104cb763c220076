# SPDX-FileCopyrightText: 2026 The tempfile-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""What Scratch does, seen from outside: through its actions, its accessibility tree, the mouse and the keyboard.

Usage: desktop.py test_scratch.py SCRATCH [UNITTEST_ARGUMENT...]
"""

import http.server
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import threading
import unittest

import gi
gi.require_version('Atspi', '2.0')
from gi.repository import Gio, GLib

import desktop

HOME = pathlib.Path(os.environ['SCRATCH_HOME'])
HERE = pathlib.Path(__file__).parent
SCRATCH = sys.argv.pop(1)

MB = 1000 * 1000
IN_MEMORY = 'in memory'
ON_DISK = r'on disk since \d\d:\d\d:\d\d'


class Server(http.server.ThreadingHTTPServer):
    """Serves what tests say, as fast as they let it."""

    daemon_threads = True

    def __init__(self):
        super().__init__(('127.0.0.1', 0), Handler)
        self.answers = {}
        self.hung_up = threading.Event()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def get_uri(self, name):
        return f'http://127.0.0.1:{self.server_port}/{name}'

    def handle_error(self, request, client_address):
        self.hung_up.set()


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        answer = self.server.answers.get(self.path[1:])
        if answer is None:
            self.send_error(404)
            return
        headers, pieces = answer
        self.send_response(200)
        for name, value in headers.items():
            self.send_header(name, str(value))
        self.end_headers()
        for piece in pieces():
            self.wfile.write(piece)

    def log_message(self, *args):
        pass


class TestCase(unittest.TestCase):
    def setUp(self):
        self.temp_dir = HOME / 'tmp'
        self.out = HOME / 'out'
        for path in (self.temp_dir, self.out, HOME / 'in'):
            path.mkdir()
            self.addCleanup(shutil.rmtree, path)

    def start(self, *args, **options):
        app = desktop.App(SCRATCH, *map(str, args), **{'temp_dir': self.temp_dir, **options})
        self.addCleanup(app.stop)
        return app

    def make_file(self, name, size=None, content=b''):
        path = HOME / 'in' / name
        if size is not None:
            content = (bytes(range(256)) * (size // 256 + 1))[:size]
        path.write_bytes(content)
        return path

    def get_left(self):
        """What the application has on the disk that has a name."""
        return sorted(os.listdir(self.temp_dir))

    def close(self, app):
        self.assertIsNone(app.process.poll(), app.get_errors())
        self.assertEqual(app.close(), 0, app.get_errors())
        self.assertEqual(self.get_left(), [])
        self.assertEqual(app.get_errors(), '')

    def mount(self, size):
        path = HOME / 'small'
        if not desktop.mount_tmpfs(path, size):
            self.skipTest('file systems cannot be mounted here')
        self.addCleanup(subprocess.run, ['umount', path], check=True)
        return path


class TestFetching(TestCase):
    def test_small_file_stays_in_memory(self):
        app = self.start(self.make_file('notes.txt', content=b'One line\nAnother line\n'))
        app.wait_for_row('notes.txt', f'22 bytes · {IN_MEMORY}')
        app.wait_for_label('^22 bytes of 64.0 MB$')
        app.wait_for_label('^0 bytes of ')
        self.assertEqual(self.get_left(), [])
        self.close(app)

    def test_large_file_says_when_it_rolled_over(self):
        app = self.start(self.make_file('large.bin', 20 * MB))
        app.wait_for_row('large.bin', f'20.0 MB · {ON_DISK}')
        app.wait_for_label('^0 bytes of 64.0 MB$')
        app.wait_for_label('^20.0 MB of ')
        self.assertEqual(self.get_left(), [])
        self.close(app)

    def test_all_files_together_have_a_budget(self):
        paths = [self.make_file(f'{i}.bin', 15 * MB) for i in range(6)]
        app = self.start(*paths)
        for path in paths:
            app.wait_for_row(path.name, '15.0 MB · ')
        rolled_over = [text for text in app.get_rows().values() if 'on disk' in text]
        self.assertGreaterEqual(len(rolled_over), 2)
        self.close(app)

    def test_file_without_content(self):
        app = self.start(self.make_file('empty'))
        app.wait_for_row('empty', f'0 bytes · {IN_MEMORY}')
        self.close(app)

    def test_url_with_progress(self):
        server = Server()
        half = threading.Event()

        def get_pieces():
            yield bytes(10 * MB)
            half.wait(desktop.TIMEOUT)
            yield bytes(10 * MB)

        server.answers['x'] = ({'Content-Length': 20 * MB,
                                'Content-Disposition': 'attachment; filename="a/b.bin"'}, get_pieces)
        app = self.start(server.get_uri('x'))
        app.wait_for_row('b.bin', f'10.0 MB of 20.0 MB · {IN_MEMORY}')
        bar = desktop.wait_for(lambda: app.find('progress bar', 'b.bin'), 'the progress bar')
        desktop.wait_for(lambda: abs(bar.get_current_value() - 0.5) < 0.01, 'half of the progress')
        half.set()
        app.wait_for_row('b.bin', f'^20.0 MB · {ON_DISK}')
        self.assertIsNone(app.find('progress bar'))
        self.close(app)

    def test_url_that_fails_can_be_tried_again(self):
        server = Server()
        app = self.start(server.get_uri('page%20one.txt'))
        app.wait_for_row('page one.txt', 'The server answered “Not Found”')
        server.answers['page%20one.txt'] = ({}, lambda: [b'text'])
        desktop.wait_for(lambda: app.is_enabled('retry'), 'the action')
        app.activate('win.retry')
        app.wait_for_row('page one.txt', f'^4 bytes · {IN_MEMORY}')
        self.close(app)

    def test_connection_that_breaks_is_an_error(self):
        server = Server()
        server.answers['x'] = ({'Content-Length': 100}, lambda: [b'less'])
        app = self.start(server.get_uri('x'))
        app.wait_for_row('x', 'The server sent less than it had announced')
        self.close(app)

    def test_folder_is_refused(self):
        app = self.start(HOME / 'in')
        app.wait_for_row('in', 'Folders cannot be opened')
        self.close(app)

    def test_missing_file(self):
        app = self.start(HOME / 'in' / 'missing.pdf')
        app.wait_for_row('missing.pdf', '^No such file or directory$')
        app.wait_for_label('^Error .*/missing.pdf.*: No such file or directory$')
        self.assertEqual(len(app.find_all('label', 'No such file')), 2)
        self.close(app)

    def test_names_with_markup(self):
        name = '<b>&amp;"\\.bin'
        app = self.start(self.make_file(name, 10), HOME / 'in' / 'not <there>')
        app.wait_for_row(name, '^10 bytes')
        app.wait_for_row('not <there>', 'No such file')
        app.activate('win.save-to', (self.out / '<&').as_uri())
        app.activate('win.select', 0)
        self.close(app)


class TestCancelling(TestCase):
    def start_endless(self):
        server = Server()
        server.answers['endless'] = ({}, lambda: iter(lambda: bytes(MB), None))
        app = self.start(server.get_uri('endless'))
        app.wait_for_row('endless', ON_DISK)
        return server, app

    def test_cancel(self):
        server, app = self.start_endless()
        app.click('push button', 'Cancel “endless”')
        desktop.wait_for(lambda: not app.get_rows(), 'the end of the row')
        self.assertTrue(server.hung_up.wait(desktop.TIMEOUT))
        app.wait_for_label('^0 bytes of 64')
        # The space of the file, which has no name, is free again.
        desktop.wait_for(lambda: not get_temporary_fds(app, self.temp_dir), 'the end of the file')
        self.close(app)

    def test_remove_while_fetching(self):
        server, app = self.start_endless()
        app.activate('win.remove')
        desktop.wait_for(lambda: not app.get_rows(), 'the end of the row')
        self.assertTrue(server.hung_up.wait(desktop.TIMEOUT))
        self.close(app)

    def test_close_while_fetching(self):
        _server, app = self.start_endless()
        self.close(app)

    def test_signal_while_fetching(self):
        _server, app = self.start_endless()
        app.process.send_signal(signal.SIGTERM)
        self.assertEqual(app.wait(), -signal.SIGTERM)
        self.assertEqual(self.get_left(), [])


def get_temporary_fds(app, temp_dir):
    """The files without a name that the application has open."""
    paths = []
    for fd in pathlib.Path(f'/proc/{app.process.pid}/fd').iterdir():
        try:
            paths.append(os.readlink(fd))
        except OSError:
            pass
    return [path for path in paths if path.startswith(f'{temp_dir}/')]


class TestSaving(TestCase):
    def check_save(self, size):
        source = self.make_file('data.bin', size)
        app = self.start(source)
        for name in ('first', 'second', 'first'):
            desktop.wait_for(lambda: app.is_enabled('save-to'), 'the action')
            app.activate('win.save-to', (self.out / name).as_uri())
            app.wait_for_label(f'Saved as “.*/{name}”')
        desktop.wait_for(lambda: app.is_enabled('save-to'), 'the action')
        self.assertEqual((self.out / 'first').read_bytes(), source.read_bytes())
        self.assertEqual((self.out / 'second').read_bytes(), source.read_bytes())
        self.assertFalse(os.path.samefile(self.out / 'first', self.out / 'second'))
        self.assertEqual(sorted(os.listdir(self.out)), ['first', 'second'])
        self.close(app)

    def test_save_from_memory(self):
        self.check_save(10)

    def test_save_from_disk(self):
        self.check_save(20 * MB)

    def test_saved_file_stays_when_removed(self):
        app = self.start(self.make_file('data.bin', 20 * MB))
        desktop.wait_for(lambda: app.is_enabled('save-to'), 'the action')
        app.activate('win.save-to', (self.out / 'saved').as_uri())
        app.wait_for_label('Saved as')
        app.activate('win.remove')
        desktop.wait_for(lambda: not app.get_rows(), 'the end of the row')
        self.assertEqual((self.out / 'saved').stat().st_size, 20 * MB)
        self.close(app)

    def test_error(self):
        app = self.start(self.make_file('data.bin', 10))
        desktop.wait_for(lambda: app.is_enabled('save-to'), 'the action')
        app.activate('win.save-to', (self.out / 'none' / 'there').as_uri())
        app.wait_for_label('^No such file or directory: data.bin$')
        _top, bottom = app.get_edges('label', '^No such file or directory: data.bin$')
        for role, name in (('push button', 'Save As'), ('label', '^Memory$')):
            self.assertLess(bottom, app.get_edges(role, name)[0], name)
        self.close(app)

    def test_dialog(self):
        app = self.start(self.make_file('data.bin', 10))
        desktop.wait_for(lambda: app.is_enabled('save-as'), 'the action')
        app.activate('win.save-as')
        desktop.wait_for(lambda: app.find('text', 'data.bin') or app.find('push button', '_?Save$'), app.dump)
        self.close(app)

    def test_cancel(self):
        # Bytes are copied to another file system, which takes longer than two actions.
        target = self.mount('1500M') / 'saved'
        path = HOME / 'in' / 'large.bin'
        with open(path, 'wb') as file:
            for _ in range(700):
                file.write(bytes(MB))
        app = self.start(path)
        desktop.wait_for(lambda: app.is_enabled('save-to'), 'the action')
        app.activate('win.save-to', target.as_uri())
        app.activate('win.cancel')
        app.wait_for_label('Saving was cancelled')
        self.assertEqual(os.listdir(target.parent), [])
        self.assertTrue(app.is_enabled('save-to'))
        self.close(app)


class TestFullDisk(TestCase):
    def test_fetch(self):
        small = self.mount('10M')
        app = self.start(self.make_file('large.bin', 40 * MB), temp_dir=small)
        app.wait_for_label('“large.bin” does not fit on the disk')
        app.wait_for_row('large.bin', 'The disk is full')
        self.assertEqual(os.listdir(small), [])
        desktop.mount_tmpfs(small, '100M')
        app.click('push button', 'Try Again')
        app.wait_for_row('large.bin', f'40.0 MB · {ON_DISK}')
        self.close(app)

    def test_save(self):
        small = self.mount('10M')
        app = self.start(self.make_file('large.bin', 20 * MB))
        desktop.wait_for(lambda: app.is_enabled('save-to'), 'the action')
        app.activate('win.save-to', (small / 'saved').as_uri())
        app.wait_for_label('“large.bin” could not be saved: the disk is full')
        self.assertEqual(os.listdir(small), [])
        app.click('push button', 'Dismiss')
        desktop.wait_for(lambda: app.is_enabled('save-to'), 'the action')
        app.activate('win.save-to', (self.out / 'saved').as_uri())
        app.wait_for_label('Saved as')
        self.close(app)


class TestHandingOver(TestCase):
    """Another program has the file open until the test lets it go."""

    def setUp(self):
        super().setUp()
        self.log = HOME / 'out' / 'viewer'
        os.mkfifo(self.out / 'go')
        applications = HOME / 'data' / 'applications'
        applications.mkdir(parents=True, exist_ok=True)
        (applications / 'viewer.desktop').write_text(
            '[Desktop Entry]\nType=Application\nName=Test Viewer\nMimeType=application/octet-stream;text/plain;\n'
            f'Exec={sys.executable} {HERE / "viewer.py"} {self.log} {self.out / "go"} %f\n')
        (applications / 'mimeinfo.cache').write_text('[MIME Cache]\napplication/octet-stream=viewer.desktop;\n')
        self.addCleanup(shutil.rmtree, applications)

    def open_with_viewer(self, app, action='open-with', parameter='viewer.desktop'):
        desktop.wait_for(lambda: app.is_enabled(action), 'the action')
        app.activate(f'win.{action}', parameter)
        desktop.wait_for(self.log.exists, app.get_errors)
        seen = json.loads(self.log.read_text())
        self.addCleanup(lambda: self.log.exists() and os.kill(seen['pid'], signal.SIGKILL))
        return seen

    def let_go(self):
        with open(self.out / 'go', 'w'):
            pass
        desktop.wait_for(lambda: not self.log.exists(), 'the end of the viewer')

    def check_open_with(self, size):
        app = self.start(self.make_file('data.bin', size))
        seen = self.open_with_viewer(app)
        self.assertEqual(os.path.basename(seen['path']), 'data.bin')
        self.assertEqual((seen['size'], seen['mode']), (size, 0o600))

        # The process has no window any more, and waits for the viewer. The grace of a second is over.
        app.quit()
        desktop.wait_for(lambda: not app.find('frame'), 'the end of the window')
        desktop.iterate(2)
        self.assertIsNone(app.process.poll())
        self.assertTrue(os.path.exists(seen['path']))

        self.let_go()
        self.assertEqual(app.wait(), 0)
        self.assertEqual(self.get_left(), [])

    def test_open_with_from_memory(self):
        self.check_open_with(10)

    def test_open_with_from_disk(self):
        self.check_open_with(20 * MB)

    def test_open_default_in_another_application(self):
        applications = HOME / 'data' / 'applications'
        (applications / f'{desktop.APP_ID}.desktop').write_text(
            f'[Desktop Entry]\nType=Application\nName=Scratch\nExec={SCRATCH} %U\nMimeType=application/octet-stream;\n')
        (applications / 'mimeinfo.cache').write_text(
            f'[MIME Cache]\napplication/octet-stream={desktop.APP_ID}.desktop;viewer.desktop;\n')
        app = self.start(self.make_file('data.bin', 10))
        self.open_with_viewer(app, 'open-default', None)
        self.let_go()
        app.quit()
        self.assertEqual(app.wait(), 0)

    def test_killed(self):
        app = self.start(self.make_file('data.bin', 10))
        seen = self.open_with_viewer(app)
        app.process.kill()
        app.process.wait()
        self.let_go()
        self.assertTrue(os.path.exists(seen['path']))

        # The next start removes it, when the grace is over. The end of that is in whole seconds.
        desktop.iterate(2)
        app = self.start()
        desktop.wait_for(lambda: not os.path.exists(seen['path']), 'the sweep')
        self.close(app)

    def test_drag_out_and_in(self):
        app = self.start(self.make_file('data.bin', 20 * MB))
        desktop.wait_for(lambda: app.is_enabled('open-with'), 'the action')
        other = subprocess.Popen([sys.executable, HERE / 'drag.py', self.log, HOME / 'in' / 'data.bin'])
        self.addCleanup(other.wait)
        self.addCleanup(other.kill)
        window = desktop.wait_for(lambda: find_window(other.pid), 'the other window')
        desktop.run_tool('xdotool', 'windowmove', '--sync', window, '900', '0')
        self.assertEqual(self.get_left(), [])

        drag((60, 80), (1000, 100))
        desktop.wait_for(self.log.exists, 'the drop')
        seen = json.loads(self.log.read_text())
        self.assertEqual((os.path.basename(seen['path']), seen['size']), ('data.bin', 20 * MB))
        self.assertEqual(len(self.get_left()), 1)

        drag((1000, 300), (500, 300))
        desktop.wait_for(lambda: len(app.find_all('list item')) == 2, 'the drop')
        app.wait_for_row('data.bin', '20.0 MB')
        other.kill()
        self.close(app)


def find_window(pid):
    found = subprocess.run(['xdotool', 'search', '--onlyvisible', '--pid', str(pid)], stdout=subprocess.PIPE, text=True)
    return found.stdout.split()[0] if found.stdout else None


def drag(start, end):
    """Drags with the mouse: slowly, as programs have to answer on the way."""
    desktop.run_tool('xdotool', 'mousemove', *map(str, start), 'mousedown', '1')
    for i in range(1, 21):
        x, y = (round(a + (b - a) * i / 20) for a, b in zip(start, end))
        desktop.run_tool('xdotool', 'mousemove', '--sync', str(x), str(y))
        desktop.iterate(0.02)
    desktop.iterate(0.5)
    desktop.run_tool('xdotool', 'mouseup', '1')


class TestSystem(TestCase):
    def test_low_memory_rolls_idle_files_over(self):
        bus = Gio.bus_get_sync(Gio.BusType.SESSION)
        node = Gio.DBusNodeInfo.new_for_xml(
            '<node><interface name="org.freedesktop.LowMemoryMonitor">'
            '<signal name="LowMemoryWarning"><arg type="y"/></signal></interface></node>')
        path = '/org/freedesktop/LowMemoryMonitor'
        registration = bus.register_object(path, node.interfaces[0], None, None, None)
        name = Gio.bus_own_name_on_connection(bus, 'org.freedesktop.LowMemoryMonitor', 0, None, None)
        self.addCleanup(Gio.bus_unown_name, name)
        self.addCleanup(bus.unregister_object, registration)

        app = self.start(self.make_file('data.bin', 10 * MB))
        app.wait_for_row('data.bin', f'10.0 MB · {IN_MEMORY}')
        desktop.wait_for(lambda: app.is_enabled('save-to'), 'the end')
        bus.emit_signal(None, path, 'org.freedesktop.LowMemoryMonitor', 'LowMemoryWarning', GLib.Variant('(y)', (100,)))
        app.wait_for_row('data.bin', f'10.0 MB · {ON_DISK}')
        app.wait_for_label('^0 bytes of 64')
        self.close(app)

    def test_second_start_uses_the_first_window(self):
        app = self.start(self.make_file('a', 1))
        subprocess.run([SCRATCH, self.make_file('b', 2)], check=True)
        app.wait_for_row('b', '2 bytes')
        self.close(app)


class TestPreview(TestCase):
    def test_text(self):
        app = self.start(self.make_file('notes.txt', content='Grüße\n'.encode() + b'\xff\n'))
        view = desktop.wait_for(lambda: app.find('text', '^Preview$'), app.dump)
        desktop.wait_for(lambda: view.get_text(0, -1) == 'Grüße\n\ufffd\n', lambda: view.get_text(0, -1))
        self.close(app)

    def test_start_of_large_text(self):
        app = self.start(self.make_file('long.txt', content=b'0123456789abcde\n' * 2 * MB))
        view = desktop.wait_for(lambda: app.find('text', '^Preview$'), app.dump)
        desktop.wait_for(lambda: view.get_character_count() == 32769, view.get_character_count)
        self.assertTrue(view.get_text(32760, -1).endswith('…'))
        self.close(app)

    def test_image(self):
        app = self.start(HERE.parent / 'data' / 'org.tempfile_glib.Scratch.svg')
        desktop.wait_for(lambda: app.find('image', 'org.tempfile_glib.Scratch.svg'), app.dump)
        self.close(app)

    def test_image_that_is_none(self):
        app = self.start(self.make_file('broken.png', content=b'\x89PNG\r\n\x1a\nand so on'))
        app.wait_for_label('^PNG image$|^image/png$')
        self.close(app)


class TestAccess(TestCase):
    def test_keyboard(self):
        server = Server()
        server.answers['x'] = ({}, lambda: [b'text'])
        app = self.start()
        app.press('ctrl+l')
        desktop.wait_for(lambda: app.find('text', 'URL'), app.dump)
        desktop.iterate(0.5)
        app.type(server.get_uri('x'))
        app.press('Return')
        app.wait_for_row('x', '4 bytes')
        app.press('Delete')
        desktop.wait_for(lambda: not app.get_rows(), 'the end of the row')
        app.press('ctrl+question')
        desktop.wait_for(lambda: app.find('label', 'Quit'), app.dump)
        app.press('Escape')
        app.press('ctrl+q')
        self.assertEqual(app.wait(), 0)
        self.assertEqual(self.get_left(), [])

    def test_names(self):
        app = self.start(self.make_file('a.txt', 100), self.make_file('b.bin', 20 * MB))
        app.wait_for_row('b.bin', ON_DISK)
        nameless = [node.get_role_name() for node in app.walk()
                    if node.get_role_name() in ('push button', 'text', 'entry', 'level bar', 'progress bar', 'list',
                                                'list item', 'alert', 'notification')
                    and (node.get_name() or 'Gtk').startswith('Gtk')]
        self.assertEqual(nameless, [], app.dump())
        self.close(app)


if __name__ == '__main__':
    unittest.main(verbosity=2)
