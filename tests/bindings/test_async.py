# SPDX-FileCopyrightText: 2026 The tempfile-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""With asyncio: creation can be awaited with any PyGObject, methods from 3.50 on."""

import asyncio
import contextlib
import functools
import gc
import os
import pathlib
import threading
import time
import unittest

import gi
from gi.repository import Gio, GLib

from sandbox import TestCase, Tf

try:
    from gi.events import GLibEventLoopPolicy
except ImportError:
    GLibEventLoopPolicy = None


async def iterate():
    """Lets the main context of GLib take part in a loop that is not its own."""
    while True:
        GLib.MainContext.default().iteration(False)
        await asyncio.sleep(0)


async def among_others(main):
    others = asyncio.ensure_future(iterate())
    try:
        await main
    finally:
        others.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await others


class Loop:
    def test_create(self):
        async def main():
            directory = await Tf.TempDir.create_async('p', None, pathlib.Path(self.sandbox))
            self.assertEqual(self.entries(), [os.path.basename(directory)])
            named = await Tf.NamedFile.create_async(suffix='.txt', dir=directory)
            self.assertIsInstance(named, Tf.NamedFile)
            self.assertEqual(os.listdir(directory), [os.path.basename(named.name)])
            with named, await Tf.TempFile.create_async(directory, GLib.PRIORITY_LOW, Gio.Cancellable()) as file:
                self.assertEqual(file.write(b'x'), 1)
            directory.cleanup()

        self.run_main(main())
        self.assertEqual(self.entries(), [])

    def test_create_with_callback(self):
        async def main():
            future = asyncio.get_running_loop().create_future()

            def on_created(source, result, word):
                future.set_result((Tf.TempDir.create_finish(result), word))

            self.assertIsNone(Tf.TempDir.create_async(None, None, None, 0, None, on_created, 'word'))
            directory, word = await future
            self.assertEqual(word, 'word')
            self.assertTrue(os.path.isdir(directory))
            directory.cleanup()

        self.run_main(main())

    def test_create_fails(self):
        async def main():
            for klass in Tf.TempFile, Tf.NamedFile, Tf.TempDir:
                with self.assertRaises(FileNotFoundError) as caught:
                    await klass.create_async(dir=os.path.join(self.sandbox, 'missing'))
                self.assertTrue(caught.exception.matches(Gio.io_error_quark(), Gio.IOErrorEnum.NOT_FOUND))

            cancellable = Gio.Cancellable()
            cancellable.cancel()
            with self.assertRaises(GLib.Error) as caught:
                await Tf.NamedFile.create_async(cancellable=cancellable)
            self.assertTrue(caught.exception.matches(Gio.io_error_quark(), Gio.IOErrorEnum.CANCELLED))

        self.run_main(main())
        self.assertEqual(self.entries(), [])

    def test_create_full(self):
        async def main():
            directory = await Tf.TempDir.create_full_async('p\udcff', mode=0o500)
            self.assertEqual(os.stat(directory).st_mode & 0o777, 0o500)
            self.assertTrue(os.path.basename(directory).startswith('p\udcff'))
            directory.cleanup()
            file = await Tf.NamedFile.create_full_async(None, '\udcff', None, 0o640, Tf.DeletePolicy.ON_DISPOSE)
            self.assertEqual(os.stat(file.name).st_mode & 0o777, 0o640)
            file.close()
            file = await Tf.NamedFile.create_from_bytes_async(b'Hello', 'p', io_priority=GLib.PRIORITY_LOW)
            self.assertEqual((pathlib.Path(file.name).read_bytes(), file.read()), (b'Hello', b'Hello'))
            file.close()

        self.run_main(main())

    def test_text_that_waits(self):
        """Asking while a call is under way does not lose what the bytes would refuse."""
        async def main():
            file = Tf.TempFile(mode='w+')
            file.write('before')
            flushed = asyncio.ensure_future(file.load_bytes_async())
            await asyncio.sleep(0)
            file.write('later')
            for ask in file.get_size, file.is_closed, file.open_reader, file.get_output_stream:
                ask()
            await flushed
            file.seek(0)
            self.assertEqual(file.read(), 'beforelater')
            file.close()

        self.run_main(main())

    def test_functions(self):
        async def main():
            directory = await Tf.mkdtemp_async('.d', 'p')
            fd, path = await Tf.mkstemp_async(dir=os.fsencode(directory), io_priority=GLib.PRIORITY_LOW)
            self.assertEqual(os.path.dirname(path), os.fsencode(directory))
            os.close(fd)
            os.remove(path)
            self.assertEqual(await Tf.sweep_async(dir=pathlib.Path(directory)), 0)
            await Tf.remove_tree_async(directory)
            self.assertEqual(await Tf.get_temp_dir_async(), self.sandbox)
            self.assertEqual(await Tf.get_spool_dir_async(), self.sandbox)
            self.assertEqual(await Tf.get_shareable_dir_async(), Tf.get_shareable_dir())
            with self.assertRaises(FileNotFoundError):
                await Tf.mkstemp_async(dir=directory)

        self.run_main(main())

    def test_what_is_left_out(self):
        async def main():
            directory = await Tf.TempDir.create_async()
            with await Tf.TempFile.create_full_async() as file:
                self.assertEqual(os.fstat(file.fileno()).st_mode & 0o777, 0o600)
                self.assertTrue(await file.write_bytes_async(GLib.Bytes(b'one\ntwo')))
                file.seek(0)
                self.assertEqual(await file.read_line_async(), b'one\n')
                self.assertEqual(await file.read_upto_async(b',', io_priority=GLib.PRIORITY_LOW), b'two')
                self.assertIsNone(await file.read_upto_async(b','))
                self.assertIsNone(await file.read_line_async())
                self.assertTrue(await file.reserve_async(100))
                self.assertTrue(await file.flush_async())
                os.close(await file.dup_fd_async())
                self.assertEqual((await file.load_bytes_async()).get_data(), b'one\ntwo')
                final = await file.persist_async(os.path.join(directory, 'str'))
                self.assertEqual(final.get_basename(), 'str')
                self.assertTrue(await file.persist_async(pathlib.Path(directory, 'path'), Tf.PersistFlags.DURABLE))
                told = []
                self.assertTrue(await file.persist_async(os.path.join(directory, 'str'), Tf.PersistFlags.REPLACE,
                                                         progress_callback=lambda *args: told.append(args)))
                self.assertEqual(told, [(7, 7)])
                with self.assertRaises(FileExistsError):
                    await file.persist_async(os.fsencode(os.path.join(directory, 'str')))
                self.assertTrue(await file.close_async())
            self.assertEqual(sorted(os.listdir(directory)), ['path', 'str'])
            text = Tf.TextStream(Tf.SpooledFile())
            await text.write_async('one')
            await text.seek_async(1)
            self.assertTrue(await text.truncate_async())
            self.assertEqual(text.tell(), 1)
            with self.assertRaises(TypeError):
                text.write_async()
            self.assertTrue(await directory.cleanup_async())

        self.run_main(main())

    def test_starts_at_once(self):
        async def main():
            file = Tf.TempFile()
            flushed = file.flush_async()
            with self.assertRaises(GLib.Error) as caught:
                await file.flush_async()
            self.assertTrue(caught.exception.matches(Gio.io_error_quark(), Gio.IOErrorEnum.PENDING))
            self.assertTrue(await flushed)
            file.close()

        self.run_main(main())

    def test_function_with_callback(self):
        async def main():
            future = asyncio.get_running_loop().create_future()
            Tf.sweep_async(None, None, 0, 0, None, lambda source, result: future.set_result(Tf.sweep_finish(result)))
            self.assertEqual(await future, 0)

        self.run_main(main())

    def test_cancelled_task_leaves_nothing(self):
        async def main():
            cancellable = Gio.Cancellable()
            # No turn of a loop lies between the two, in which the result could come.
            created = Tf.NamedFile.create_async(cancellable=cancellable)
            self.assertTrue(created.cancel())
            with self.assertRaises(asyncio.CancelledError):
                await created
            # Until what was begun has ended, and let go of it.
            while cancellable.__grefcount__ > 1:
                await asyncio.sleep(0)
            self.assertTrue(cancellable.is_cancelled())

        self.run_main(main())
        self.assertEqual(self.entries(), [])


