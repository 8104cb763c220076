// SPDX-FileCopyrightText: 2026 The tempfile-glib authors
// SPDX-License-Identifier: LGPL-2.1-or-later

// A legacy script, as GJS wants overrides to be: "this" in _init() is the namespace.

const {Gio, GLib, GObject} = imports.gi;

const PIECE_SIZE = 64 * 1024;
// The largest size that is a number in JavaScript.
const ALL = GLib.SIZEOF_SIZE_T > 4 ? Number.MAX_SAFE_INTEGER : GLib.MAXSIZE;

// A class after its parent.
function getClasses(namespace) {
    return Object.getOwnPropertyNames(namespace)
        .map(name => namespace[name])
        .filter(value => value?.prototype instanceof GObject.Object)
        .sort((a, b) => GObject.type_depth(a) - GObject.type_depth(b));
}

// The arguments that can be a string with a NUL character. All others would end there in C.
const CAN_HOLD_NUL = new Set(['data', 'stop_bytes', 'text']);

function refuseNul(name, value) {
    const hasNul = each => typeof each === 'string' && each.includes('\0');

    if (!CAN_HOLD_NUL.has(name) && [value].flat().some(hasNul))
        throw new GLib.Error(Gio.IOErrorEnum, Gio.IOErrorEnum.INVALID_FILENAME, `${name} has a NUL character`);
}

// What could fail happens in init(), which GJS does not call by itself.
function initializeInConstructor(klass) {
    const construct = klass.prototype._init;
    klass.prototype._init = function (...args) {
        Object.entries(args[0] ?? {}).forEach(([name, value]) => refuseNul(name, value));
        construct.apply(this, args);
        this.init(null);
    };
}

// What GJS tells of a function of C, with the names of its arguments.
const SIGNATURE = /\((.*)\) \{\s*\/\* wrapper for native symbol/;

// What an argument is that is left out at the end, by its name; one that is not here cannot be left out.
function getDefaults({DeletePolicy, Newline, TextErrors}) {
    return {
        cancellable: null, dir: null, encoding: null, func: null, prefix: null, suffix: null,
        delete_policy: DeletePolicy.ON_CLOSE, flags: 0, io_priority: GLib.PRIORITY_DEFAULT, min_age_seconds: 0,
        mode: 0o600, errors: TextErrors.STRICT, newline: Newline.UNIVERSAL, type: GLib.SeekType.SET,
    };
}

// The names of the functions of C that an object and its parents have.
function getFunctionNames(object) {
    const names = new Set();
    for (let o = object; o && o !== GObject.Object && o !== GObject.Object.prototype; o = Object.getPrototypeOf(o))
        Object.getOwnPropertyNames(o).forEach(name => names.add(name));
    return [...names].filter(name => SIGNATURE.test(object[name]));
}

// Like what Gio._promisify() makes of a function, which an object with a promisified parent cannot have from there.
function makePromise(start, finish) {
    const {stack} = new Error();

    return new Promise((resolve, reject) => {
        start((_source, result) => {
            try {
                const value = finish(result);
                resolve(Array.isArray(value) && value.length > 1 && value[0] === true ? value.slice(1) : value);
            } catch (error) {
                error.stack += `### Promise created here: ###\n${stack}`;
                reject(error);
            }
        });
    });
}

// Makes the arguments at the end optional that have a default, and refuses strings that C would cut short. Without a
// callback, which can follow the last argument that is given, an asynchronous function returns a promise.
function completeArguments(object, name, defaults) {
    const func = object[name];
    const finish = name.replace(/_async$/, '_finish');
    const isAsync = finish !== name && finish in object;
    const parameters = (SIGNATURE.exec(func)[1].match(/\w+/g) ?? []).filter(each => !isAsync || each !== 'callback');
    const nRequired = parameters.map(parameter => parameter in defaults).lastIndexOf(false) + 1;

    if (parameters.length === 0)
        return;

    function complete(args) {
        parameters.forEach((parameter, i) => refuseNul(parameter, args[i]));
        if (args.length < nRequired)
            return args;
        return parameters.map((parameter, i) => args[i] === undefined ? defaults[parameter] : args[i]);
    }

    function call(...args) {
        return func.apply(this, complete(args));
    }

    function callAsync(...args) {
        const last = args[args.length - 1];
        const start = callback => func.call(this, ...complete(args), callback);

        if (typeof last !== 'function')
            return makePromise(start, result => object[finish].call(this, result));
        args.pop();
        return start(last);
    }

    object[name] = isAsync ? callAsync : call;
}

function overrideTempFile(prototype) {
    const {write} = prototype;

    prototype.read = function (count = ALL, cancellable = null) {
        return this.read_bytes(count, cancellable).toArray();
    };

    prototype.readText = function (cancellable = null) {
        return new TextDecoder('utf-8', {fatal: true}).decode(this.read(ALL, cancellable));
    };

    prototype.write = function (data, cancellable = null) {
        return write.call(this, typeof data === 'string' ? new TextEncoder().encode(data) : data, cancellable);
    };

    // GJS makes an empty array of NULL.
    for (const name of ['read_line', 'read_upto', 'read_line_finish', 'read_upto_finish']) {
        const read = prototype[name];
        prototype[name] = function (...args) {
            const piece = read.apply(this, args);
            return piece.length > 0 || this.tell() < this.get_size() ? piece : null;
        };
    }

    prototype[Symbol.asyncIterator] = async function* () {
        const stream = this.get_input_stream();
        const readPiece = callback => stream.read_bytes_async(PIECE_SIZE, GLib.PRIORITY_DEFAULT, null, callback);
        const finish = result => stream.read_bytes_finish(result);
        for (let piece; (piece = await makePromise(readPiece, finish)).get_size() > 0;)
            yield piece.toArray();
    };
}

function overrideTextStream(prototype) {
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
            await this[`${method}_async`]();
        };
    }
}

function _init() {
    const setAuditFunc = this.set_audit_func;
    const defaults = getDefaults(this);
    const classes = getClasses(this);

    classes
        .filter(klass => GObject.type_is_a(klass, Gio.Initable) && !classes.includes(Object.getPrototypeOf(klass)))
        .forEach(initializeInConstructor);

    const others = new Map([[this.TempDir, {mode: 0o700}], [this.TextStream.prototype, {size: -1}]]);
    for (const object of [this, ...classes.flatMap(klass => [klass, klass.prototype])]) {
        const own = {...defaults, ...others.get(object)};
        getFunctionNames(object).forEach(name => completeArguments(object, name, own));
    }

    overrideTempFile(this.TempFile.prototype);
    overrideTextStream(this.TextStream.prototype);
    makeDisposable(this.TempFile.prototype, 'close');
    makeDisposable(this.TempDir.prototype, 'cleanup');

    this.set_audit_func = function (func = null) {
        setAuditFunc(func && ((event, path) => func(event, new TextDecoder().decode(path))));
    };
}
