// SPDX-FileCopyrightText: 2026 The tempfile-glib authors
// SPDX-License-Identifier: LGPL-2.1-or-later

// What the types take, and what they refuse: an error that is expected and does not come is one.

import GLib from 'gi://GLib?version=2.0';
import Tf from 'gi://Tf?version=1';

const file = new Tf.SpooledFile({max_size: 10, prefix: 'p', mode: 0o600});
const bytes: Uint8Array = file.read();
file.write(bytes);
file.seek(0, GLib.SeekType.END);
file.truncate(2);
file.rollover();

const stream = new Tf.TextStream({base_file: file, newline: Tf.Newline.CRLF, errors: Tf.TextErrors.REPLACE});
const line: string | null = stream.read_line();
stream.write(line ?? '');

async function readText(): Promise<number> {
    const rest: string = await stream.read_all_async();
    const end: string | null = await stream.read_line_async(GLib.PRIORITY_LOW, null);
    await stream.seek_async(0, GLib.SeekType.SET);
    for await (const each of stream)
        await stream.write_async(each + rest + end);
    return stream.tell_async();
}
readText();

Tf.set_audit_func((event: string, path: string) => event !== path);
Tf.set_audit_func(null);

const [fd, path] = Tf.mkstemp(null, '.txt');
GLib.close(fd);
GLib.unlink(path);

const rolledOver: Promise<boolean> = file.rollover_async(GLib.PRIORITY_DEFAULT, null);
rolledOver.then(done => done === true);

async function create(): Promise<void> {
    const dir: Tf.TempDir = await Tf.TempDir.create_async('p', null, null, GLib.PRIORITY_DEFAULT, null);
    const named: Tf.NamedFile = await Tf.NamedFile.create_async(null, '.txt', dir.get_path(), GLib.PRIORITY_DEFAULT, null);
    const unnamed: Tf.TempFile = await Tf.TempFile.create_async(null, GLib.PRIORITY_DEFAULT, null);
    const closed: boolean = await unnamed.close_async(GLib.PRIORITY_DEFAULT, null);
    await named[Symbol.asyncDispose]();
    const removed: boolean = await dir.cleanup_async(GLib.PRIORITY_DEFAULT, null);
    const [nRemoved]: [number] = await Tf.sweep_async('p', await Tf.get_temp_dir_async());
    print(closed && removed && nRemoved > 0);
}
create();

// @ts-expect-error no such property
new Tf.SpooledFile({maximum: 10});
// @ts-expect-error a number, not a string
new Tf.SpooledFile({max_size: '10'});
// @ts-expect-error a number is no content
file.write(7);
// @ts-expect-error an array, not text
const text: string = file.read();
// @ts-expect-error no such signal
file.connect('rolled-off', () => {});
// @ts-expect-error only spooled files roll over
new Tf.NamedFile().rollover();
// @ts-expect-error there is no such property
file.size = 7;
// @ts-expect-error not of this enumeration
stream.seek(0, Tf.Newline.CR);
print(text);
