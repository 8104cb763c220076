// SPDX-FileCopyrightText: 2026 The tempfile-glib authors
// SPDX-License-Identifier: LGPL-2.1-or-later

// What the types take, and what they refuse: an error that is expected and does not come is one.

import Gio from 'gi://Gio?version=2.0';
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
const allowAll: Tf.AuditFunc = (_event, path) => path.startsWith('/');
Tf.set_audit_func(allowAll);

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
    const nRemoved: number = await Tf.sweep_async('p', await Tf.get_temp_dir_async());
    print(closed && removed && nRemoved > 0);
}
create();

async function leaveOut(dir: Tf.TempDir): Promise<void> {
    const left: Tf.NamedFile = Tf.NamedFile.new(null, '.txt');
    const full: Tf.SpooledFile = Tf.SpooledFile.new_full(10, 'p');
    const written: boolean = left.write_bytes(new GLib.Bytes('one\ntwo'));
    left.seek(0);
    const one: Uint8Array | null = left.read_line();
    const two: Uint8Array | null = await left.read_upto_async(',');
    const owned: number = left.dup_fd() + await left.dup_fd_async(GLib.PRIORITY_LOW);
    const whole: GLib.Bytes = left.load_bytes();
    print(full.get_fd(), await full.get_fd_async(), await full.flush_async(), full.reserve(7), written, one, two);
    print(owned, whole.get_size(), (await left.load_bytes_async()).get_size(), left.flush());
    print(left.persist(dir.get_child('x'), Tf.PersistFlags.REPLACE), await left.persist_async(dir.get_child('x')));
    left.flush_async(GLib.PRIORITY_DEFAULT, null, (_file, result) => left.flush_finish(result));
    left.hold_until_exit();
    left.hold_for_pid(1);

    const part: Tf.TempFile = await Tf.TempFile.create_full_async('p', null, null, 0o600);
    const folder: Tf.TempDir = await Tf.TempDir.create_full_async(null, null, null, 0o755, GLib.PRIORITY_LOW);
    const created: Tf.TempDir = await Tf.TempDir.create_async();
    Tf.TempFile.new_full(null, null, null).close();
    Tf.TempDir.new_full(null, null, null, 0o755).hold_for_subprocess(new Gio.Subprocess());
    print(await part.close_async(), await folder.cleanup_async(), created.cleanup());
    const n: number = Tf.sweep('p');
    print(n);
}
leaveOut(new Tf.TempDir());

function withCallback(named: Tf.NamedFile, dir: Tf.TempDir, child: Gio.File): void {
    named.close_async(GLib.PRIORITY_DEFAULT, null, (closed, result) => closed?.close_finish(result));
    named.close_async(GLib.PRIORITY_DEFAULT, (_file, result) => named.close_finish(result));
    named.close_async((_file, result) => named.close_finish(result));
    named.persist_async(child, Tf.PersistFlags.NONE, GLib.PRIORITY_DEFAULT, null, null, null);
    named.persist_async(child, Tf.PersistFlags.REPLACE, (file_, result) => file_?.persist_finish(result));
    named.persist_async(child, (_file, result) => named.persist_finish(result));
    dir.cleanup_async((_dir, result) => dir.cleanup_finish(result));
    stream.truncate_async((_stream, result) => stream.truncate_finish(result));
    stream.read_async(7, (_stream, result) => print(stream.read_finish(result)));
    Tf.NamedFile.create_full_async((_source, result) => Tf.NamedFile.create_full_finish(result).close());
    Tf.TempDir.create_async('p', (_source, result) => Tf.TempDir.create_finish(result).cleanup());
    Tf.sweep_async('p', null, (_source, result) => print(Tf.sweep_finish(result) + 1));
    Tf.remove_tree_async(child, (_source, result) => print(Tf.remove_tree_finish(result)));
}
withCallback(new Tf.NamedFile(), new Tf.TempDir(), Gio.File.new_for_path('x'));

async function withOptions(named: Tf.NamedFile, child: Gio.File): Promise<void> {
    const cancellable = new Gio.Cancellable();
    const ioPriority = GLib.PRIORITY_LOW;
    const kept: Gio.File = await named.persist_async(child, {flags: Tf.PersistFlags.REPLACE, cancellable, ioPriority});
    const onProgress = (done: number, all: number): void => print(done, all);
    const final: Gio.File = named.persist(child, {flags: Tf.PersistFlags.UNIQUE, onProgress});
    print(final.get_path());
    const other: Tf.NamedFile = await Tf.NamedFile.create_async({suffix: '.txt', ioPriority});
    const [descriptor, place]: [number, string] = Tf.mkstemp({prefix: 'p', cancellable: null});
    const some: Uint8Array = other.read(7, {cancellable});
    print(kept, descriptor, place, some, named.flush({cancellable}), await other.close_async({ioPriority}));
    print(await other.readTextAsync({cancellable}), await other.writeAsync('x'), await other.readAsync());
    // @ts-expect-error C has no such name here
    named.flush_async({io_priority: 7});
}
withOptions(new Tf.NamedFile(), Gio.File.new_for_path('x'));

async function byItems(source: Tf.TempFile, target: Tf.TextStream): Promise<void> {
    for (const each of source.lines())
        print(each.length);
    for await (const each of source.lines({ioPriority: GLib.PRIORITY_LOW}))
        print(each.trimEnd());
    for (const each of source.chunks(64))
        print(each.subarray(7));
    for (const each of source.chunks({size: 64, cancellable: null}))
        print(each.length + source.read({count: 7}).length);
    for await (const each of source.lines().batches())
        await target.writeLinesAsync(each);
    source.writeLines(['a\n', new Uint8Array([10])]);
    await source.writeLinesAsync(source.chunks());
    // @ts-expect-error text streams write text
    target.writeLines([new Uint8Array([10])]);
    // @ts-expect-error lines are strings
    const first: Uint8Array = source.lines().next().value as string;
    print(first);
}
byItems(file, stream);

const names: (string | null)[] = [file.prefix, file.suffix, file.dir];
new Tf.TempDir({prefix: null, suffix: null, dir: null});
Tf.NamedFile.new_full().delete_policy = Tf.DeletePolicy.NEVER;

// @ts-expect-error the prefix can be null
const prefix: string = file.prefix;
// @ts-expect-error and so can the directory
const directory: string = new Tf.TempDir().dir;
// @ts-expect-error a path is a string
Tf.set_audit_func((event: string, bytes: Uint8Array) => bytes.length > event.length);
// @ts-expect-error the destination has no default
new Tf.NamedFile().persist_async((_file, result) => print(result));
print(names, prefix, directory);

// @ts-expect-error how much has no default
file.reserve();
// @ts-expect-error nor has how much to read
file.read_bytes_async();
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
// @ts-expect-error a number is no text
stream.write(7);
print(text);
