// SPDX-FileCopyrightText: 2026 The tempfile-glib authors
// SPDX-License-Identifier: CC0-1.0

// A report of lines: spooled, copied through the streams into a directory, and read as text.

import Gio from 'gi://Gio?version=2.0';
import Tf from 'gi://Tf?version=1';

function writeLines(file: Tf.TempFile, count: number): void {
    for (let i = 0; i < count; i++)
        file.write(`line ${i}\n`);
}

function copyInto(dir: Tf.TempDir, file: Tf.TempFile): Gio.File {
    const copy = dir.get_child('report.txt');
    file.seek(0);
    copy.create(Gio.FileCreateFlags.PRIVATE, null)
        .splice(file.get_input_stream(), Gio.OutputStreamSpliceFlags.CLOSE_TARGET, null);
    return copy;
}

async function countBytes(file: Tf.TempFile): Promise<number> {
    let size = 0;
    file.seek(0);
    for await (const chunk of file)
        size += chunk.length;
    return size;
}

const spool = new Tf.SpooledFile({max_size: 1024});
let rolledOverAt: number | null = null;
spool.connect('rolled-over', file => {
    rolledOverAt ??= file.get_size();
});
writeLines(spool, 200);

const dir = new Tf.TempDir({prefix: 'report-'});
const [, content] = copyInto(dir, spool).load_contents(null);

spool.seek(0);
const start: string = new TextDecoder().decode(spool.read(6));
const rest: string = spool.readText();

const text = new Tf.TextStream({base_file: spool, encoding: 'UTF-8'});
text.seek(0);
const lines: string[] = [...text];

print(`${start}, ${rest.length + 6} and ${content.length} bytes, ${lines.length} lines, ` +
    `${await countBytes(spool)} in chunks, rolled over at ${rolledOverAt}`);

dir.cleanup();
spool.close();
