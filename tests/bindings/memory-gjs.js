// SPDX-FileCopyrightText: 2026 The tempfile-glib authors
// SPDX-License-Identifier: LGPL-2.1-or-later

// memory-gjs.js [MIB [WAY]...]: reads so many MiB in each way that the override has, and sees that the memory stays.

imports.gi.versions.Tf = '1';
const {GLib, Tf} = imports.gi;
const System = imports.system;

const MIB = 1024 * 1024;
const PIECE = 64 * 1024;
const amount = Number(ARGV[0] ?? 96);
// What leaks, leaks all that is read.
const allowed = 64;

const content = `${'x'.repeat(63)}\n`.repeat(MIB / 64);

function take(items) {
    let size = 0;
    for (const item of items)
        size += item.length;
    return size;
}

async function takeAsync(items) {
    let size = 0;
    for await (const item of items)
        size += item.length;
    return size;
}

function takeBatches(batches) {
    let size = 0;
    for (const batch of batches)
        size += take(batch);
    return size;
}

async function takeBatchesAsync(batches) {
    let size = 0;
    for await (const batch of batches)
        size += take(batch);
    return size;
}

function repeat(read) {
    let size = 0;
    for (let n; (n = read()) > 0;)
        size += n;
    return size;
}

async function repeatAsync(read) {
    let size = 0;
    for (let n; (n = await read()) > 0;)
        size += n;
    return size;
}

const ways = {
    'read': file => repeat(() => file.read(PIECE).length),
    'read all': file => file.read().length,
    'readText': file => file.readText().length,
    'read_line': file => repeat(() => file.read_line()?.length ?? 0),
    'read_bytes': file => repeat(() => file.read_bytes(PIECE).toArray().length),
    'load_bytes': file => file.load_bytes().toArray().length,
    'lines': file => take(file.lines()),
    'chunks': file => take(file.chunks(64)),
    'chunks, large': file => take(file.chunks()),
    'batches': file => takeBatches(file.lines().batches()),
    'readAsync': file => repeatAsync(async () => (await file.readAsync(PIECE)).length),
    'readTextAsync': async file => (await file.readTextAsync()).length,
    'for await': file => takeAsync(file),
    'chunks, asynchronous': file => takeAsync(file.chunks(1000)),
    'batches, asynchronous': file => takeBatchesAsync(file.chunks(64).batches()),
    'text': file => take(new Tf.TextStream({base_file: file})),
};

// Those that wait for callbacks
for (const name of ['readAsync', 'readTextAsync', 'for await', 'chunks, asynchronous', 'batches, asynchronous'])
    ways[name].isAsync = true;

function getResident() {
    const [, status] = GLib.file_get_contents('/proc/self/status');
    return Number(/VmRSS:\s*(\d+)/.exec(new TextDecoder().decode(status))[1]) / 1024;
}

async function readRepeatedly(file, way, n) {
    let size = 0;
    for (let i = 0; i < n; i++) {
        // GJS knows nothing of native memory, and collects it late. GJS 1.74 drops callbacks that come while it collects
        // step by step.
        if (way.isAsync || i % 16 === 0)
            System.gc();
        file.seek(0);
        size += await way(file);
    }
    return size;
}

// What a finalizer lets go of is freed by the next collection, and some finalizers are called by the main loop.
async function collect() {
    for (let i = 0; i < 3; i++) {
        System.gc();
        await new Promise(resolve => GLib.idle_add(GLib.PRIORITY_LOW, () => {
            resolve();
            return GLib.SOURCE_REMOVE;
        }));
    }
}

async function measure(file, way) {
    await readRepeatedly(file, way, 16);
    System.gc();
    const before = getResident();
    const size = await readRepeatedly(file, way, amount);
    const peak = getResident();
    await collect();
    return [size, peak - before, getResident() - before];
}

let failed = 0;

async function run() {
    const file = new Tf.SpooledFile({max_size: -1});
    file.write(content);

    const names = ARGV.length > 1 ? ARGV.slice(1) : Object.keys(ways);
    print(`1..${names.length}`);
    for (const name of names) {
        const [size, grown, kept] = await measure(file, ways[name]);
        const ok = size === amount * MIB && grown < allowed;
        failed += ok ? 0 : 1;
        print(`${ok ? 'ok' : 'not ok'} ${name}`);
        print(`# ${amount} MiB: ${grown.toFixed(0)} MiB more, ${kept.toFixed(0)} after a collection`);
    }
    file.close();
}

const loop = new GLib.MainLoop(null, false);
run().catch(error => {
    failed++;
    print(`not ok ${error.message} ${error.stack}`);
}).finally(() => loop.quit());
loop.run();
if (failed > 0)
    System.exit(1);
