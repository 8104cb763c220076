// SPDX-FileCopyrightText: 2026 The tempfile-glib authors
// SPDX-License-Identifier: LGPL-2.1-or-later

// Ends as it is told with a file and a directory alive; see check-exit.py.

import GLib from 'gi://GLib';
import System from 'system';
import Tf from 'gi://Tf?version=1';

const namedFile = Tf.NamedFile.new(null, null, null, null);
const tempDir = Tf.TempDir.new(null, null, null, null);
const paths = [namedFile.get_path(), tempDir.get_path()];

const cases = {
    'end': () => {},
    'end-of-a-loop': () => {
        const loop = new GLib.MainLoop(null, false);
        GLib.idle_add(GLib.PRIORITY_DEFAULT, () => loop.quit());
        loop.run();
    },
    'exit': () => System.exit(3),
    'exit-in-a-loop': () => {
        const loop = new GLib.MainLoop(null, false);
        GLib.idle_add(GLib.PRIORITY_DEFAULT, () => System.exit(3));
        loop.run();
    },
    'throw': () => {
        throw new Error('nobody catches this');
    },
    'rejection': () => {
        Promise.reject(new Error('nobody catches this'));
    },
    'hold-until-exit': () => {
        namedFile.hold_until_exit();
        tempDir.hold_until_exit();
        System.exit(3);
    },
    'sigterm': () => {
        Tf.cleanup_on_signals();
        const [, pid] = GLib.spawn_async(null, ['kill', '-TERM', `${System.pid ?? processId()}`], null,
            GLib.SpawnFlags.SEARCH_PATH, null);
        GLib.spawn_close_pid(pid);
        new GLib.MainLoop(null, false).run();
    },
};

function processId() {
    return GLib.file_read_link('/proc/self');
}

GLib.file_set_contents(GLib.build_filenamev([paths[1], 'content']), 'to be removed');
if (!paths.every(path => GLib.file_test(path, GLib.FileTest.EXISTS)))
    throw new Error('nothing was made');

print(paths.join(' '));
cases[ARGV[0]]();
