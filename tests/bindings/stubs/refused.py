# SPDX-FileCopyrightText: 2026 The tempfile-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""What mypy has to refuse: each line with a mark."""

from gi.repository import Gio, Tf

Tf.TempFile().write('text')  # refused
Tf.TempFile('w+').write(b'bytes')  # refused
Tf.NamedTemporaryFile('w').writelines([b'bytes'])  # refused
Tf.TemporaryFile(prefix=7)  # refused
Tf.TempFile().no_such_method_of_a_file  # refused
Tf.mkstemp('x', b'y')  # refused
Tf.no_such_function()  # refused
Tf.SpooledFile('10')  # refused
Tf.TempDir().cleanup('now')  # refused
Tf.TextStream(b'x')  # refused
Tf.sweep_finish(Gio.AsyncResult()).n_removed  # refused
