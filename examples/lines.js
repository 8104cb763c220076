// SPDX-FileCopyrightText: 2026 The tempfile-glib authors
// SPDX-License-Identifier: CC0-1.0

// The example of doc/javascript.md, made a program.

import GLib from 'gi://GLib';
import Tf from 'gi://Tf?version=1';

async function main() {
    const dir = new Tf.TempDir({prefix: 'report-'});
    const report = new Tf.SpooledFile({max_size: 1024 * 1024});
    report.writeLines(['Oslo 4\n', 'Bergen 11\n', 'Narvik -3\n']);

    let warmest = -Infinity;
    report.seek(0);
    for await (const line of report.lines())
        warmest = Math.max(warmest, Number(line.trimEnd().split(' ')[1]));
    await report.writeAsync(`warmest: ${warmest}\n`);

    const document = dir.get_child('report.txt');
    await report.persist_async(document, {flags: Tf.PersistFlags.REPLACE});
    report.close();

    print(`${document.query_info('standard::size', 0, null).get_size()} bytes, warmest ${warmest}`);
    await dir.cleanup_async();
}

const loop = new GLib.MainLoop(null, false);
main().catch(error => printerr(`${error.message}\n${error.stack}`)).finally(() => loop.quit());
loop.run();
