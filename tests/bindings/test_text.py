# SPDX-FileCopyrightText: 2026 The tempfile-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""TfTextStream agrees with io.TextIOWrapper."""

import functools
import io
import itertools
import os
import random
import unittest

from gi.repository import Gio, GLib

from sandbox import TestCase, Tf

NEWLINES = {
    None: Tf.Newline.UNIVERSAL,
    '': Tf.Newline.UNTRANSLATED,
    '\n': Tf.Newline.LF,
    '\r': Tf.Newline.CR,
    '\r\n': Tf.Newline.CRLF,
}
ERRORS = {
    'strict': Tf.TextErrors.STRICT,
    'ignore': Tf.TextErrors.IGNORE,
    'replace': Tf.TextErrors.REPLACE,
    'backslashreplace': Tf.TextErrors.BACKSLASH_REPLACE,
}
ALPHABETS = {
    'utf-8': 'aä€😀\n\r',
    'utf-16': 'aä€😀\n\r',
    'utf-16-le': 'aä€😀\ufeff\n\r',
    'utf-16-be': 'aä€😀\n\r',
    'utf-32': 'aä€😀\n\r',
    'latin-1': 'aäÿ\n\r',
    'shift_jis': 'a日本ｱ\n\r',
    'euc_jp': 'a日本\n\r',
    'iso2022_jp': 'a日本\n\r',
    'cp1258': 'a\u00e2\u01a1\u0301\n\r',
}
NAMES = {'latin-1': 'ISO-8859-1', 'iso2022_jp': 'ISO-2022-JP', 'euc_jp': 'EUC-JP',
         'utf-16-le': 'UTF-16LE', 'utf-16-be': 'UTF-16BE'}


def texts(encoding, n=40):
    """Generated texts, short ones and such as are longer than what is read at once."""
    generator = random.Random(encoding)
    for _ in range(n):
        yield ''.join(generator.choices(ALPHABETS[encoding], k=generator.choice((0, 1, 2, 5, 20))))
    for filler in 8189, 8190, 8191, 8192, 8193:
        tail = ''.join(generator.choices(ALPHABETS[encoding], k=30))
        yield 'x' * filler + tail + '\r\n' + tail + '\r'


def await_call(start, finish, *args, cancellable=None):
    """Starts a call and iterates the main context until it is complete."""
    results = []
    start(*args, GLib.PRIORITY_DEFAULT, cancellable, lambda source, result: results.append(result))
    while not results:
        GLib.MainContext.default().iteration(True)
    return finish(results[0])


