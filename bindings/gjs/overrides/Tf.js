// SPDX-FileCopyrightText: 2026 The tempfile-glib authors
// SPDX-License-Identifier: LGPL-2.1-or-later

// A legacy script, as GJS wants overrides to be: "this" in _init() is the namespace.

const {Gio, GLib, GObject} = imports.gi;

const PIECE_SIZE = 64 * 1024;
const ALL = Number.MAX_SAFE_INTEGER;

function getClasses(namespace) {
    return Object.getOwnPropertyNames(namespace)
        .map(name => namespace[name])
        .filter(value => value?.prototype instanceof GObject.Object);
}

// What could fail happens in init(), which GJS does not call by itself.
function initializeInConstructor(klass) {
    const construct = klass.prototype._init;
    klass.prototype._init = function (...args) {
        construct.apply(this, args);
        this.init(null);
    };
}

function promisifyAll(object) {
    const names = new Set();
    for (let o = object; o && o !== GObject.Object && o !== GObject.Object.prototype; o = Object.getPrototypeOf(o))
        Object.getOwnPropertyNames(o).forEach(name => names.add(name));

    for (const name of names) {
        const finish = name.replace(/_async$/, '_finish');
        if (finish !== name && names.has(finish))
            Gio._promisify(object, name, finish);
    }
}

function readPiece(stream) {
    return new Promise((resolve, reject) => {
        stream.read_bytes_async(PIECE_SIZE, GLib.PRIORITY_DEFAULT, null, (_stream, result) => {
            try {
                resolve(stream.read_bytes_finish(result));
            } catch (error) {
                reject(error);
            }
        });
    });
}

// Makes the cancellable at the end of the arguments of each method optional.
function defaultToNoCancellable(prototype, lengths) {
    for (const [name, length] of Object.entries(lengths)) {
        const method = prototype[name];
        prototype[name] = function (...args) {
            while (args.length < length)
                args.push(null);
            return method.apply(this, args);
        };
    }
}

// Makes arguments at the end optional: for each method, how many come before them, and the values of those left out.
function setDefaults(object, defaults) {
    for (const [name, [length, ...values]] of Object.entries(defaults)) {
        const method = object[name];
        object[name] = function (...args) {
            return method.call(this, ...args, ...values.slice(Math.max(args.length - length, 0)));
        };
    }
}

// Gives a function null for each argument at the end that is left out; without a callback, an asynchronous one
// returns a promise.
function makeArgumentsOptional(object, name) {
    const func = object[name];
    const {length} = object[`_original_${name}`] ?? func;
    const count = name.endsWith('_async') ? length - 1 : length;
    object[name] = function (...args) {
        while (args.length < count)
            args.push(null);
        return func.apply(this, args);
    };
}

function getFunctionNames(object) {
    return Object.getOwnPropertyNames(object)
        .filter(name => /^[a-z]/.test(name) && typeof object[name] === 'function');
}

function overrideTempFile(prototype) {
    const {seek, write} = prototype;

    prototype.read = function (count = ALL, cancellable = null) {
        return this.read_bytes(count, cancellable).toArray();
    };

    prototype.readText = function (cancellable = null) {
        return new TextDecoder('utf-8', {fatal: true}).decode(this.read(ALL, cancellable));
    };

    prototype.write = function (data, cancellable = null) {
        return write.call(this, typeof data === 'string' ? new TextEncoder().encode(data) : data, cancellable);
    };

    prototype.seek = function (offset, type = GLib.SeekType.SET, cancellable = null) {
        return seek.call(this, offset, type, cancellable);
    };

    prototype[Symbol.asyncIterator] = async function* () {
        const stream = this.get_input_stream();
        for (let piece; (piece = await readPiece(stream)).get_size() > 0;)
            yield piece.toArray();
    };

    defaultToNoCancellable(prototype, {close: 1, flush: 1, get_fd: 1, get_fd_path: 1, dup_fd: 1, load_bytes: 1, read_bytes: 2, read_line: 1,
        truncate: 2});
}

function overrideTextStream(klass, {Newline, TextErrors}) {
    const request = [GLib.PRIORITY_DEFAULT, null];
    const {prototype} = klass;

    setDefaults(klass, {new: [1, null, Newline.UNIVERSAL, TextErrors.STRICT]});
    setDefaults(prototype, {
        read: [1, null], read_async: [1, ...request],
        read_line: [0, null], read_line_async: [0, ...request],
        read_all: [0, null], read_all_async: [0, ...request],
        write: [1, null], write_async: [1, ...request],
        seek: [1, GLib.SeekType.SET, null], seek_async: [1, GLib.SeekType.SET, ...request],
        tell: [0, null], tell_async: [0, ...request],
        truncate: [0, -1, null], truncate_async: [0, -1, ...request],
        flush: [0, null], flush_async: [0, ...request],
    });

    prototype[Symbol.iterator] = function* () {
        for (let line; (line = this.read_line()) !== null;)
            yield line;
    };

    prototype[Symbol.asyncIterator] = async function* () {
        for (let line; (line = await this.read_line_async()) !== null;)
            yield line;
    };
}

// "using" and "await using", where the engine has them.
function makeDisposable(prototype, method) {
    if (Symbol.dispose) {
        prototype[Symbol.dispose] = function () {
            this[method]();
        };
    }

    if (Symbol.asyncDispose) {
        prototype[Symbol.asyncDispose] = async function () {
            await this[`${method}_async`](GLib.PRIORITY_DEFAULT, null);
        };
    }
}

function _init() {
    const setAuditFunc = this.set_audit_func;
    const classes = getClasses(this);

    classes
        .filter(klass => GObject.type_is_a(klass, Gio.Initable) && !classes.includes(Object.getPrototypeOf(klass)))
        .forEach(initializeInConstructor);
    [this, ...classes.flatMap(klass => [klass, klass.prototype])].forEach(promisifyAll);
    getFunctionNames(this).forEach(name => makeArgumentsOptional(this, name));

    // Each class, because GJS looks the methods of interfaces up in each.
    classes
        .filter(klass => GObject.type_is_a(klass, this.TempFile))
        .forEach(klass => overrideTempFile(klass.prototype));
    overrideTextStream(this.TextStream, this);
    defaultToNoCancellable(this.SpooledFile.prototype, {rollover: 1});
    for (const klass of [this.NamedFile, this.TempDir]) {
        getFunctionNames(klass)
            .filter(name => /^(new|create)/.test(name))
            .forEach(name => makeArgumentsOptional(klass, name));
    }
    ['unlink', 'unlink_async'].forEach(name => makeArgumentsOptional(this.NamedFile.prototype, name));
    ['cleanup', 'cleanup_async'].forEach(name => makeArgumentsOptional(this.TempDir.prototype, name));
    makeDisposable(this.TempFile.prototype, 'close');
    makeDisposable(this.TempDir.prototype, 'cleanup');

    this.set_audit_func = function (func) {
        setAuditFunc(func && ((event, path) => func(event, new TextDecoder().decode(path))));
    };
}