class CancelledTest(TestCase):
    """Whether the result or the cancellation comes first, nothing is left. The context is iterated by hand."""

    def setUp(self):
        super().setUp()
        self.context = GLib.MainContext.default()
        self.file = Tf.TempFile()
        self.file.write(b'x')
        self.calls = {
            Tf.mkstemp_async: self.release_file,
            Tf.mkdtemp_async: os.rmdir,
            functools.partial(Tf.NamedFile.create_full_async, delete_policy=Tf.DeletePolicy.NEVER):
                Tf.NamedFile.unlink,
            Tf.TempDir.create_async: Tf.TempDir.cleanup,
            self.file.dup_fd_async: os.close,
            self.file.seal_async: os.close,
        }
        self.deal_with_results()

    def release_file(self, file):
        os.close(file[0])
        os.remove(file[1])

    def wait_for_result(self):
        while not self.context.pending():
            time.sleep(0.001)

    def deal_with_results(self):
        while self.context.pending():
            self.context.iteration(False)

    def open_files(self):
        """Returns what is open in the sandbox and in memory; the library may keep the sandbox itself open."""
        gc.collect()
        paths = [os.path.realpath(f'/proc/self/fd/{fd}') for fd in os.listdir('/proc/self/fd')]
        return sorted(path for path in paths if path.startswith((self.sandbox + os.sep, '/memfd:')))

    def run_each(self, check):
        async def main():
            for start, release in self.calls.items():
                with self.subTest(start):
                    before = self.open_files()
                    await check(start, release)
                    # The turn of a loop holds what it began with.
                    await asyncio.sleep(0)
                    self.assertEqual(self.open_files(), before)
                    self.assertEqual(self.entries(), [])

        asyncio.run(main())

    def test_before_result(self):
        async def check(start, release):
            future = start()
            self.wait_for_result()
            self.assertTrue(future.cancel())
            self.deal_with_results()
            with self.assertRaises(asyncio.CancelledError):
                await future

        self.run_each(check)

    def test_after_result(self):
        async def wait(start):
            return await start()

        async def check(start, release):
            task = asyncio.ensure_future(wait(start))
            await asyncio.sleep(0)
            self.wait_for_result()
            self.deal_with_results()
            # The task has not run since, and what it awaits is done.
            self.assertTrue(task.cancel())
            with self.assertRaises(asyncio.CancelledError):
                await task

        self.run_each(check)

    def test_result_not_taken(self):
        async def check(start, release):
            future = start()
            self.wait_for_result()
            self.deal_with_results()
            self.assertTrue(future.done())
            self.assertFalse(future.cancel())

        self.run_each(check)

    def test_result_taken(self):
        async def wait(future):
            return await future

        async def check(start, release):
            for take in wait, asyncio.gather, asyncio.Future.result:
                future = start()
                self.wait_for_result()
                self.deal_with_results()
                result = future.result() if take is asyncio.Future.result else await take(future)
                result = result[0] if take is asyncio.gather else result
                del future
                gc.collect()
                release(result)
                del result

        self.run_each(check)


