# SPDX-FileCopyrightText: 2026 The tempfile-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Libraries that programs give temporary files to work on those of Tf; without a library, its case is skipped."""

import asyncio
import inspect
import unittest

from sandbox import TestCase, Tf


class ConsumerTest(TestCase):
    def load(self, name):
        try:
            return __import__(name, fromlist=['x'])
        except ImportError:
            self.skipTest(f'{name} is not installed')

    def test_pillow(self):
        image = self.load('PIL.Image')
        with Tf.NamedTemporaryFile(suffix='.png') as file:
            image.new('RGB', (8, 8)).save(file, 'PNG')
            file.seek(0)
            self.assertEqual(image.open(file).size, (8, 8))

    def test_pandas(self):
        pandas = self.load('pandas')
        with Tf.NamedTemporaryFile('w+') as file:
            pandas.DataFrame({'a': [1, 2]}).to_csv(file, index=False)
            file.seek(0)
            self.assertEqual(pandas.read_csv(file).a.sum(), 3)
        with Tf.SpooledTemporaryFile() as file:
            file.write(b'a\n1\n')
            file.seek(0)
            self.assertEqual(pandas.read_csv(file).a.sum(), 1)

    def test_lxml(self):
        etree = self.load('lxml.etree')
        with Tf.NamedTemporaryFile() as file:
            file.write(b'HEAD')
            etree.ElementTree(etree.Element('b')).write(file)
            file.seek(0)
            self.assertEqual(file.read(), b'HEAD<b/>')
            file.seek(4)
            self.assertEqual(etree.parse(file).getroot().tag, 'b')

    def test_openpyxl(self):
        openpyxl = self.load('openpyxl')
        with Tf.TemporaryFile() as file:
            openpyxl.Workbook().save(file)
            file.seek(0)
            self.assertEqual(len(openpyxl.load_workbook(file).sheetnames), 1)

    def test_starlette(self):
        upload_class = self.load('starlette.datastructures').UploadFile
        file = Tf.SpooledTemporaryFile(max_size=10)
        is_first = next(iter(inspect.signature(upload_class).parameters)) == 'file'
        upload = upload_class(file=file) if is_first else upload_class('name', file)

        async def use():
            await upload.write(b'x' * 20)
            await upload.seek(0)
            self.assertEqual(await upload.read(), b'x' * 20)
            await upload.close()

        asyncio.run(use())

    def test_werkzeug(self):
        storage = self.load('werkzeug.datastructures').FileStorage(Tf.SpooledTemporaryFile(mode='rb+'), 'name')
        storage.stream.write(b'x')
        storage.stream.seek(0)
        with Tf.NamedTemporaryFile() as file:
            storage.save(file)
            file.seek(0)
            self.assertEqual(file.read(), b'x')
        storage.close()

    def test_django(self):
        file_class = self.load('django.core.files').File
        with Tf.NamedTemporaryFile() as file:
            file_class(file).write(b'x')
            file.flush()
            self.assertEqual(file_class(file).size, 1)


if __name__ == '__main__':
    unittest.main()
