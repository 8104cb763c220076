# SPDX-FileCopyrightText: 2026 The tempfile-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""What all Python tests share: the library, and a sandbox in which nothing may be left."""

import gc
import os
import tempfile
import unittest

import gi

gi.require_version('Tf', '1')

from gi.repository import Tf  # noqa: E402


class TestCase(unittest.TestCase):
    def setUp(self):
        self.sandbox = tempfile.mkdtemp()
        Tf.tempdir = self.sandbox
        self.addCleanup(self.check_sandbox)

    def check_sandbox(self):
        gc.collect()
        Tf.tempdir = None
        left = os.listdir(self.sandbox)
        for name in left:
            os.remove(os.path.join(self.sandbox, name))
        os.rmdir(self.sandbox)
        self.assertEqual(left, [])

    def entries(self):
        return os.listdir(self.sandbox)