class AnyLoopTest(Loop, TestCase):
    def run_main(self, main):
        asyncio.run(asyncio.wait_for(among_others(main), 60))


class AloneTest(TestCase):
    """Nothing else iterates the main context of GLib."""

    def test_awaited(self):
        async def main():
            file = await asyncio.wait_for(Tf.NamedFile.create_async(), 60)
            self.assertTrue(await file.write_bytes_async(b'one'))
            results = await asyncio.wait_for(asyncio.gather(*(Tf.mkdtemp_async() for _ in range(20))), 60)
            for path in results:
                os.rmdir(path)
            file.close()

        asyncio.run(asyncio.wait_for(main(), 60))

    def test_in_thread(self):
        """Another thread iterates the main context, in which what is awaited here ends."""
        loop = GLib.MainLoop()

        async def main():
            for _ in range(10):
                file = await asyncio.wait_for(Tf.NamedFile.create_async(), 60)
                file.close()

        def run():
            try:
                asyncio.run(main())
            finally:
                GLib.idle_add(loop.quit)

        thread = threading.Thread(target=run)
        thread.start()
        loop.run()
        thread.join()
        self.assertEqual(self.entries(), [])


@unittest.skipUnless(GLibEventLoopPolicy, f'PyGObject {gi.__version__} has no event loop: 3.50 is needed')
class GLibLoopTest(Loop, TestCase):
    def run_main(self, main):
        old = asyncio.get_event_loop_policy()
        policy = GLibEventLoopPolicy()
        asyncio.set_event_loop_policy(policy)
        try:
            with contextlib.closing(policy.get_event_loop()) as loop:
                loop.run_until_complete(asyncio.wait_for(main, 60))
        finally:
            asyncio.set_event_loop_policy(old)

    def test_methods(self):
        async def main():
            priority = GLib.PRIORITY_DEFAULT
            directory = await Tf.TempDir.create_async()
            events = []
            with Tf.SpooledFile(max_size=-1, dir=directory) as spool:
                spool.connect('rolled-over', lambda file: events.append(file.get_size()))
                self.assertTrue(await spool.write_bytes_async(GLib.Bytes(b'Hello world!'), priority))
                self.assertEqual(events, [])
                self.assertTrue(await spool.rollover_async(priority))
                self.assertEqual(events, [12])
                self.assertTrue(spool.is_rolled_over())
                spool.seek(6)
                self.assertEqual((await spool.read_bytes_async(100, priority)).get_data(), b'world!')
                destination = Gio.File.new_for_path(os.path.join(directory, 'doc'))
                self.assertTrue(await spool.persist_async(destination, Tf.PersistFlags.NONE, priority))
                self.assertEqual(pathlib.Path(directory, 'doc').read_bytes(), b'Hello world!')
                with self.assertRaises(GLib.Error) as caught:
                    await spool.persist_async(destination, Tf.PersistFlags.NONE, priority)
                self.assertTrue(caught.exception.matches(Gio.io_error_quark(), Gio.IOErrorEnum.EXISTS))
                self.assertTrue(await spool.close_async(priority))
                self.assertTrue(spool.closed)
            self.assertTrue(await directory.cleanup_async(priority))

        self.run_main(main())
        self.assertEqual(self.entries(), [])

    def test_rollover_fails_and_succeeds(self):
        async def main():
            missing = os.path.join(self.sandbox, 'later')
            with Tf.SpooledFile(max_size=-1, dir=missing) as spool:
                spool.write(b'Hello world!')
                with self.assertRaises(GLib.Error) as caught:
                    await spool.rollover_async(GLib.PRIORITY_DEFAULT)
                self.assertTrue(caught.exception.matches(Gio.io_error_quark(), Gio.IOErrorEnum.NOT_FOUND))
                os.mkdir(missing)
                self.assertTrue(await spool.rollover_async(GLib.PRIORITY_DEFAULT))
                spool.seek(0)
                self.assertEqual(spool.read(), b'Hello world!')
            os.rmdir(missing)

        self.run_main(main())


if __name__ == '__main__':
    unittest.main()
