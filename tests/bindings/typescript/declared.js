// SPDX-FileCopyrightText: 2026 The tempfile-glib authors
// SPDX-License-Identifier: LGPL-2.1-or-later

// For GJS. declared.js DEFINITIONS: sees that the definitions declare all that the override adds, and nothing else.

// Older engines have no such symbols.
Symbol.dispose ??= Symbol('Symbol.dispose');
Symbol.asyncDispose ??= Symbol('Symbol.asyncDispose');

imports.gi.versions.Tf = '1';
const {GLib, Tf} = imports.gi;
const System = imports.system;

const [, content] = GLib.file_get_contents(ARGV[0]);
const text = new TextDecoder().decode(content);

// The names that an interface declares, as of a property or, in brackets, of a symbol.
function getDeclared(name) {
    const [, body] = new RegExp(`^        interface ${name}(?:<\\w>)?[^{]*\\{$(.*?)^        \\}$`, 'ms').exec(text);
    return new Set([...body.matchAll(/^ {12}(\w+|\[Symbol\.\w+\])\(/gm)].map(([, each]) => each));
}

function find(object, name) {
    const symbol = /^\[Symbol\.(\w+)\]$/.exec(name);
    return object[symbol ? Symbol[symbol[1]] : name];
}

// What is not of C: names without an underscore that GJS did not make.
function getAdded(object) {
    const names = Object.getOwnPropertyNames(object)
        .filter(name => /[a-z][A-Z]|^(lines|chunks|batches)$/.test(name))
        .filter(name => typeof Object.getOwnPropertyDescriptor(object, name).value === 'function');
    const symbols = Object.getOwnPropertySymbols(object)
        .filter(symbol => symbol !== Symbol.toStringTag && String(symbol).startsWith('Symbol(Symbol.'))
        .map(symbol => `[${symbol.description}]`);
    return [...names, ...symbols];
}

const file = new Tf.SpooledFile();
const objects = {
    TempFile: Tf.TempFile.prototype, TempDir: Tf.TempDir.prototype, TextStream: Tf.TextStream.prototype,
    Items: Object.getPrototypeOf(file.lines()),
};
const wrong = [];

for (const [name, object] of Object.entries(objects)) {
    const declared = getDeclared(name);
    for (const each of declared) {
        if (typeof find(object, each) !== 'function')
            wrong.push(`${name} has no ${each}`);
    }
    for (const each of getAdded(object)) {
        if (!declared.has(each))
            wrong.push(`${each} of ${name} is not declared`);
    }
    print(`${name}: ${[...declared].join(' ')}`);
    if (declared.size === 0)
        wrong.push(`${name} declares nothing`);
}
file.close();

wrong.forEach(each => printerr(each));
if (wrong.length > 0)
    System.exit(1);
