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

function overrideTextStream(prototype) {
    const {seek} = prototype;

    prototype.seek = function (offset, type = GLib.SeekType.SET, cancellable = null) {
        return seek.call(this, offset, type, cancellable);
    };

    prototype[Symbol.iterator] = function* () {
        for (let line; (line = this.read_line()) !== null;)
            yield line;
    };

    defaultToNoCancellable(prototype, {read: 2, read_line: 1, read_all: 1, write: 2, truncate: 2, flush: 1});
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
    classes.flatMap(klass => [klass, klass.prototype]).forEach(promisifyAll);

    // Each class, because GJS looks the methods of interfaces up in each.
    classes
        .filter(klass => GObject.type_is_a(klass, this.TempFile))
        .forEach(klass => overrideTempFile(klass.prototype));
    overrideTextStream(this.TextStream.prototype);
    defaultToNoCancellable(this.SpooledFile.prototype, {rollover: 1});
    defaultToNoCancellable(this.TempDir.prototype, {cleanup: 1});
    makeDisposable(this.TempFile.prototype, 'close');
    makeDisposable(this.TempDir.prototype, 'cleanup');

    this.set_audit_func = function (func) {
        setAuditFunc(func && ((event, path) => func(event, new TextDecoder().decode(path))));
    };
}
