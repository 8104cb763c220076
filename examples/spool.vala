/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: CC0-1.0
 */

/* Streams a file through a Tf.SpooledFile, reads it back, copies it into a Tf.TempDir. */

const int64 MAX_SIZE = 1024 * 1024;
const size_t PIECE_SIZE = 64 * 1024;

void spool_file (File source) throws Error {
    string rolled_over_at = "never";

    var spool = new Tf.SpooledFile (MAX_SIZE);
    spool.rolled_over.connect (() => {
        rolled_over_at = spool.get_size ().to_string ();
    });

    // In: from the file to the spool, which goes to disk once it outgrows MAX_SIZE.
    var piece = new uint8[PIECE_SIZE];
    var from = source.read ();
    ssize_t n;
    while ((n = from.read (piece)) > 0) {
        spool.output_stream.write_all (piece[0:n], null);
    }

    // Out: from the spool to a copy in a temporary directory.
    var dir = new Tf.TempDir ("spool-", null, null);
    var to = dir.get_child ("copy").create (FileCreateFlags.PRIVATE);
    var checksum = new Checksum (ChecksumType.SHA256);
    int64 size = 0;
    spool.seek (0, SeekType.SET);
    while ((n = spool.input_stream.read (piece)) > 0) {
        checksum.update (piece, n);
        size += n;
        to.write_all (piece[0:n], null);
    }
    to.close ();
    spool.close ();

    // The directory goes with its last reference, and takes the copy with it.
    var dir_file = dir.file;
    dir = null;
    if (dir_file.query_exists ()) {
        throw new IOError.EXISTS ("%s is still there", dir_file.get_path ());
    }

    print ("Vala %s bytes, rolled over at %s, sha256 %s, cleaned up\n",
           size.to_string (), rolled_over_at, checksum.get_string ());
}

int main (string[] args) {
    if (args.length != 2) {
        printerr ("Usage: %s FILE\n", args[0]);
        return 1;
    }

    try {
        spool_file (File.new_for_commandline_arg (args[1]));
    } catch (Error error) {
        printerr ("%s: %s\n", args[0], error.message);
        return 1;
    }

    return 0;
}
