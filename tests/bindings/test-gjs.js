// SPDX-FileCopyrightText: 2026 The tempfile-glib authors
// SPDX-License-Identifier: LGPL-2.1-or-later

// Older engines have no such symbols; the override takes what is there when it is loaded.
Symbol.dispose ??= Symbol('Symbol.dispose');
Symbol.asyncDispose ??= Symbol('Symbol.asyncDispose');

imports.gi.versions.Tf = '1';
const {Gio, GLib, GObject, Tf} = imports.gi;
const System = imports.system;

const sandbox = GLib.dir_make_tmp('test-gjs-XXXXXX');
Tf.set_temp_dir(sandbox);

function equal(actual, expected) {
    const [a, b] = [actual, expected].map(value => JSON.stringify(value instanceof Uint8Array ? [...value] : value));
    if (a !== b)
        throw new Error(`${a} is not ${b}`);
}

async function throws(code, call) {
    try {
        await call();
    } catch (error) {
        if ([code].flat().some(each => typeof each === 'function' && error instanceof each))
            return;
        if (error instanceof GLib.Error && error.matches(Gio.io_error_quark(), code))
            return;
        throw error;
    }
    throw new Error('nothing was thrown');
}

function entries() {
    const names = [];
    const enumerator = Gio.File.new_for_path(sandbox).enumerate_children('standard::name', 0, null);
    for (let info; (info = enumerator.next_file(null));)
        names.push(info.get_name());
    enumerator.close(null);
    return names;
}

