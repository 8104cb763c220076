// SPDX-FileCopyrightText: 2026 The tempfile-glib authors
// SPDX-License-Identifier: LGPL-2.1-or-later

// One asynchronous flow with promises: create, write, roll over, read, close, clean up.

import Gio from 'gi://Gio';
import GLib from 'gi://GLib';
import System from 'system';
import Tf from 'gi://Tf?version=1';

Gio._promisify(Gio.OutputStream.prototype, 'splice_async', 'splice_finish');

const PRIORITY = GLib.PRIORITY_DEFAULT;

function check(condition, what) {
    if (!condition)
        throw new Error(`Not so: ${what}`);
}

async function flow() {
    const dir = await Tf.TempDir.create_async('flow-', null, null, PRIORITY, null);
    check(dir.get_file().query_exists(null), 'the directory is there');

    const named = await Tf.NamedFile.create_async(null, '.txt', dir.get_path(), PRIORITY, null);
    await named.write_bytes_async(new GLib.Bytes('Hello world!'), PRIORITY, null);
    const [, content] = GLib.file_get_contents(named.get_path());
    check(new TextDecoder().decode(content) === 'Hello world!', 'the file has what was written');

    const events = [];
    const spool = Tf.SpooledFile.new(4);
    spool.connect('rolled-over', file => events.push(file.get_size()));
    named.seek(0, GLib.SeekType.SET, null);
    const n = await spool.get_output_stream().splice_async(named.get_input_stream(),
        Gio.OutputStreamSpliceFlags.NONE, PRIORITY, null);
    check(n === 12, 'all was spliced');
    check(events.length === 1 && events[0] === 12, 'the signal came before the callback');
    await spool.rollover_async(PRIORITY, null);

    spool.seek(6, GLib.SeekType.SET, null);
    const bytes = await spool.read_bytes_async(100, PRIORITY, null);
    check(new TextDecoder().decode(bytes.toArray()) === 'world!', 'it is read back');

    await named.close_async(PRIORITY, null);
    check(!named.get_file().query_exists(null), 'closing removed the name');
    await dir.cleanup_async(PRIORITY, null);
    check(!dir.get_file().query_exists(null), 'the directory is gone');

    const cancellable = Gio.Cancellable.new();
    cancellable.cancel();
    let cancelled = false;
    try {
        await Tf.NamedFile.create_async(null, null, null, PRIORITY, cancellable);
    } catch (error) {
        cancelled = error.matches(Gio.IOErrorEnum, Gio.IOErrorEnum.CANCELLED);
    }
    check(cancelled, 'a cancelled creation fails');
}

const loop = new GLib.MainLoop(null, false);
let status = 1;
flow().then(() => {
    status = 0;
}).catch(error => {
    printerr(`${error.message}\n${error.stack}`);
}).finally(() => loop.quit());
loop.run();
System.exit(status);
