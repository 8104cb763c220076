# SPDX-FileCopyrightText: 2026 The tempfile-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""A desktop for one test program: a display, a session bus, directories, and an application on them.

Run as a program, it starts another one on such a desktop: desktop.py PROGRAM ARGUMENT...
"""

import contextlib
import os
import pathlib
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import time

TIMEOUT = int(os.environ.get("SCRATCH_TIMEOUT", "60"))
NEEDED = ('Xvfb', 'dbus-run-session', 'xdotool')
APP_ID = 'org.tempfile_glib.Scratch'
APP_PATH = '/org/tempfile_glib/Scratch'


# --- The desktop ---------------------------------------------------------------------------------

def skip(reason):
    print(f'skipped: {reason}')
    sys.exit(77)


def start_on_desktop(command):
    """Runs a command on a desktop of its own, and returns its exit status."""
    for program in NEEDED:
        if not shutil.which(program):
            skip(f'{program} is not installed')
    try:
        import gi
        gi.require_version('Atspi', '2.0')
        gi.require_version('Gtk', '4.0')
    except (ImportError, ValueError) as error:
        skip(error)

    # Sockets have short names.
    home = pathlib.Path(tempfile.mkdtemp(prefix='app-'))
    try:
        return run_in(home, command)
    finally:
        shutil.rmtree(home)


def run_in(home, command):
    runtime = home / 'run'
    runtime.mkdir(mode=0o700)
    settings = home / 'config' / 'gtk-4.0' / 'settings.ini'
    settings.parent.mkdir(parents=True)
    settings.write_text('[Settings]\ngtk-enable-animations=false\ngtk-font-name=Cantarell 11\n')
    env = {
        **os.environ,
        'ADW_DISABLE_PORTAL': '1',
        'GDK_BACKEND': 'x11',
        'GIO_USE_VFS': 'local',
        'GIO_USE_VOLUME_MONITOR': 'unix',
        'GSETTINGS_BACKEND': 'memory',
        'G_SLICE': 'always-malloc',
        'GSK_RENDERER': 'cairo',
        'GTK_A11Y': 'atspi',
        'HOME': str(home),
        'LANGUAGE': '',
        'LC_ALL': 'C.UTF-8',
        'SCRATCH_HOME': str(home),
        'TZ': 'UTC',
        'XDG_CACHE_HOME': str(home / 'cache'),
        'XDG_CONFIG_HOME': str(home / 'config'),
        'XDG_DATA_HOME': str(home / 'data'),
        'XDG_RUNTIME_DIR': str(runtime),
    }
    for name in ('DBUS_SESSION_BUS_ADDRESS', 'G_DEBUG', 'TEMP', 'TMP', 'WAYLAND_DISPLAY'):
        env.pop(name, None)

    read_fd, write_fd = os.pipe()
    display = subprocess.Popen(
        ['Xvfb', '-displayfd', str(write_fd), '-screen', '0', '1200x800x24', '-fbdir', runtime,
         '-nolisten', 'tcp', '-noreset'],
        pass_fds=[write_fd], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=env)
    os.close(write_fd)
    try:
        number = os.read(read_fd, 16).decode().strip()
        if not number:
            skip('Xvfb does not start')
        return subprocess.run(
            [*get_unshare(), 'dbus-run-session', '--', sys.executable, *command],
            env={**env, 'DISPLAY': f':{number}'}).returncode
    finally:
        display.terminate()
        display.wait()
        os.close(read_fd)


def get_unshare():
    """Mounts of its own, where the system lets it."""
    for command in (['unshare', '--mount'], ['unshare', '--user', '--map-root-user', '--mount']):
        with contextlib.suppress(OSError):
            if subprocess.run([*command, 'true'], stderr=subprocess.DEVNULL).returncode == 0:
                return command
    return []


def mount_tmpfs(path, size):
    """Returns whether there is a file system of its own now, with room for a number of bytes."""
    path.mkdir(exist_ok=True)
    option = 'remount,' if os.path.ismount(path) else ''
    return subprocess.run(['mount', '-t', 'tmpfs', '-o', f'{option}size={size}', 'scratch', path],
                          stderr=subprocess.DEVNULL).returncode == 0


def wait_for(get, what):
    """Returns the first value of get() that is true."""
    end = time.monotonic() + TIMEOUT
    while True:
        value = get()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f'{what() if callable(what) else what} did not come')
        iterate(0.02)


def iterate(seconds):
    """Runs the main loop for a moment."""
    from gi.repository import GLib
    loop = GLib.MainLoop()
    GLib.timeout_add(int(seconds * 1000), loop.quit)
    loop.run()


def take_screenshot(path, size):
    """Writes what the upper left of the display shows to a PNG file, and returns the pixels of the display, as RGB."""
    import gi
    gi.require_version('GdkPixbuf', '2.0')
    from gi.repository import GdkPixbuf, GLib
    data = pathlib.Path(os.environ['XDG_RUNTIME_DIR'], 'Xvfb_screen0').read_bytes()
    header = struct.unpack('>25I', data[:100])
    width, height, line, n_colors = header[4], header[5], header[12], header[19]
    start = header[0] + 12 * n_colors
    rgb = bytearray(3 * width * height)
    for y in range(height):
        row = data[start + y * line:start + y * line + 4 * width]
        for i in range(3):
            rgb[3 * width * y + i:3 * width * (y + 1):3] = row[2 - i::4]
    pixbuf = GdkPixbuf.Pixbuf.new_from_bytes(
        GLib.Bytes.new(bytes(rgb)), GdkPixbuf.Colorspace.RGB, False, 8, width, height, 3 * width)
    pixbuf.new_subpixbuf(0, 0, *size).savev(str(path), 'png', [], [])
    return bytes(rgb)


def get_text(text):
    """Text with ordinary spaces, where GLib has those that do not break."""
    return (text or '').replace('\u00a0', ' ')


def run_tool(*args):
    return subprocess.run(args, check=True, stdout=subprocess.PIPE, text=True).stdout


# --- The application -----------------------------------------------------------------------------

class App:
    """The application, as its users see it: by actions, the accessibility tree, the mouse and the keyboard."""

    def __init__(self, program, *args, temp_dir, env=None, grace=1):
        from gi.repository import Atspi, Gio
        self._atspi = Atspi
        self._bus = Gio.bus_get_sync(Gio.BusType.SESSION)
        self._errors = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            [program, f'--grace={grace}', *args], stderr=self._errors,
            env={**os.environ, 'TMPDIR': str(temp_dir), 'G_DEBUG': 'fatal-criticals',
                 'DBUS_SYSTEM_BUS_ADDRESS': os.environ['DBUS_SESSION_BUS_ADDRESS'], **(env or {})})
        wait_for(lambda: self._window_has_actions() or self.process.poll() is not None, 'the window')
        assert self.process.poll() is None, self.get_errors()
        wait_for(lambda: self.find('frame'), 'the accessible window')

    def get_errors(self):
        self._errors.seek(0)
        return self._errors.read().decode()

    def _call(self, path, method, parameters, reply):
        from gi.repository import Gio, GLib
        return self._bus.call_sync(APP_ID, path, 'org.gtk.Actions', method, parameters,
                                   reply and GLib.VariantType(reply), Gio.DBusCallFlags.NO_AUTO_START, -1, None)

    def _window_has_actions(self):
        from gi.repository import GLib
        with contextlib.suppress(GLib.Error):
            return 'open' in self._call(f'{APP_PATH}/window/1', 'List', None, '(as)').unpack()[0]
        return False

    def activate(self, name, parameter=None):
        """Activates an action, as app.NAME or win.NAME."""
        from gi.repository import GLib
        group, action = name.split('.')
        values = [] if parameter is None else [GLib.Variant('s' if isinstance(parameter, str) else 'i', parameter)]
        path = APP_PATH if group == 'app' else f'{APP_PATH}/window/1'
        self._call(path, 'Activate', GLib.Variant('(sava{sv})', (action, values, {})), None)

    def quit(self):
        """Sends the action that closes the window. Where this ends the process, nothing has to answer."""
        from gi.repository import Gio, GLib
        self._bus.call(APP_ID, APP_PATH, 'org.gtk.Actions', 'Activate', GLib.Variant('(sava{sv})', ('quit', [], {})),
                       None, Gio.DBusCallFlags.NO_AUTO_START, -1, None, None)
        self._bus.flush_sync()

    def is_enabled(self, name):
        from gi.repository import GLib
        return self._call(f'{APP_PATH}/window/1', 'Describe', GLib.Variant('(s)', (name,)), '((bgav))').unpack()[0][0]

    # --- Its tree ---

    def get_root(self):
        desktop = self._atspi.get_desktop(0)
        for i in range(desktop.get_child_count()):
            child = desktop.get_child_at_index(i)
            if child and child.get_process_id() == self.process.pid:
                return child
        return None

    def walk(self, node=None, hidden=False):
        """The accessible objects that can be seen."""
        from gi.repository import GLib
        try:
            node = node or self.get_root()
            if node is None:
                return
            states = node.get_state_set()
            if not hidden and node.get_role_name() not in ('application', 'invalid') and \
                    not states.contains(self._atspi.StateType.VISIBLE):
                return
            yield node
            for i in range(node.get_child_count()):
                child = node.get_child_at_index(i)
                if child:
                    yield from self.walk(child, hidden)
        except GLib.Error:
            return

    def find_all(self, role, name=''):
        return [node for node in self.walk()
                if node.get_role_name() == role and re.search(name, get_text(node.get_name()))]

    def find(self, role, name=''):
        found = self.find_all(role, name)
        return found[0] if found else None

    def get_edges(self, role, name=''):
        """The top and the bottom of what is in the window."""
        box = self.find(role, name).get_extents(self._atspi.CoordType.WINDOW)
        return box.y, box.y + box.height

    def click(self, role, name=''):
        button = wait_for(lambda: self.find(role, name), lambda: f'a {role} “{name}” in\n{self.dump()}')
        button.do_action(0)

    def get_rows(self):
        """The descriptions of the rows, by their names."""
        return {row.get_name(): get_text(row.get_description()) for row in self.find_all('list item')}

    def wait_for_row(self, name, pattern):
        def get():
            return re.search(pattern, self.get_rows().get(name) or '')
        return wait_for(get, lambda: f'“{pattern}” of {name} in {self.get_rows()}\n{self.get_errors()}')

    def wait_for_label(self, pattern):
        return wait_for(lambda: self.find('label', pattern), lambda: f'“{pattern}” in\n{self.dump()}').get_name()

    def dump(self):
        if self.process.poll() is not None:
            return f'a process that has ended with {self.process.returncode}: {self.get_errors()}'
        return '\n'.join(f'{node.get_role_name()}: {node.get_name()} | {node.get_description()}' for node in self.walk())

    # --- Its window ---

    def get_window_id(self):
        return run_tool('xdotool', 'search', '--onlyvisible', '--pid', str(self.process.pid)).split()[0]

    def resize(self, width, height):
        run_tool('xdotool', 'windowsize', '--sync', self.get_window_id(), str(width), str(height))

    def get_size(self):
        geometry = run_tool('xdotool', 'getwindowgeometry', '--shell', self.get_window_id())
        return tuple(int(re.search(rf'^{name}=(\d+)$', geometry, re.M)[1]) for name in ('WIDTH', 'HEIGHT'))

    def press(self, *keys):
        run_tool('xdotool', 'windowfocus', '--sync', self.get_window_id())
        run_tool('xdotool', 'key', *keys)

    def type(self, text):
        run_tool('xdotool', 'type', text)

    # --- Its end ---

    def close(self):
        """Closes the window, and waits for the end of the process."""
        self.quit()
        return self.wait()

    def wait(self):
        wait_for(lambda: self.process.poll() is not None, 'the end')
        return self.process.returncode

    def stop(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self._errors.close()


if __name__ == '__main__':
    sys.exit(start_on_desktop(sys.argv[1:]))