class TextTest(TestCase):
    def open(self, data, encoding, newline=None, errors='strict', max_size=-1):
        file = Tf.SpooledFile(max_size)
        file.write(data)
        file.seek(0)
        stream = Tf.TextStream.new(file, NAMES.get(encoding, encoding), NEWLINES[newline], ERRORS[errors])
        model = io.TextIOWrapper(io.BytesIO(data), encoding, errors, newline)
        return stream, model

    def compare_lines(self, data, encoding, newline, errors='strict'):
        stream, model = self.open(data, encoding, newline, errors)
        for line in model:
            self.assertEqual(stream.read_line(), line)
        self.assertIsNone(stream.read_line())

    def compare_pieces(self, data, encoding, newline, n, errors='strict', first=0):
        stream, model = self.open(data, encoding, newline, errors)
        self.assertEqual(stream.read(first), model.read(first))
        while expected := model.read(n):
            self.assertEqual(stream.read(n), expected)
        self.assertEqual(stream.read(n), '')

    def compare_all(self, data, encoding, newline, errors='strict'):
        stream, model = self.open(data, encoding, newline, errors)
        try:
            expected = model.read()
        except UnicodeError:
            with self.assertRaises(GLib.Error) as caught:
                stream.read_all()
            self.assertTrue(caught.exception.matches(Gio.io_error_quark(), Gio.IOErrorEnum.INVALID_DATA))
        else:
            self.assertEqual(stream.read_all(), expected)

    def test_reading(self):
        for encoding, newline in itertools.product(ALPHABETS, NEWLINES):
            with self.subTest(encoding=encoding, newline=newline):
                for text in texts(encoding):
                    data = text.encode(encoding)
                    self.compare_lines(data, encoding, newline)
                    self.compare_all(data, encoding, newline)
                    for n in 1, 3:
                        self.compare_pieces(data, encoding, newline, n, first=max(len(text) - 150, 0))
                    self.compare_pieces(data, encoding, newline, 8192)

    def test_writing(self):
        for encoding, newline in itertools.product(ALPHABETS, NEWLINES):
            with self.subTest(encoding=encoding, newline=newline):
                for text in texts(encoding):
                    for max_size in -1, 7:
                        stream, model = self.open(b'', encoding, newline, max_size=max_size)
                        for piece in text[:3], text[3:], '':
                            stream.write(piece)
                            model.write(piece)
                        model.flush()
                        stream.get_base_file().seek(0)
                        data = stream.get_base_file().read()
                        written = model.buffer.getvalue()
                        if encoding == 'iso2022_jp':
                            data, written = data.decode(encoding), written.decode(encoding)
                        self.assertEqual(data, written)

    def test_characters_split_at_every_offset(self):
        """The boundary of what is read at once goes through every byte of a text."""
        for encoding, alphabet in ALPHABETS.items():
            text = alphabet + '\r\n' + alphabet[::-1]
            unit = len('xx'.encode(encoding)) - len('x'.encode(encoding))
            with self.subTest(encoding):
                for n in range(len(text.encode(encoding)) + 1):
                    data = ('x' * (8192 // unit - n)).encode(encoding) + text.encode(encoding)
                    self.compare_all(data, encoding, None)
                    self.compare_lines(data, encoding, None)
                    self.compare_pieces(data, encoding, '', 8192 // unit - n + 1)

    def test_illegal_bytes(self):
        generator = random.Random(0)
        wrong = [b'\xff', b'\x80', b'\xc3', b'\xe2\x82', b'\xe2\x82A', b'\xf0\x9f\x98', b'\xf0\x80\x80\x80',
                 b'\xed\xa0\x80', b'\xf4\x90\x80\x80', b'\xc0\x80', b'\xf8\x88\x80\x80\x80']
        for _ in range(300):
            wrong.append(bytes(generator.choices(b'a\n\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\xff\xed', k=8)))
        for errors, data in itertools.product(ERRORS, wrong):
            for filler, end in (b'', b''), (b'before\n', b'after'), (b'x' * 8190, b'\n'):
                text = filler + data + end
                with self.subTest(errors=errors, data=data):
                    self.compare_all(text, 'utf-8', None, errors)
                    if errors != 'strict':
                        self.compare_lines(text, 'utf-8', None, errors)
                        self.compare_pieces(text, 'utf-8', '', 3, errors, first=max(len(filler) - 4, 0))

    def test_illegal_units(self):
        cases = {
            'utf-16-le': [b'a', b'\x00\xd8', b'\x00\xd8a\x00', b'\x00\xdca\x00', b'\x3d\xd8\x00', b'a\x00b'],
            'utf-16-be': [b'\xd8\x00', b'\xd8\x00\x00a', b'\xdc\x00\x00a'],
            'utf-16': [b'a\x00b\x00', b'a', b'\xff\xfe', b'\xfe\xff\x00a', b'\xff\xfea\x00\x00\xdc', b'\xff\xfea'],
            'utf-32': [b'\xff\xfe\x00\x00a\x00\x00\x00', b'\x00\x00\xfe\xff\x00\x00\x00a', b'\xff\xfe\x00\x00a\x00',
                       b'a\x00\x00\x00', b'\xff\xfe\x00\x00\x00\x00\x11\x00'],
            'shift_jis': [b'\x93', b'\x93\x20', b'\xff', b'a\x93\xfa\x93', b'\xfd\xfe', b'\x80a'],
            'euc_jp': [b'\xc6', b'\xc6\x20', b'\xff'],
            'ascii': [b'\x80', b'a\xffb'],
        }
        for encoding, datas in cases.items():
            for errors, data in itertools.product(ERRORS, datas):
                with self.subTest(encoding=encoding, errors=errors, data=data):
                    self.compare_all(data, encoding, None, errors)

    def test_unencodable(self):
        for encoding in 'latin-1', 'ascii', 'shift_jis':
            for errors in ERRORS:
                with self.subTest(encoding=encoding, errors=errors):
                    text = 'aé€😀\u0142\nz'
                    stream, model = self.open(b'', encoding, '\r\n', errors)
                    if errors == 'strict':
                        with self.assertRaises(GLib.Error) as caught:
                            stream.write(text)
                        self.assertTrue(caught.exception.matches(Gio.io_error_quark(), Gio.IOErrorEnum.INVALID_DATA))
                        self.assertEqual(stream.get_base_file().get_size(), 0)
                    else:
                        model.write(text)
                        model.flush()
                        stream.write(text)
                        stream.seek(0, GLib.SeekType.SET)
                        self.assertEqual(stream.get_base_file().read(), model.buffer.getvalue())

    def test_tell_and_seek(self):
        for encoding, newline in itertools.product(ALPHABETS, NEWLINES):
            generator = random.Random(encoding)
            with self.subTest(encoding=encoding, newline=newline):
                for text in itertools.islice(texts(encoding), 30, None):
                    stream, model = self.open(text.encode(encoding), encoding, newline)
                    whole = model.read()
                    told = {}
                    n = 0
                    while n < len(whole):
                        told[n] = stream.tell()
                        n += len(stream.read(generator.choice((1, 2, 3, 3000))))
                    told[n] = stream.tell()
                    for n in generator.sample(sorted(told), min(10, len(told))):
                        stream.seek(told[n], GLib.SeekType.SET)
                        self.assertEqual(stream.tell(), told[n])
                        self.assertEqual(stream.read(5), whole[n:n + 5])
                        self.assertEqual(stream.read_all(), whole[n + 5:])

    def test_tell_between_illegal_bytes(self):
        data = b'a\xff\xc3b\xe2\x82\n' * 5
        for errors in 'ignore', 'replace', 'backslashreplace':
            stream, model = self.open(data, 'utf-8', None, errors)
            whole = model.read()
            for n in range(len(whole)):
                stream.seek(0, GLib.SeekType.SET)
                stream.read(n)
                if whole[:n].count('\\') == 0:
                    stream.seek(stream.tell(), GLib.SeekType.SET)
                self.assertEqual(stream.read_all(), whole[n:])

    def test_position_within_an_escape(self):
        """No position of the file is there, and nothing is lost by asking for one."""
        data = b'ab\xff\xfecd'
        boundaries = {0: 0, 1: 1, 2: 2, 6: 3, 10: 4, 11: 5, 12: 6}
        for n, ask in itertools.product(range(13), ('tell', 'flush', 'truncate', lambda stream: stream.write('x'))):
            stream, model = self.open(data, 'utf-8', None, 'backslashreplace')
            whole = model.read()
            with self.subTest(n=n, ask=ask):
                self.assertEqual(stream.read(n) if n > 0 else '', whole[:n])
                call = functools.partial(getattr(stream, ask)) if isinstance(ask, str) else functools.partial(ask, stream)
                if n not in boundaries:
                    with self.assertRaises(GLib.Error) as raised:
                        call()
                    self.assertTrue(raised.exception.matches(Gio.io_error_quark(), Gio.IOErrorEnum.INVALID_DATA))
                elif ask in ('tell', 'flush'):
                    self.assertEqual(call(), boundaries[n] if ask == 'tell' else True)
                if n not in boundaries or ask in ('tell', 'flush'):
                    self.assertEqual(stream.read_all(), whole[n:])

    def test_position_within_the_escape_of_what_is_cut_off(self):
        stream, model = self.open(b'x\xc3', 'utf-8', None, 'backslashreplace')
        self.assertEqual(stream.read(2), 'x\\')
        for call in stream.tell, stream.flush, lambda: stream.write('Z'):
            self.assertRaises(GLib.Error, call)
        self.assertEqual(stream.read_all(), 'xc3')

    def test_completed_after_a_failure(self):
        for read in 'read_line', 'read_all':
            stream, _ = self.open(b'abc\xe2', 'utf-8')
            self.assertRaises(GLib.Error, getattr(stream, read))
            self.assertRaises(GLib.Error, getattr(stream, read))
            file = stream.get_base_file()
            file.seek(0, os.SEEK_END)
            file.write(b'\x82\xac\n')
            self.assertEqual(getattr(stream, read)(), 'abc\u20ac\n')

    def test_header(self):
        """RFC 1557 has one at the beginning of the file."""
        header = b'\x1b$)C'
        stream, _ = self.open(b'', 'iso-2022-kr')
        for text in 'abcdefghij', '\ud55c', 'x':
            stream.write(text)
        stream.seek(0, GLib.SeekType.SET)
        self.assertEqual(stream.read_all(), 'abcdefghij\ud55cx')
        stream.seek(len(header) + 3, GLib.SeekType.SET)
        stream.write('')
        stream.write('Z')
        stream.flush()
        stream.seek(0, GLib.SeekType.SET)
        self.assertEqual(stream.read_all(), 'abcZefghij\ud55cx')

    def test_across_rollover(self):
        for encoding in ALPHABETS:
            with self.subTest(encoding):
                stream, _ = self.open(b'', encoding, None, max_size=40)
                letter = ALPHABETS[encoding][1]
                lines = [f'{i}{letter}\n' for i in range(30)]
                told = []
                for line in lines:
                    told.append(stream.tell())
                    stream.write(line)
                self.assertTrue(stream.get_base_file().is_rolled_over())
                for i in 29, 0, 15:
                    stream.seek(told[i], GLib.SeekType.SET)
                    self.assertEqual(stream.read_line(), lines[i])

        stream, _ = self.open('ä\nb\n'.encode('utf-16'), 'utf-16')
        self.assertEqual(stream.read_line(), 'ä\n')
        stream.get_base_file().rollover()
        self.assertEqual(stream.read_line(), 'b\n')

    def test_writing_goes_on_where_reading_ended(self):
        for encoding in ALPHABETS:
            with self.subTest(encoding):
                stream, _ = self.open('one\ntwo\nthree\n'.encode(encoding), encoding)
                self.assertEqual(stream.read_line(), 'one\n')
                stream.write('TWO\n')
                self.assertEqual(stream.read_all(), 'three\n')
                stream.seek(0, GLib.SeekType.END)
                stream.write('four')
                stream.seek(0, GLib.SeekType.SET)
                self.assertEqual(stream.read_all(), 'one\nTWO\nthree\nfour')

    def test_truncate(self):
        stream, _ = self.open('one\ntwo\n'.encode('utf-16'), 'utf-16')
        self.assertEqual(stream.read_line(), 'one\n')
        stream.truncate(-1)
        self.assertEqual(stream.read_all(), '')
        stream.seek(0, GLib.SeekType.SET)
        self.assertEqual(stream.read_all(), 'one\n')
        stream.truncate(0)
        stream.seek(0, GLib.SeekType.SET)
        stream.write('again')
        stream.seek(0, GLib.SeekType.SET)
        self.assertEqual(stream.read_all(), 'again')

    def test_flush(self):
        stream, _ = self.open(b'one\nt\xc3\xa4wo\n', 'utf-8')
        self.assertEqual(stream.read_line(), 'one\n')
        stream.flush()
        self.assertEqual(stream.get_base_file().tell(), 4)
        self.assertEqual(stream.get_base_file().read(2), b't\xc3')

    def test_class(self):
        class Log(Tf.TextStream):
            def log(self, word):
                self.write(f'{word}\n')

        log = Log(Tf.SpooledFile(), encoding='UTF-16', newline=Tf.Newline.CRLF)
        log.log('Grüße')
        log.log('two')
        log.seek(0)
        self.assertEqual(list(log), ['Grüße\r\n', 'two\r\n'])
        log.seek(2 + 2 * 3, GLib.SeekType.SET, None)
        log.truncate()
        log.seek(0)
        self.assertEqual(log.read_all(), 'Grü')
        log.truncate(0, None)
        self.assertEqual(log.props.base_file.get_size(), 0)
        with self.assertRaises(GLib.Error) as caught:
            Tf.TextStream(Tf.SpooledFile(), 'no-such-encoding')
        self.assertTrue(caught.exception.matches(Gio.io_error_quark(), Gio.IOErrorEnum.NOT_SUPPORTED))

    def test_asynchronously(self):
        for file in Tf.SpooledFile(), Tf.SpooledFile(10), Tf.TempFile():
            stream = Tf.TextStream(file)

            def call(name, *args, cancellable=None):
                return await_call(getattr(stream, f'{name}_async'), getattr(stream, f'{name}_finish'), *args,
                                  cancellable=cancellable)

            self.assertTrue(call('write', 'Grüße\ntwo\n'))
            self.assertEqual(call('tell'), 12)
            self.assertTrue(call('seek', 0, GLib.SeekType.SET))
            self.assertEqual(call('read_line'), 'Grüße\n')
            self.assertEqual(call('read', 2), 'tw')
            self.assertEqual(call('read_all'), 'o\n')
            self.assertIsNone(call('read_line'))
            self.assertTrue(call('truncate', 10))
            self.assertTrue(call('seek', 0, GLib.SeekType.SET))
            self.assertEqual(call('read', 100), 'Grüße\ntw')
            self.assertTrue(call('flush'))
            self.assertEqual(file.tell(), 10)

            cancellable = Gio.Cancellable()
            cancellable.cancel()
            with self.assertRaises(GLib.Error) as caught:
                call('seek', 0, GLib.SeekType.SET, cancellable=cancellable)
            self.assertTrue(caught.exception.matches(Gio.io_error_quark(), Gio.IOErrorEnum.CANCELLED))
            self.assertEqual(stream.tell(), 10)
            file.close()
            with self.assertRaises(GLib.Error) as caught:
                call('read_line')
            self.assertTrue(caught.exception.matches(Gio.io_error_quark(), Gio.IOErrorEnum.CLOSED))

    def test_errors(self):
        with self.assertRaises(GLib.Error) as caught:
            Tf.TextStream.new(Tf.SpooledFile(), 'no-such-encoding', Tf.Newline.LF, Tf.TextErrors.STRICT)
        self.assertTrue(caught.exception.matches(Gio.io_error_quark(), Gio.IOErrorEnum.NOT_SUPPORTED))

        stream, _ = self.open(b'a\0b\n', 'utf-8')
        for call in stream.read_line, stream.read_all:
            with self.assertRaises(GLib.Error) as caught:
                call()
            self.assertTrue(caught.exception.matches(Gio.io_error_quark(), Gio.IOErrorEnum.INVALID_DATA))
        self.assertEqual(stream.read(1), 'a')
        for type_ in GLib.SeekType.CUR, GLib.SeekType.END:
            with self.assertRaises(GLib.Error):
                stream.seek(1, type_)

        stream.get_base_file().close()
        stream.get_base_file().close()
        for call in (lambda: stream.write('x'), lambda: stream.seek(0, GLib.SeekType.SET), stream.flush, stream.tell,
                     lambda: stream.read(1), stream.read_line, stream.read_all, lambda: stream.truncate(0),
                     lambda: Tf.TextStream(stream.get_base_file())):
            with self.assertRaises(GLib.Error) as caught:
                call()
            self.assertTrue(caught.exception.matches(Gio.io_error_quark(), Gio.IOErrorEnum.CLOSED))

    def test_write_nul(self):
        stream, _ = self.open(b'', 'utf-8')
        self.assertTrue(stream.write('ä\0b'))
        self.assertTrue(stream.write(text=''))
        self.assertTrue(await_call(stream.write_async, stream.write_finish, '\0'))
        self.assertEqual(stream.get_base_file().get_size(), 5)
        stream.seek(0)
        self.assertEqual(stream.read(1), 'ä')
        with self.assertRaises(GLib.Error):
            stream.read_all()
        for text in b'bytes', 7, None:
            with self.assertRaises(TypeError):
                stream.write(text)
        with self.assertRaises(UnicodeEncodeError):
            stream.write('a\udcff')

    def test_text_before_an_illegal_byte(self):
        stream, _ = self.open(b'good\nb\xffd\nrest', 'utf-8')
        self.assertEqual(stream.read_line(), 'good\n')
        for _ in range(3):
            with self.assertRaises(GLib.Error):
                stream.read_line()
        self.assertEqual(stream.tell(), 5)


if __name__ == '__main__':
    unittest.main()
