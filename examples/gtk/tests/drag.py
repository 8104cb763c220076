# SPDX-FileCopyrightText: 2026 The tempfile-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""A window. Writes to LOG what is dropped into its upper half; FILE can be dragged from its lower half.

Usage: drag.py LOG FILE
"""

import json
import os
import sys

import gi
gi.require_version('Gdk', '4.0')
gi.require_version('Gtk', '4.0')
from gi.repository import Gdk, Gio, GLib, Gtk


def on_drop(_target, value, _x, _y):
    path = value.get_files()[0].get_path()
    with open(log + '.new', 'w') as out:
        json.dump({'path': path, 'size': os.stat(path).st_size}, out)
    os.rename(log + '.new', log)
    return True


log, path = sys.argv[1:]
loop = GLib.MainLoop()
window = Gtk.Window(default_width=250, default_height=400)
box = Gtk.Box(orientation=Gtk.Orientation.VERTICAL, homogeneous=True)
window.set_child(box)

target = Gtk.DropTarget.new(Gdk.FileList, Gdk.DragAction.COPY)
target.connect('drop', on_drop)
upper = Gtk.Label(label='Drop here')
upper.add_controller(target)
box.append(upper)

source = Gtk.DragSource()
source.connect('prepare', lambda *_: Gdk.ContentProvider.new_for_bytes(
    'text/uri-list', GLib.Bytes.new(Gio.File.new_for_path(path).get_uri().encode() + b'\r\n')))
lower = Gtk.Label(label='Drag from here')
lower.add_controller(source)
box.append(lower)

window.present()
loop.run()
