# SPDX-FileCopyrightText: 2026 The tempfile-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Runs Python tests as where the extension module was not built. The arguments are those of unittest."""

import os
import sys
import unittest

sys.modules['gi.overrides._gi_tf'] = None
sys.path.insert(0, os.getcwd())
unittest.main(module=None)
