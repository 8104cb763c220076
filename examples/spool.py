#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The tempfile-glib authors
# SPDX-License-Identifier: CC0-1.0

"""Streams a file through a Tf.SpooledFile, reads it back, copies it into a Tf.TempDir."""

import hashlib
import os
import sys

import gi

gi.require_version('Tf', '1')

from gi.repository import GLib, Tf  # noqa: E402

MAX_SIZE = 1 << 20
PIECE_SIZE = 1 << 16


def spool_file(path):
    rolled_over_at = 'never'

    def on_rolled_over(spool):
        nonlocal rolled_over_at
        rolled_over_at = spool.get_size()

    spool = Tf.SpooledFile.new(MAX_SIZE)
    spool.connect('rolled-over', on_rolled_over)

    # In: from the file to the spool, which goes to disk once it outgrows MAX_SIZE.
    output = spool.get_output_stream()
    with open(path, 'rb') as source:
        while piece := source.read(PIECE_SIZE):
            output.write_all(piece, None)

    # Out: from the spool to a copy in a temporary directory.
    spool.seek(0, GLib.SeekType.SET, None)
    directory = Tf.TempDir.new('spool-', None, None, None)
    directory_path = directory.get_path()
    size = 0
    digest = hashlib.sha256()
    stream = spool.get_input_stream()
    with open(os.path.join(directory_path, 'copy'), 'xb') as copy:
        while piece := stream.read_bytes(PIECE_SIZE, None).get_data():
            copy.write(piece)
            digest.update(piece)
            size += len(piece)
    spool.close(None)

    # The directory goes with its last reference, and takes the copy with it.
    del directory
    if os.path.lexists(directory_path):
        raise FileExistsError(f'{directory_path} is still there')

    print(f'Python {size} bytes, rolled over at {rolled_over_at}, '
          f'sha256 {digest.hexdigest()}, cleaned up')


if len(sys.argv) != 2:
    sys.exit(f'Usage: {sys.argv[0]} FILE')

try:
    spool_file(sys.argv[1])
except GLib.Error as error:
    sys.exit(f'{sys.argv[0]}: {error.message}')
except OSError as error:
    sys.exit(f'{sys.argv[0]}: {error}')
