// SPDX-FileCopyrightText: 2026 The tempfile-glib authors
// SPDX-License-Identifier: LGPL-2.1-or-later

// A legacy script, as GJS wants overrides to be: "this" in _init() is the namespace.
// GJS looks up what stands at the top of such a script by its name each time, so that all is inside of a function, and
// so it does with global names.

var _init = (() => {
    const {undefined, Array, Number, Object, Promise, Symbol, Uint8Array} = globalThis;
    const {Gio, GLib, GObject} = imports.gi;

    const PIECE_SIZE = 64 * 1024;
    const NEWLINE = 10;
    const EMPTY = new Uint8Array();
    // The largest size that is a number in JavaScript.
    const ALL = GLib.SIZEOF_SIZE_T > 4 ? Number.MAX_SAFE_INTEGER : GLib.MAXSIZE;

    // A class after its parent.
    function getClasses(namespace) {
        return Object.getOwnPropertyNames(namespace)
            .map(name => namespace[name])
            .filter(value => value?.prototype instanceof GObject.Object)
            .sort((a, b) => GObject.type_depth(a) - GObject.type_depth(b));
    }

    function hasNul(value) {
        return typeof value === 'string' ? value.includes('\0') : Array.isArray(value) && value.some(hasNul);
    }

    // A string would end there in C.
    function refuseNul(name, value) {
        if (hasNul(value))
            throw new GLib.Error(Gio.IOErrorEnum, Gio.IOErrorEnum.INVALID_FILENAME, `${name} has a NUL character`);
    }

    function checkCancellable(name, value) {
        if (value !== null && !(value instanceof Gio.Cancellable))
            throw new TypeError(`${name} is neither null nor a Gio.Cancellable`);
    }

    function checkInteger(name, value) {
        if (typeof value !== 'bigint' && !Number.isInteger(value))
            throw new TypeError(`${name} is not an integer: ${String(value)}`);
        if (value < Number.MIN_SAFE_INTEGER || value > Number.MAX_SAFE_INTEGER)
            throw new RangeError(`${name} is out of range: ${value}`);
    }

    function checkCount(name, value) {
        checkInteger(name, value);
        if (value < 0 || value > ALL)
            throw new RangeError(`${name} is out of range: ${value}`);
    }

    function checkMode(name, value) {
        checkInteger(name, value);
        if (value < 0 || value > 0o777)
            throw new RangeError(`${name} is out of range: ${value}`);
    }

    function checkResult(name, value) {
        if (!(value instanceof Gio.AsyncResult))
            throw new TypeError(`${name} is not a Gio.AsyncResult`);
    }

    function isByte(value) {
        return Number.isInteger(value) && value >= 0 && value <= 255;
    }

    function checkBytes(name, value) {
        const isRight = typeof value === 'string' || value instanceof Uint8Array ||
            Array.isArray(value) && value.every(isByte);

        if (!isRight)
            throw new TypeError(`${name} is neither a Uint8Array nor a string`);
    }

    function checkStopBytes(name, value) {
        checkBytes(name, value);
        if (value.length === 0)
            throw new RangeError(`${name} is empty`);
    }

    function checkText(name, value) {
        if (typeof value !== 'string')
            throw new TypeError(`${name} is not a string`);
    }

    // What is checked before GJS converts an argument, by its name. GJS takes what is not a number for 0, and if it
    // cannot convert an argument of a call that returns an array, 1.74 frees the array that it does not have yet.
    const CHECKS = {
        cancellable: checkCancellable, count: checkCount, data: checkBytes, max_size: checkInteger, mode: checkMode,
        n_chars: checkCount, offset: checkInteger, result: checkResult, size: checkInteger, stop_bytes: checkStopBytes,
        text: checkText,
    };

    function checkProperty(name, value) {
        const check = CHECKS[name.replace(/-/g, '_').replace(/[A-Z]/g, letter => `_${letter.toLowerCase()}`)];
        (check ?? refuseNul)(name, value);
    }

    // What could fail happens in init(), which GJS does not call by itself.
    function initializeInConstructor(klass) {
        const construct = klass.prototype._init;
        klass.prototype._init = function (...args) {
            Object.entries(args[0] ?? {}).forEach(([name, value]) => checkProperty(name, value));
            construct.apply(this, args);
            this.init(null);
        };
    }

    // What GJS tells of a function of C, with the names of its arguments.
    const SIGNATURE = /\((.*)\) \{\s*\/\* wrapper for native symbol/;

    // What an argument is that is left out at the end, by its name; one that is not here cannot be left out.
    function getDefaults({DeletePolicy, Newline, TextErrors}) {
        return {
            cancellable: null, dir: null, encoding: null, func: null, prefix: null, progress_callback: null,
            suffix: null, delete_policy: DeletePolicy.ON_CLOSE, flags: 0, io_priority: GLib.PRIORITY_DEFAULT,
            min_age_seconds: 0, mode: 0o600, errors: TextErrors.STRICT, newline: Newline.UNIVERSAL,
            type: GLib.SeekType.SET,
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

    // Arguments that have another name among options.
    const OPTION_NAMES = {progress_callback: 'onProgress'};

    function getOptionName(parameter) {
        return OPTION_NAMES[parameter] ?? parameter.replace(/_(.)/g, (_match, letter) => letter.toUpperCase());
    }

    function isOptions(value) {
        return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
    }

    function refuseOptions(name, options) {
        const others = Object.keys(options);

        if (others.length > 0)
            throw new TypeError(`${name}() takes no ${others.join(' and no ')}`);
    }

    // Turns options after the arguments of a call into the arguments that they stand for, which have defaults.
    function takeOptions(name, args, parameters, nRequired) {
        const options = {...args.pop()};

        if (args.length < nRequired)
            throw new TypeError(`${name}() takes no options in place of ${parameters[args.length]}`);
        for (let i = args.length; i < parameters.length; i++) {
            const option = getOptionName(parameters[i]);
            if (isOptions(options[option]))
                throw new TypeError(`${name}() takes no options as ${option}`);
            args.push(options[option]);
            delete options[option];
        }
        refuseOptions(name, options);
    }

    // The arguments of a call that all have defaults.
    function takeOwnOptions(name, args, parameters) {
        if (isOptions(args[args.length - 1]))
            takeOptions(name, args, parameters, 0);
        return args;
    }

    // Makes the arguments at the end optional that have a default, takes them as options, and checks what C
    // would mistake. Without a callback, which can follow the last argument that is given, an asynchronous function
    // returns a promise.
    function completeArguments(object, name, defaults) {
        const func = object[name];
        const finish = name.replace(/_async$/, '_finish');
        const isAsync = finish !== name && finish in object;
        const parameters = (SIGNATURE.exec(func)[1].match(/\w+/g) ?? [])
            .filter(each => !isAsync || each !== 'callback');
        const nRequired = parameters.map(parameter => parameter in defaults).lastIndexOf(false) + 1;
        const checks = parameters.map(parameter => CHECKS[parameter] ?? refuseNul);

        if (parameters.length === 0)
            return;

        function complete(args) {
            if (isOptions(args[args.length - 1]))
                takeOptions(name, args, parameters, nRequired);
            if (args.length < nRequired)
                return args;

            for (let i = 0; i < parameters.length; i++) {
                if (args[i] === undefined)
                    args[i] = defaults[parameters[i]];
                checks[i](parameters[i], args[i]);
            }
            args.length = parameters.length;
            return args;
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

    const encoder = new TextEncoder();
    // Keeps a byte order mark, which is content: what ignoreBOM means depends on the version of GJS.
    const decoder = [true, false]
        .map(ignoreBOM => new TextDecoder('utf-8', {fatal: true, ignoreBOM}))
        .find(each => each.decode(Uint8Array.of(0xef, 0xbb, 0xbf)).length === 1);

    // GJS encodes strings fast, but ends them at a NUL character.
    function encodeNul(data) {
        return typeof data === 'string' && data.includes('\0') ? encoder.encode(data) : data;
    }

    function encode(data) {
        return typeof data === 'string' ? encoder.encode(data) : data;
    }

    function join(arrays) {
        if (arrays.length === 1)
            return arrays[0];

        const joined = new Uint8Array(arrays.reduce((size, array) => size + array.length, 0));
        let size = 0;
        for (const array of arrays) {
            joined.set(array, size);
            size += array.length;
        }
        return joined;
    }

    // Cuts what was read into lines of text. The beginning of a line is held until its end is read.
    class LineCutter {
        pieceSize = PIECE_SIZE;
        error = null;
        _held = [];

        cut(piece) {
            const end = piece.lastIndexOf(NEWLINE) + 1;
            if (end === 0) {
                this._held.push(piece);
                return [];
            }

            const whole = [...this._held, piece.subarray(0, end)];
            this._held = end < piece.length ? [piece.subarray(end)] : [];
            return this._decode(join(whole));
        }

        cutLast() {
            const last = this._held;
            this._held = [];
            return last.length > 0 ? this._decode(join(last)) : [];
        }

        // The bytes of items, and of what is held.
        countBytes(items) {
            return encoder.encode(items.join('')).length + this._held.reduce((size, array) => size + array.length, 0);
        }

        _decode(bytes) {
            try {
                return LineCutter._split(decoder.decode(bytes));
            } catch {
                return this._decodeEach(bytes);
            }
        }

        // The lines before the first that is not UTF-8.
        _decodeEach(bytes) {
            const lines = [];
            let start = 0;
            try {
                for (let end; start < bytes.length; start = end) {
                    end = bytes.indexOf(NEWLINE, start) + 1 || bytes.length;
                    lines.push(decoder.decode(bytes.subarray(start, end)));
                }
            } catch (error) {
                this.error = error;
                this._held.unshift(bytes.subarray(start));
            }
            return lines;
        }

        static _split(text) {
            const lines = [];
            let start = 0;
            for (let end; (end = text.indexOf('\n', start) + 1) > 0; start = end)
                lines.push(text.slice(start, end));
            if (start < text.length)
                lines.push(text.slice(start));
            return lines;
        }
    }

    // Cuts what was read into arrays of one size, but for the last.
    class ChunkCutter {
        error = null;

        constructor(size) {
            if (!Number.isSafeInteger(size) || size <= 0)
                throw new RangeError(`${size} is no size of a chunk`);

            this._size = size;
            this.pieceSize = Math.max(1, Math.floor(PIECE_SIZE / size)) * size;
        }

        cut(piece) {
            if (piece.length <= this._size)
                return [piece];

            // Copies of little are cheaper than views.
            const part = this._size <= 96 ? piece.slice : piece.subarray;
            const chunks = [];
            for (let start = 0; start < piece.length; start += this._size)
                chunks.push(part.call(piece, start, start + this._size));
            return chunks;
        }

        cutLast() {
            return [];
        }

        countBytes(items) {
            return items.reduce((size, item) => size + item.length, 0);
        }
    }

    // The items of a file, as many at a time as a piece has.
    class Source {
        items = [];
        nTaken = 0;
        _isDone = false;
        _end = null;

        constructor(name, file, cutter, options) {
            if (!isOptions(options))
                throw new TypeError(`${name}() takes options, and not ${String(options)}`);

            const {cancellable = null, ioPriority = GLib.PRIORITY_DEFAULT, ...others} = options;
            refuseOptions(name, others);
            checkCancellable('cancellable', cancellable);
            this._file = file;
            this._cutter = cutter;
            this._cancellable = cancellable;
            this._ioPriority = ioPriority;
        }

        // Returns whether there are items that were not taken.
        read() {
            try {
                while (this._isHungry())
                    this._accept(this._file.read(this._cutter.pieceSize, this._cancellable));
            } catch (error) {
                this._fail(error);
            }
            return this.nTaken < this.items.length;
        }

        async readAsync() {
            try {
                while (this._isHungry())
                    this._accept(await this._readPieceAsync());
            } catch (error) {
                this._fail(error);
            }
            return this.nTaken < this.items.length;
        }

        _readPieceAsync() {
            return this._file.readAsync(this._cutter.pieceSize, this._ioPriority, this._cancellable);
        }

        take() {
            return {value: this.items[this.nTaken++], done: false};
        }

        takeAll() {
            const items = this.items.slice(this.nTaken);
            this.nTaken = this.items.length;
            return items;
        }

        // Ends it. The position is then behind what was taken.
        finish() {
            const position = this._end - this._cutter.countBytes(this.items.slice(this.nTaken));
            const isBehind = this._end !== null && position < this._end && !this._file.is_closed();

            this._isDone = true;
            this._end = null;
            this.items = [];
            this.nTaken = 0;
            if (isBehind)
                this._file.seek(position);
        }

        _isHungry() {
            if (this._isDone || this.nTaken < this.items.length)
                return false;
            if (this._cutter.error)
                throw this._cutter.error;
            return true;
        }

        _accept(piece) {
            const isLast = piece.length === 0;

            this._end = this._file.tell();
            this.items = isLast ? this._cutter.cutLast() : this._cutter.cut(piece);
            this.nTaken = 0;
            this._isDone = isLast && !this._cutter.error;
        }

        _fail(error) {
            try {
                this.finish();
            } catch {
                // The first error is the one that matters.
            }
            throw error;
        }
    }

    // What lines() and chunks() return: an iterator, which "for await" reads asynchronously.
    class Items {
        constructor(source) {
            this._source = source;
        }

        next() {
            const source = this._source;

            if (source.nTaken < source.items.length || source.read())
                return source.take();
            return {value: undefined, done: true};
        }

        return(value) {
            this._source.finish();
            return {value, done: true};
        }

        // The items of each piece together, as an array.
        batches() {
            const source = this._source;

            return {
                *[Symbol.iterator]() {
                    try {
                        while (source.read())
                            yield source.takeAll();
                    } finally {
                        source.finish();
                    }
                },

                async *[Symbol.asyncIterator]() {
                    try {
                        while (await source.readAsync())
                            yield source.takeAll();
                    } finally {
                        source.finish();
                    }
                },
            };
        }

        [Symbol.asyncIterator]() {
            return new AsyncItems(this._source);
        }
    }

    const IteratorPrototype = Object.getPrototypeOf(Object.getPrototypeOf([][Symbol.iterator]()));
    Object.setPrototypeOf(Items.prototype, IteratorPrototype);

    // Like an asynchronous generator, but without its price for what is read already.
    class AsyncItems {
        _last = Promise.resolve();
        _nWaiting = 0;

        constructor(source) {
            this._source = source;
        }

        next() {
            const source = this._source;

            if (this._nWaiting === 0 && source.nTaken < source.items.length)
                return Promise.resolve(source.take());
            return this._enqueue(async () => await source.readAsync() ? source.take() : {value: undefined, done: true});
        }

        return(value) {
            return this._enqueue(() => {
                this._source.finish();
                return {value, done: true};
            });
        }

        [Symbol.asyncIterator]() {
            return this;
        }

        // Calls it after what was asked for before, or at once: what the caller does next may move the position.
        _enqueue(func) {
            const begun = this._nWaiting > 0 ? this._last.then(func) : (async () => func())();
            const turn = begun.finally(() => this._nWaiting--);

            this._nWaiting++;
            this._last = turn.catch(() => {});
            return turn;
        }
    }

    // Holds lines until they are worth a write. Text is encoded when it is, all at once.
    class LineJoiner {
        _held = [];
        _text = '';
        _size = 0;

        // Returns whether they are.
        add(line) {
            checkBytes('a line', line);
            if (typeof line === 'string') {
                this._text += line;
            } else {
                this._holdText();
                this._held.push(line);
            }
            this._size += line.length;
            return this._size >= PIECE_SIZE;
        }

        take() {
            this._holdText();
            const pieces = this._held;

            this._held = [];
            this._size = 0;
            return join(pieces);
        }

        _holdText() {
            this._held.push(encoder.encode(this._text));
            this._text = '';
        }
    }

    // The lines of an array, several at a time: no other code runs between them.
    function* joinLines(lines) {
        const joiner = new LineJoiner();

        try {
            for (const line of lines) {
                if (joiner.add(line))
                    yield joiner.take();
            }
        } catch (error) {
            yield joiner.take();
            throw error;
        }
        yield joiner.take();
    }

    // Decodes what was read from there on. If it cannot, it was not read.
    function decodeFrom(file, start, bytes) {
        try {
            return decoder.decode(bytes);
        } catch (error) {
            if (!file.is_closed())
                file.seek(start);
            throw error;
        }
    }

    // GJS 1.74 returns the gboolean as well, before the result.
    function skipSuccess(object, name) {
        const func = object[name];

        object[name] = function (...args) {
            const result = func.apply(this, args);
            return Array.isArray(result) ? result[1] : result;
        };
    }

    // read(), write() and what stands on them. The first two are called too often to go through completeArguments().
    function overrideTempFile(prototype, {read_data: readData, try_write: tryWrite, write}) {
        const {read_data: readCompleted, write: writeCompleted} = prototype;

        skipSuccess(prototype, 'persist');
        skipSuccess(prototype, 'persist_finish');

        prototype.read = function (count = ALL, cancellable = null) {
            if (cancellable === null && Number.isInteger(count) && count >= 0 && count <= ALL)
                return readData.call(this, count, null) ?? EMPTY;
            const args = isOptions(count) ? [count] : [count, cancellable];
            const [size = ALL, stop] = takeOwnOptions('read', args, ['count', 'cancellable']);
            return readCompleted.call(this, size, stop) ?? EMPTY;
        };

        prototype.readAsync = async function (...args) {
            const [count = ALL, ...others] = takeOwnOptions('readAsync', args, ['count', 'io_priority', 'cancellable']);
            return await this.read_data_async(count, ...others) ?? EMPTY;
        };

        prototype.readText = function (...others) {
            const start = this.tell();
            return decodeFrom(this, start, this.read(ALL, ...others));
        };

        prototype.readTextAsync = async function (...others) {
            const start = this.tell();
            return decodeFrom(this, start, await this.readAsync(ALL, ...others));
        };

        // A character has three bytes at most for each element of a string.
        function mayRollOver(file, piece) {
            return file.is_rolled_over?.() === false && file.max_size >= 0 &&
                file.tell() + 3 * piece.length > file.max_size;
        }

        // What is small is written at once, if that does not roll over: a callback for each costs much more, and
        // GJS 1.74 drops those that arrive while it collects the garbage of a loop.
        async function writePiece(file, piece, ioPriority, cancellable) {
            checkBytes('a line', piece);
            cancellable?.set_error_if_cancelled();
            if (tryWrite.call(file, encodeNul(piece)))
                return;
            if (piece.length < PIECE_SIZE && !mayRollOver(file, piece))
                file.write(piece, cancellable);
            else
                await file.writeAsync(piece, ioPriority, cancellable);
        }

        prototype.write = function (data, cancellable = null) {
            if (cancellable === null && data instanceof Uint8Array)
                return write.call(this, data, null);
            if (cancellable === null && typeof data === 'string')
                return write.call(this, encodeNul(data), null);
            return writeCompleted.call(this, encodeNul(data), cancellable);
        };

        prototype.writeAsync = async function (data, ...others) {
            checkBytes('data', data);
            return this.write_bytes_async(new GLib.Bytes(encode(data)), ...others);
        };

        prototype.writeLines = function (lines, ...others) {
            const pieces = Array.isArray(lines) ? joinLines(lines) : lines;

            for (const piece of pieces) {
                checkBytes('a line', piece);
                this.write(piece, ...others);
            }
            return true;
        };

        prototype.writeLinesAsync = async function (lines, ...others) {
            const parameters = ['io_priority', 'cancellable'];
            const [ioPriority, cancellable = null] = takeOwnOptions('writeLinesAsync', others, parameters);

            checkCancellable('cancellable', cancellable);
            if (Array.isArray(lines)) {
                for (const piece of joinLines(lines))
                    await writePiece(this, piece, ioPriority, cancellable);
            } else {
                for await (const line of lines)
                    await writePiece(this, line, ioPriority, cancellable);
            }
            return true;
        };

        prototype.lines = function (options = {}) {
            return new Items(new Source('lines', this, new LineCutter(), options));
        };

        prototype.chunks = function (size = PIECE_SIZE, options = {}) {
            if (isOptions(size)) {
                const {size: named, ...others} = size;
                return this.chunks(named, others);
            }
            return new Items(new Source('chunks', this, new ChunkCutter(size), options));
        };

        prototype[Symbol.asyncIterator] = function () {
            return this.chunks()[Symbol.asyncIterator]();
        };

        // GJS makes an empty array of NULL.
        for (const name of ['read_line', 'read_upto', 'read_line_finish', 'read_upto_finish']) {
            const read = prototype[name];
            prototype[name] = function (...args) {
                const piece = read.apply(this, args);
                return piece.length > 0 || this.tell() < this.get_size() ? piece : null;
            };
        }
    }

    function overrideTextStream(prototype) {
        prototype.writeLines = function (lines, ...others) {
            for (const line of lines)
                this.write(line, ...others);
            return true;
        };

        prototype.writeLinesAsync = async function (lines, ...others) {
            for await (const line of lines)
                await this.write_async(line, ...others);
            return true;
        };

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
        // What was handed over to another program stays.
        const stays = object => method === 'cleanup' && object.is_handed_over();

        if (Symbol.dispose) {
            prototype[Symbol.dispose] = function () {
                if (!stays(this))
                    this[method]();
            };
        }

        if (Symbol.asyncDispose) {
            prototype[Symbol.asyncDispose] = async function () {
                if (!stays(this))
                    await this[`${method}_async`]();
            };
        }
    }

    return function () {
        const setAuditFunc = this.set_audit_func;
        const defaults = getDefaults(this);
        const classes = getClasses(this);

        classes
            .filter(klass => GObject.type_is_a(klass, Gio.Initable) && !classes.includes(Object.getPrototypeOf(klass)))
            .forEach(initializeInConstructor);

        const {read_data, try_write, write} = this.TempFile.prototype;
        const others = new Map([[this.TempDir, {mode: 0o700}], [this.TextStream.prototype, {size: -1}]]);
        for (const object of [this, ...classes.flatMap(klass => [klass, klass.prototype])]) {
            const own = {...defaults, ...others.get(object)};
            getFunctionNames(object).forEach(name => completeArguments(object, name, own));
        }

        overrideTempFile(this.TempFile.prototype, {read_data, try_write, write});
        overrideTextStream(this.TextStream.prototype);
        makeDisposable(this.TempFile.prototype, 'close');
        makeDisposable(this.TempDir.prototype, 'cleanup');
        skipSuccess(this, 'sweep');
        skipSuccess(this, 'sweep_finish');

        this.set_audit_func = function (func = null) {
            setAuditFunc(func && ((event, path) => func(event, new TextDecoder().decode(path))));
        };
    };
})();
