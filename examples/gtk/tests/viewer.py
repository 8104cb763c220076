# SPDX-FileCopyrightText: 2026 The tempfile-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Opens a file, writes to LOG what it sees, closes the file when somebody has opened the FIFO, and removes LOG.

Usage: viewer.py LOG FIFO FILE
"""

import json
import os
import sys

log, fifo, path = sys.argv[1:]
with open(path, 'rb') as file:
    status = os.fstat(file.fileno())
    with open(log + '.new', 'w') as out:
        json.dump({'pid': os.getpid(), 'path': path, 'size': status.st_size, 'mode': status.st_mode & 0o777}, out)
    os.rename(log + '.new', log)
    with open(fifo) as go:
        go.read()
os.remove(log)