const tests = {
    'new initializes'() {
        const files = [
            new Tf.TempFile(), new Tf.NamedFile({prefix: 'report-', suffix: '.txt'}),
            new Tf.SpooledFile({max_size: 3}), Tf.TempFile.new(null, null), Tf.NamedFile.new(null, null, null, null),
            Tf.SpooledFile.new(3),
        ];
        for (const file of files) {
            equal(file.write('x'), true);
            file.close();
        }
        equal(/^report-.{8}\.txt$/.test(files[1].file.get_basename()), true);
        equal(files[2].max_size, 3);
    },

    async 'new throws'() {
        for (const klass of [Tf.TempFile, Tf.NamedFile, Tf.TempDir])
            await throws(Gio.IOErrorEnum.NOT_FOUND, () => new klass({dir: `${sandbox}/missing`}));
        await throws(Gio.IOErrorEnum.NOT_SUPPORTED, () => new Tf.TextStream({base_file: new Tf.TempFile(), encoding: 'x'}));
        await throws(Gio.IOErrorEnum.INVALID_ARGUMENT, () => new Tf.TextStream());
    },

    'subclass'() {
        const Log = GObject.registerClass(class Log extends Tf.TempFile {
            _init(title) {
                super._init({prefix: title});
                this.write(title);
            }
        });
        const log = new Log('title');
        equal(log.get_size(), 5);
        log.close();
    },

    'strings and arrays'() {
        const file = new Tf.SpooledFile({max_size: 10});
        file.write('Grüße ');
        file.write(new Uint8Array([0, 255]), null);
        file.seek(0);
        equal(file.read(3), new Uint8Array([71, 114, 0xc3]));
        equal(file.read(), new Uint8Array([0xbc, 0xc3, 0x9f, 101, 32, 0, 255]));
        equal(file.is_rolled_over(), false);
        file.truncate(8);
        file.seek(-6, GLib.SeekType.END, null);
        equal(file.readText(), 'üße ');
        file.seek(3);
        let error = null;
        try {
            file.readText();
        } catch (e) {
            error = e;
        }
        equal([error instanceof TypeError, file.tell()], [true, 3]);
        file.read();
        equal(file.read_bytes(5).get_size(), 0);
        file.close(null);
    },

    async 'rollover'() {
        const file = new Tf.SpooledFile({max_size: 10});
        let seen = 0;
        file.connect('rolled-over', () => seen++);
        file.write('0123456789');
        equal(seen, 0);
        file.write('!');
        equal(seen, 1);
        file.rollover();
        file.seek(0);
        equal(file.readText(), '0123456789!');
        file.close();
        await throws(Gio.IOErrorEnum.CLOSED, () => file.write('x'));
    },

    async 'for await'() {
        for (const max_size of [-1, 100]) {
            const file = new Tf.SpooledFile({max_size});
            const text = 'content '.repeat(20000);
            file.write(text);
            file.seek(0);
            let read = '';
            for await (const chunk of file)
                read += new TextDecoder().decode(chunk);
            equal(read === text, true);
            file.close();
            await throws(Gio.IOErrorEnum.CLOSED, async () => {
                for await (const chunk of file)
                    equal(chunk, null);
            });
        }
    },

    'lines'() {
        for (const file of [new Tf.SpooledFile({max_size: -1}), new Tf.TempFile()]) {
            const long = 'ü'.repeat(100000);
            const content = ['one\n', '\n', 'zwü\0\r\n', '\ufeffthree\n', `${long}\n`, 'x\n'.repeat(40000), 'last'];
            equal([file.writeLines(content), [...file.lines()]], [true, []]);
            file.seek(0);
            const lines = [...file.lines()];
            equal(lines.slice(0, 4), content.slice(0, 4));
            equal([lines.length, lines[4].length, lines.join('') === content.join('')], [40006, 100001, true]);
            equal(file.tell(), file.get_size());

            file.seek(0);
            const joined = [...file.lines().batches()].flat();
            equal(joined.join('') === content.join(''), true);
            file.close();
        }
    },

    'lines that are not all read'() {
        const file = new Tf.SpooledFile();
        file.writeLines(['ä\n', new Uint8Array([0xc3, 0xbc, 10]), 'three\n', 'four']);
        file.seek(0);
        for (const line of file.lines()) {
            if (line === 'ü\n')
                break;
        }
        equal(file.tell(), 6);
        const lines = file.lines();
        equal([lines.next(), file.tell()], [{value: 'three\n', done: false}, 16]);
        equal([lines.return(7), file.tell(), lines.next()], [{value: 7, done: true}, 12, {done: true}]);
        equal([lines.return().done, file.tell()], [true, 12]);

        file.seek(0);
        for (const batch of file.lines().batches()) {
            equal(batch.length, 3);
            break;
        }
        equal([file.tell(), file.readText()], [12, 'four']);
        file.seek(0);
        for (const line of file.lines()) {
            equal(line, 'ä\n');
            file.close();
            break;
        }
    },

    async 'lines that cannot be read'() {
        const file = new Tf.SpooledFile();
        file.write(new Uint8Array([97, 10, 98, 10, 0xff, 10, 99]));
        for (const start of [0, 4]) {
            file.seek(start);
            const lines = [];
            let error = null;
            try {
                for (const line of file.lines())
                    lines.push(line);
            } catch (e) {
                error = e;
            }
            equal([error instanceof TypeError, lines, file.tell()], [true, ['a\n', 'b\n'].slice(start), 4]);
        }
        file.write(new Uint8Array([98, 10, 99, 0xff]));
        file.seek(0);
        const lines = file.lines();
        equal([lines.next(), lines.next(), lines.next()].map(({value}) => value), ['a\n', 'b\n', 'b\n']);
        let error = null;
        try {
            lines.next();
        } catch (e) {
            error = e;
        }
        equal([error instanceof TypeError, file.tell(), lines.next().done], [true, 6, true]);

        const cancellable = new Gio.Cancellable();
        cancellable.cancel();
        await throws(Gio.IOErrorEnum.CANCELLED, () => [...file.lines({cancellable})]);
        await throws(Gio.IOErrorEnum.CANCELLED, () => file.lines({cancellable})[Symbol.asyncIterator]().next());
        for (const call of [() => file.lines({size: 7}), () => file.chunks(7, {count: 7})]) {
            error = null;
            try {
                call();
            } catch (e) {
                error = e;
            }
            equal(error instanceof TypeError && /takes no (size|count)/.test(error.message), true);
        }
        file.close();
        await throws(Gio.IOErrorEnum.CLOSED, () => [...file.lines()]);
        await throws(Gio.IOErrorEnum.CLOSED, () => [...file.chunks().batches()]);
        await throws(Gio.IOErrorEnum.CLOSED, () => file.writeLines(['x']));
    },

    'chunks'() {
        const file = new Tf.SpooledFile();
        const content = new Uint8Array(200000).map((_, i) => i);
        file.write(content);
        for (const size of [1000, 64, 65536, 70000, 200000, 300000]) {
            file.seek(0);
            const chunks = [...file.chunks(size)];
            equal(chunks.map(chunk => chunk.length).slice(0, -1).every(length => length === size), true);
            const total = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
            equal([chunks.length, total], [Math.ceil(200000 / size), 200000]);
            equal(chunks.every((chunk, i) => chunk[0] === content[i * size]), true);
        }
        file.seek(0);
        equal([...file.chunks()].map(chunk => chunk.length), [65536, 65536, 65536, 3392]);
        file.seek(10);
        for (const chunk of file.chunks(7, {cancellable: null})) {
            equal([...chunk], [10, 11, 12, 13, 14, 15, 16]);
            break;
        }
        equal(file.tell(), 17);
        file.seek(10);
        equal([...file.chunks({size: 7, ioPriority: GLib.PRIORITY_LOW}).next().value], [10, 11, 12, 13, 14, 15, 16]);
        file.seek(10);
        equal([...file.chunks({})].length, 4);
        for (const size of [0, -1, 1.5, '7', NaN]) {
            let error = null;
            try {
                file.chunks(size);
            } catch (e) {
                error = e;
            }
            equal(error instanceof RangeError, true);
        }
        file.close();
    },

    async 'lines and chunks asynchronously'() {
        for (const file of [new Tf.SpooledFile(), new Tf.TempFile()]) {
            const row = `${'x'.repeat(99)}\n`;
            const content = ['one\n', 'zwü\n', row.repeat(800), 'last'];
            equal(await file.writeLinesAsync(content), true);
            file.seek(0);
            let read = '';
            for await (const line of file.lines())
                read += line;
            equal(read === content.join(''), true);

            file.seek(0);
            for await (const line of file.lines({ioPriority: GLib.PRIORITY_LOW})) {
                if (line === 'zwü\n')
                    break;
            }
            equal(file.tell(), 9);
            for await (const batch of file.lines().batches()) {
                equal(batch[0], row);
                break;
            }
            equal(file.tell() > 60000, true);

            file.seek(0);
            const all = file.chunks({cancellable: null})[Symbol.asyncIterator]();
            equal(all[Symbol.asyncIterator]() === all, true);
            const asked = await Promise.all([all.next(), all.next(), all.next(), all.return(3)]);
            equal(asked.map(({value, done}) => [value?.length ?? null, done]),
                [[65536, false], [14477, false], [null, true], [null, true]]);

            file.seek(4);
            equal(await file.readTextAsync() === content.slice(1).join(''), true);
            equal(await file.readAsync(), new Uint8Array());
            file.seek(0);
            equal(await file.readAsync(3, {ioPriority: GLib.PRIORITY_LOW}), new Uint8Array([111, 110, 101]));
            equal((await file.readAsync({cancellable: null})).length, file.get_size() - 3);
            file.truncate(0);
            file.seek(0);
            equal([await file.writeAsync('ä'), await file.writeAsync(new Uint8Array([10]))], [true, true]);
            async function* source() {
                yield 'a\n';
                yield await Promise.resolve('b\n'.repeat(40000));
            }
            await file.writeLinesAsync(source());
            equal(file.get_size(), 80005);

            const cancellable = new Gio.Cancellable();
            cancellable.cancel();
            await throws(Gio.IOErrorEnum.CANCELLED, () => file.writeAsync('x', {cancellable}));
            await throws(Gio.IOErrorEnum.CANCELLED, () => file.readTextAsync({cancellable}));
            file.seek(0);
            const pending = file.readAsync(1);
            await throws(Gio.IOErrorEnum.PENDING, () => file.lines()[Symbol.asyncIterator]().next());
            await pending;
            file.seek(1);
            await throws(TypeError, () => file.readTextAsync());
            equal(file.tell(), 1);
            file.close();
            await throws(Gio.IOErrorEnum.CLOSED, () => file.writeLinesAsync(['x']));
            await throws(Gio.IOErrorEnum.CLOSED, async () => {
                for await (const batch of file.lines().batches())
                    equal(batch, null);
            });
        }
    },

    async 'wrong properties'() {
        for (const max_size of ['x', 1.5, null])
            await throws(TypeError, () => new Tf.SpooledFile({max_size}));
        await throws(TypeError, () => new Tf.SpooledFile({'max-size': 'x'}));
        await throws(TypeError, () => new Tf.SpooledFile({maxSize: 'x'}));
        for (const mode of [-1, 0o1000])
            await throws(RangeError, () => new Tf.NamedFile({mode}));
        await throws(RangeError, () => Tf.TempDir.new_full(null, null, null, -1));
    },

    async 'options'() {
        const dir = Tf.TempDir.new({prefix: 'options-'});
        equal(dir.file.get_basename().startsWith('options-'), true);
        const file = new Tf.SpooledFile();
        file.write('content', {cancellable: null});
        file.seek(0, {type: GLib.SeekType.SET});
        equal([file.read({cancellable: null}).length, file.read(7, {}).length], [7, 0]);
        file.seek(0);
        equal([file.read({count: 2, cancellable: null}).length, (await file.readAsync({count: 3})).length], [2, 3]);
        for (const call of [() => file.read(2, {count: 1}), () => file.readAsync({size: 1}), () => file.lines(5),
            () => file.lines(null), () => file.chunks(2, 5), () => file.chunks({count: 5})])
            await throws(TypeError, call);
        const destination = dir.get_child('x');
        equal(file.persist(destination, {flags: Tf.PersistFlags.NONE}).equal(destination), true);
        const other = new Tf.NamedFile();
        await throws(Gio.IOErrorEnum.EXISTS, () => other.persist_async(destination, {}));
        const replaced = await other.persist_async(destination, {flags: Tf.PersistFlags.REPLACE, ioPriority: 10});
        equal(replaced.equal(destination), true);
        const third = new Tf.TempFile();
        equal(await new Promise(resolve => third.persist_async(destination, {flags: Tf.PersistFlags.REPLACE},
            (_file, result) => resolve(third.persist_finish(result).get_basename()))), 'x');
        equal(third.persist(destination, {flags: Tf.PersistFlags.UNIQUE}).get_basename(), 'x (1)');
        const told = [];
        const onProgress = (nCopied, total) => told.push([nCopied, total]);
        const final = await third.persist_async(destination, {flags: Tf.PersistFlags.UNIQUE, onProgress});
        equal(final.get_basename(), 'x (2)');
        third.persist(destination, {flags: Tf.PersistFlags.REPLACE, onProgress});
        equal(told, [[0, 0], [0, 0]]);

        const cancellable = new Gio.Cancellable();
        cancellable.cancel();
        await throws(Gio.IOErrorEnum.CANCELLED, () => third.read(1, {cancellable}));
        await throws(Gio.IOErrorEnum.CANCELLED, () => third.write('x', {cancellable}));
        await throws(Gio.IOErrorEnum.CANCELLED, () => third.flush_async({cancellable}));
        await throws(Gio.IOErrorEnum.CANCELLED, () => Tf.mkdtemp({prefix: 'x', cancellable}));
        await throws(Gio.IOErrorEnum.INVALID_FILENAME, () => Tf.mkdtemp({prefix: 'a\0b'}));
        await throws(TypeError, () => third.persist(destination, {flag: 1}));
        await throws(TypeError, () => third.persist(destination, Tf.PersistFlags.NONE, {flags: 1}));
        await throws(TypeError, () => third.flush({io_priority: 1}));
        third.write('content');
        third.seek(3);
        for (const name of ['truncate', 'seek', 'reserve', 'read_bytes', 'read_data', 'read_upto', 'persist']) {
            await throws(TypeError, () => third[name]({}));
            await throws(TypeError, () => third[name]({cancellable: null}));
        }
        for (const name of ['read_data', 'reserve', 'read_bytes', 'persist', 'write_bytes'])
            await throws(TypeError, () => third[`${name}_async`]({cancellable: null}));
        equal([third.get_size(), third.tell()], [7, 3]);
        for (const each of [file, other, third])
            each.close();
        dir.cleanup();
    },

    async 'every async pair is promisified'() {
        const file = new Tf.TempFile();
        equal(await file.close_async(GLib.PRIORITY_DEFAULT, null), true);
        equal(file.is_closed(), true);

        for (const klass of [Tf.TempFile, Tf.NamedFile, Tf.SpooledFile, Tf.TempDir, Tf.TextStream]) {
            for (const object of [klass, klass.prototype]) {
                for (const name of Object.getOwnPropertyNames(object).filter(name_ => /_async$/.test(name_)))
                    equal([name, `${object[name]}`.includes('[native code]')], [name, false]);
            }
        }

        if (Tf.NamedFile.create_async) {
            const named = await Tf.NamedFile.create_async('p', 's', null, GLib.PRIORITY_DEFAULT, null);
            equal(named instanceof Tf.NamedFile, true);
            named.close();
        }
    },

    async 'what is left out'() {
        const file = Tf.TempFile.new();
        file.write('one\ntwo');
        equal(file.reserve(4096), true);
        equal([file.seek(0), file.tell(), file.truncate(7), file.get_size()], [true, 0, true, 7]);
        equal(new TextDecoder().decode(file.read_line()), 'one\n');
        equal(new TextDecoder().decode(file.read_upto(',')), 'two');
        equal([file.read_line(), file.read_upto(',')], [null, null]);
        file.write(',');
        file.seek(-1, GLib.SeekType.CUR);
        equal(file.read_upto(',').length, 0);
        file.truncate(7);
        equal([file.flush(), file.get_fd() >= 0, file.get_fd_path().length > 0], [true, true, true]);
        GLib.close(file.dup_fd());
        equal([file.load_bytes().get_size(), file.steal_bytes().get_size()], [7, 7]);
        equal(file.close(), true);
        GLib.close(new Tf.SpooledFile().seal());

        const dir = Tf.TempDir.new('keep-');
        const named = Tf.NamedFile.new(null, '.txt', dir.get_path());
        equal(named.seek(0, undefined), true);
        equal(named.persist(dir.get_child('x')).get_basename(), 'x');
        named.close();
        equal(Tf.SpooledFile.new_full(7, 'p').max_size, 7);
        Tf.TempFile.new_full(null, null, dir.get_path(), 0o600).close();
        equal([Tf.TempFile.new_full().mode, Tf.TempDir.new_full(null, null, dir.get_path()).mode], [0o600, 0o700]);
        const inner = dir.create_dir('sub-');
        const inside = inner.create_file(null, '.txt');
        equal(inside instanceof Tf.NamedFile && inside.get_path().startsWith(`${inner.get_path()}/`), true);
        inside.write('x');
        inside.close();
        equal(inside.get_file().query_exists(null), true);
        dir.cleanup();
        await throws(Gio.IOErrorEnum.NOT_FOUND, () => dir.create_file());

        for (const name of ['truncate', 'reserve', 'read_bytes']) {
            let error = null;
            try {
                new Tf.SpooledFile()[name]();
            } catch (e) {
                error = e;
            }
            equal(/arguments required/.test(error.message), true);
        }
        equal(Tf.TempDir.prototype.get_path.toString().includes('native'), true);
    },

    async 'what is left out asynchronously'() {
        const file = await Tf.TempFile.create_async();
        equal(await file.write_bytes_async(new GLib.Bytes('one\ntwo')), true);
        equal(await file.reserve_async(4096), true);
        file.seek(0);
        equal(new TextDecoder().decode(await file.read_line_async()), 'one\n');
        equal(new TextDecoder().decode(await file.read_upto_async(',', GLib.PRIORITY_LOW)), 'two');
        equal([await file.read_line_async(), await file.read_upto_async(','), (await file.read_bytes_async(9, 0, null, null)).get_size()],
            [null, null, 0]);
        equal([await file.flush_async(), await file.get_fd_async() >= 0], [true, true]);
        equal((await file.get_fd_path_async()).length > 0, true);
        GLib.close(await file.dup_fd_async());
        equal((await file.load_bytes_async()).get_size(), 7);
        equal((await file.steal_bytes_async(GLib.PRIORITY_LOW)).get_size(), 7);
        equal(await file.close_async(), true);
        GLib.close(await (await Tf.TempFile.create_full_async('p', null, null, 0o600)).seal_async());

        const dir = await Tf.TempDir.create_full_async('d-', null, null, 0o755);
        const named = await Tf.NamedFile.create_async(null, '.txt', dir.get_path());
        equal((await named.persist_async(dir.get_child('x'))).get_basename(), 'x');
        const inner = await dir.create_dir_async();
        const inside = await inner.create_file_async('p-', '.txt', GLib.PRIORITY_LOW);
        equal(inside.get_path().startsWith(`${inner.get_path()}/p-`), true);
        equal(await named.close_async(), true);
        const removed = new Promise(resolve => dir.cleanup_async((_dir, result) => resolve(dir.cleanup_finish(result))));
        equal(await removed, true);
        equal(entries(), []);

        let error = null;
        try {
            await file.reserve_async();
        } catch (e) {
            error = e;
        }
        equal(/arguments required/.test(error.message), true);
        await throws(Gio.IOErrorEnum.CLOSED, () => file.flush_async());
    },

    'directory'() {
        const dir = new Tf.TempDir({prefix: 'unpack-'});
        equal(entries(), [dir.get_file().get_basename()]);
        dir.get_child('x').replace_contents('x', null, false, 0, null);
        dir.cleanup();
        equal(entries(), []);
    },

    async 'functions'() {
        const dir = await Tf.mkdtemp_async('d-');
        const [fd, path] = await Tf.mkstemp_async(null, '.txt', dir);
        GLib.close(fd);
        GLib.unlink(path);
        const sub = Gio.File.new_for_path(`${dir}/sub`);
        sub.make_directory(null);
        Tf.remove_tree(sub);
        await Tf.remove_tree_async(Gio.File.new_for_path(dir));
        equal(await Tf.get_temp_dir_async(), Tf.get_temp_dir());
        equal([Tf.sweep(), await Tf.sweep_async('other-', sandbox)], [0, 0]);
        equal(await new Promise(resolve => Tf.sweep_async((_source, result) => resolve(Tf.sweep_finish(result)))), 0);
        await throws(Gio.IOErrorEnum.NOT_FOUND, () => Tf.mkstemp_async(null, null, '/nonexistent'));
    },

    async 'constructors'() {
        const file = Tf.NamedFile.new('p');
        file.unlink();
        await file.unlink_async();
        const full = await Tf.NamedFile.create_full_async(null, '.txt', null, 0o640, Tf.DeletePolicy.ON_DISPOSE);
        equal(full.file.get_basename().endsWith('.txt'), true);
        const defaults = [Tf.NamedFile.new_full(), Tf.NamedFile.new_full(null, null, sandbox, 0o640),
            await Tf.NamedFile.create_full_async()];
        equal(defaults.map(each => each.delete_policy), Array(3).fill(Tf.DeletePolicy.ON_CLOSE));
        const content = Tf.NamedFile.new_from_bytes(new GLib.Bytes([120]));
        equal(content.readText(), 'x');
        const created = await Tf.NamedFile.create_from_bytes_async(new GLib.Bytes([120]), 'p');
        equal(GLib.file_get_contents(created.get_path())[1], new Uint8Array([120]));
        for (const each of [file, full, content, created, ...defaults])
            each.close();
        await full.unlink_async(GLib.PRIORITY_LOW);

        const dir = Tf.TempDir.new();
        equal(dir.build_filename(['a', 'b']), `${dir.get_path()}/a/b`);
        await throws(Gio.IOErrorEnum.INVALID_FILENAME, () => dir.build_filename(['a', '..']));
        dir.cleanup();
        const names = new GLib.Variant('(maymaymay)', [[112, 255], null, null]);
        const other = await Tf.TempDir.create_full_async(null, null, null, 0o500);
        await other.cleanup_async();
        const odd = new Tf.TempDir({template: names});
        equal(odd.file.get_parse_name().includes('/p%FF'), true);
        odd.cleanup();
    },

    async 'disposal'() {
        const file = new Tf.TempFile();
        file[Symbol.dispose]();
        equal(file.is_closed(), true);

        const other = new Tf.NamedFile();
        await other[Symbol.asyncDispose]();
        equal(other.is_closed(), true);

        const handed = new Tf.TempDir();
        handed.hand_over(1000);
        handed[Symbol.dispose]();
        await handed[Symbol.asyncDispose]();
        equal(entries().length, 1);
        handed.cleanup();
        equal(handed.is_handed_over(), false);

        const dir = new Tf.TempDir();
        dir[Symbol.dispose]();
        if (dir.cleanup_async)
            await new Tf.TempDir()[Symbol.asyncDispose]();
        equal(entries(), []);
    },

    async 'text'() {
        const text = new Tf.TextStream({base_file: new Tf.SpooledFile(), encoding: 'UTF-16', newline: Tf.Newline.CRLF});
        text.write('Grüße\ntwo\n');
        const end = text.tell();
        text.seek(0);
        equal([...text], ['Grüße\r\n', 'two\r\n']);
        text.seek(0, GLib.SeekType.SET, null);
        equal(text.read(3), 'Grü');
        text.flush();
        text.truncate(end);
        equal(text.read_all(), 'ße\r\ntwo\r\n');
        text.seek(4);
        text.truncate();
        text.seek(0);
        equal(text.read_all(), 'G');
        equal(Tf.TextStream.new(text.base_file, 'UTF-16').read_all(), '');
        equal(Tf.TextStream.new(new Tf.TempFile()).encoding, 'UTF-8');

        const nul = Tf.TextStream.new(new Tf.SpooledFile());
        equal([nul.write('ä\0after\n'), nul.write(''), nul.base_file.get_size()], [true, true, 9]);
        nul.seek(0);
        equal(nul.read(1), 'ä');
        await throws(Gio.IOErrorEnum.INVALID_DATA, () => nul.read_all());
    },

    async 'lines of text'() {
        const text = new Tf.TextStream({base_file: new Tf.SpooledFile(), encoding: 'UTF-16LE'});
        equal([text.writeLines(['ä\n', 'b\n']), await text.writeLinesAsync(['c\n'])], [true, true]);
        text.seek(0);
        equal([...text], ['ä\n', 'b\n', 'c\n']);
        const cancellable = new Gio.Cancellable();
        cancellable.cancel();
        await throws(Gio.IOErrorEnum.CANCELLED, () => text.writeLines(['x'], {cancellable}));
        await throws(Gio.IOErrorEnum.CANCELLED, () => text.writeLinesAsync(['x'], {cancellable}));
    },

    async 'text asynchronously'() {
        for (const base_file of [new Tf.SpooledFile(), new Tf.SpooledFile({max_size: 10}), new Tf.TempFile()]) {
            const text = new Tf.TextStream({base_file});
            equal(await text.write_async('Grüße\ntwo\n'), true);
            equal(await text.tell_async(), 12);
            equal(await text.write_async('\0'), true);
            equal([base_file.get_size(), await text.truncate_async(12), await text.seek_async(12)], [13, true, true]);
            equal(await text.seek_async(0), true);
            const lines = [];
            for await (const line of text)
                lines.push(line);
            equal(lines, ['Grüße\n', 'two\n']);
            equal(await text.read_line_async(), null);
            equal(await text.seek_async(8, GLib.SeekType.SET, GLib.PRIORITY_LOW, null), true);
            equal(await text.read_async(2), 'tw');
            equal(await text.truncate_async(), true);
            equal(await text.flush_async(), true);
            equal(base_file.get_size(), 10);
            await text.seek_async(0, GLib.SeekType.SET, GLib.PRIORITY_LOW);
            const promise = text.read_all_async(GLib.PRIORITY_DEFAULT);
            await throws(Gio.IOErrorEnum.PENDING, () => text.read_all());
            await throws(Gio.IOErrorEnum.PENDING, () => text.write_async('x'));
            equal(await promise, 'Grüße\ntw');

            const cancellable = new Gio.Cancellable();
            cancellable.cancel();
            await throws(Gio.IOErrorEnum.CANCELLED, () => text.seek_async(0, GLib.SeekType.SET, 0, cancellable));
            equal(text.tell(), 10);
            base_file.close();
            await throws(Gio.IOErrorEnum.CLOSED, () => text.read_line_async());
        }
    },

    async 'an asynchronous loop reads at once'() {
        const file = new Tf.TempFile();
        file.writeLines(['one\n', 'two\n']);
        for (const make of [() => file.lines(), () => file.chunks(4), () => file.lines().batches()]) {
            file.seek(0);
            const items = make()[Symbol.asyncIterator]();
            const first = items.next();
            await throws(Gio.IOErrorEnum.PENDING, () => file.write('X'));
            equal((await first).done, false);
            equal((await items.return()).done, true);
        }
        file.close();
        await throws(Gio.IOErrorEnum.CLOSED, () => file.lines()[Symbol.asyncIterator]().next());
    },

    async 'lines are written in order'() {
        function* fail(file) {
            yield 'a\n';
            file?.write('B\n');
            yield new Uint8Array([99, 10]);
            throw new SyntaxError('expected');
        }
        async function* failAsync(file) {
            yield* fail(file);
        }
        for (const make of [() => new Tf.SpooledFile(), () => new Tf.TempFile(), () => new Tf.NamedFile()]) {
            const file = make();
            await throws(SyntaxError, () => file.writeLines(fail(file)));
            await throws(SyntaxError, () => file.writeLinesAsync(fail(file)));
            await throws(SyntaxError, () => file.writeLinesAsync(failAsync(file)));
            await throws(SyntaxError, () => file.writeLinesAsync(failAsync()));
            const promise = file.writeLinesAsync(['d\n', 'e\n']);
            await promise;
            await throws(TypeError, () => file.writeLines(['g\n', 5, 'h\n']));
            await throws(TypeError, () => file.writeLinesAsync(['i\n', null]));
            file.seek(0);
            equal(file.readText(), `${'a\nB\nc\n'.repeat(3)}a\nc\nd\ne\ng\ni\n`);
            for (const lines of [[5], [{}], [new ArrayBuffer(1)], [new Uint16Array(1)], new Set([5]), 5, null]) {
                await throws(TypeError, () => file.writeLines(lines));
                await throws(TypeError, () => file.writeLinesAsync(lines));
            }
            const large = file.writeLinesAsync(['x'.repeat(2 << 20)]);
            await throws(Gio.IOErrorEnum.PENDING, () => file.write('f\n'));
            await large;
            await throws(TypeError, () => file.writeLinesAsync([], {size: 7}));
            await throws(TypeError, () => file.writeLinesAsync(new Set(), 0, 'x'));
            file.truncate(0);
            file.seek(0);
            equal(await file.writeLinesAsync(new Set(['ä', '\0\n', '\ud800', [10], '']), {ioPriority: 1}), true);
            file.seek(0);
            equal([...file.read()], [0xc3, 0xa4, 0, 10, 0xef, 0xbf, 0xbd, 10]);
            file.close();
        }
    },

    async 'strings as bytes'() {
        const file = new Tf.SpooledFile();
        for (const text of ['ü€😀', '\ud83d', '\ude00x', 'a\0', '', '\ufeff', 'x'.repeat(70000)]) {
            file.truncate(0);
            file.seek(0);
            equal([file.write(text), file.seek(0)], [true, true]);
            equal([...file.read()], [...new TextEncoder().encode(text)]);
        }
        for (const data of [5, null, undefined, {}, ['a'], [256], new Uint16Array(1), new ArrayBuffer(1)]) {
            for (const name of ['write', 'writeAsync', 'try_write'])
                await throws(TypeError, () => file[name](data));
        }
        equal([file.write([1, 2]), file.try_write('x')], [true, true]);
        file.close();
    },

    async 'what C would mistake is refused'() {
        const file = new Tf.SpooledFile();
        file.write('one\ntwo');
        file.seek(0);
        const text = new Tf.TextStream({base_file: file});
        const wrong = {
            count: [null, 'x', '3', true, 1.5, NaN, Infinity, [], {count: 'x'}, 2n ** 64n, 2 ** 53, -1, -1n],
            cancellable: ['x', 1, file, [], {cancellable: {}}, {cancellable: 7}],
            stop_bytes: [null, 5, {}, new GLib.Bytes([10]), new Uint16Array([10]), ['a'], [256], '', []],
            result: [null, 'x', {}, file, new Gio.Cancellable()],
            offset: [null, 'x', 1.5, NaN, undefined, {}, 2 ** 53],
            text: [null, 5, new Uint8Array([10])],
        };
        const calls = {
            count: [
                value => file.read(value), value => file.read_data(value), value => file.read_bytes(value),
                value => file.readAsync(value), value => file.read_data_async(value), value => text.read(value),
                value => text.read_async(value),
            ],
            cancellable: [
                value => file.read(3, value), value => file.read_data(3, value), value => file.read_line(value),
                value => file.readText(value), value => file.read_upto('\n', value), value => file.write('x', value),
                value => file.load_bytes(value), value => file.read_line_async(0, value), value => text.read(3, value),
            ],
            stop_bytes: [value => file.read_upto(value), value => file.read_upto_async(value)],
            result: [
                value => file.read_line_finish(value), value => file.read_upto_finish(value),
                value => file.read_data_finish(value), value => text.read_finish(value), value => Tf.sweep_finish(value),
            ],
            offset: [value => file.seek(value), value => file.truncate(value), value => file.reserve(value)],
            text: [value => text.write(value), value => text.writeLines([value])],
        };
        for (const [name, functions] of Object.entries(calls)) {
            for (const value of wrong[name]) {
                for (const func of functions)
                    await throws([TypeError, RangeError], () => func(value));
            }
        }
        for (const options of [{cancellable: 'x'}, {cancellable: {}}]) {
            for (const name of ['read', 'readAsync', 'read_line', 'readText', 'readTextAsync', 'lines', 'chunks'])
                await throws(TypeError, () => file[name](options));
        }
        await throws(RangeError, () => file.read(-1));
        equal([file.tell(), file.get_size()], [0, 7]);
        equal([file.read(3n).length, file.seek(1n), file.read_upto([119]).length], [3, true, 4]);
        file.close();
    },

    async 'a NUL character is refused'() {
        const dir = new Tf.TempDir();
        const calls = [
            () => new Tf.NamedFile({prefix: 'a\0b'}), () => new Tf.SpooledFile({suffix: '\0'}),
            () => Tf.TempFile.new('a\0b'), () => Tf.NamedFile.new(null, 'a\0b'), () => Tf.mkdtemp('a\0b'),
            () => Tf.NamedFile.create_async('a\0b'), () => Tf.mkstemp_async(null, null, `${sandbox}\0/b`),
            () => Tf.set_temp_dir('a\0b'), () => dir.get_child('a\0b'), () => dir.build_filename(['a', 'a\0b']),
            () => Tf.TextStream.new(new Tf.TempFile(), 'UTF-8\0x'),
            () => Tf.mkdtemp_async('a\0b', null, null, () => {}),
        ];
        for (const call of calls)
            await throws(Gio.IOErrorEnum.INVALID_FILENAME, call);
        equal(entries(), [dir.file.get_basename()]);
        dir.cleanup();

        const file = new Tf.TempFile();
        file.write('a\0b');
        file.seek(0);
        equal(file.read_upto('\0'), new Uint8Array([97]));
        file.close();
    },

    async 'audit'() {
        const heard = [];
        let allow = true;
        Tf.set_audit_func((event, path) => {
            heard.push([event, path]);
            return allow;
        });
        const path = Tf.mkdtemp('ü');
        equal(heard, [['tempfile.mkdtemp', path]]);
        GLib.rmdir(path);
        allow = false;
        await throws(Gio.IOErrorEnum.PERMISSION_DENIED, () => Tf.mkdtemp());
        Tf.set_audit_func(null);
        GLib.rmdir(Tf.mkdtemp());
        equal(heard.length, 2);
    },
};

let failed = 0;

async function run() {
    print(`1..${Object.keys(tests).length}`);
    for (const [name, test] of Object.entries(tests)) {
        try {
            await test();
            System.gc();
            equal(entries(), []);
            print(`ok ${name}`);
        } catch (error) {
            failed++;
            print(`not ok ${name}`);
            print(`# ${error.message} ${error.stack}`.replaceAll('\n', '\n# '));
        }
    }
    GLib.rmdir(sandbox);
}

const loop = new GLib.MainLoop(null, false);
run().finally(() => loop.quit());
loop.run();
if (failed > 0)
    System.exit(1);
