/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* One asynchronous flow with yield: create, write, roll over, read, close, clean up. */

async void flow () throws Error {
    var dir = yield Tf.TempDir.create_async ("flow-", null, null, Priority.DEFAULT, null);
    assert_true (dir.get_file ().query_exists ());

    var named = yield Tf.NamedFile.create_async (null, ".txt", dir.get_path (), Priority.DEFAULT, null);
    yield named.write_bytes_async (new Bytes ("Hello world!".data), Priority.DEFAULT, null);
    string content;
    FileUtils.get_contents (named.get_path (), out content);
    assert_cmpstr (content, CompareOperator.EQ, "Hello world!");

    int n_emitted = 0;
    var spool = new Tf.SpooledFile (4);
    spool.rolled_over.connect (() => n_emitted++);
    named.seek (0, SeekType.SET);
    var n = yield spool.output_stream.splice_async (named.input_stream, OutputStreamSpliceFlags.NONE);
    assert_cmpint ((int) n, CompareOperator.EQ, 12);
    assert_cmpint (n_emitted, CompareOperator.EQ, 1);
    yield spool.rollover_async (Priority.DEFAULT, null);

    spool.seek (6, SeekType.SET);
    var bytes = yield spool.read_bytes_async (100, Priority.DEFAULT, null);
    assert_true (bytes.compare (new Bytes ("world!".data)) == 0);

    var text = new Tf.TextStream (spool);
    yield text.seek_async (0);
    yield text.write_async ("Grüße\nx", 8, Priority.LOW, null);
    assert_true ((yield text.tell_async ()) == 8);
    assert_true ((yield text.read_async (3)) == "rld");
    yield text.seek_async (0, SeekType.SET);
    assert_true ((yield text.read_line_async ()) == "Grüße\n");
    yield text.truncate_async ();
    yield text.flush_async ();
    assert_true ((yield text.read_all_async ()) == "");
    assert_true ((yield text.read_line_async ()) == null);

    yield named.close_async ();
    assert_false (named.get_file ().query_exists ());
    yield dir.cleanup_async (Priority.DEFAULT, null);
    assert_false (dir.get_file ().query_exists ());
}

async void leave_out () throws Error {
    var dir = yield Tf.TempDir.create_full_async ("flow-");
    var file = yield Tf.TempFile.create_full_async ();
    yield file.write_bytes_async (new Bytes ("one\ntwo".data));
    file.seek (0, SeekType.SET);
    uint8[]? line = yield file.read_line_async ();
    assert_cmpint (line.length, CompareOperator.EQ, 4);
    uint8[]? data = yield file.read_data_async (1);
    assert_cmpint (data.length, CompareOperator.EQ, 1);
    file.seek (-1, SeekType.CUR);
    uint8[]? rest = yield file.read_upto_async (",".data, Priority.LOW);
    assert_cmpint (rest.length, CompareOperator.EQ, 3);
    assert_true ((yield file.read_line_async (Priority.LOW, null)) == null);
    assert_true (yield file.flush_async ());
    assert_true (yield file.reserve_async (100));
    assert_true ((yield file.get_fd_async ()) >= 0);
    assert_true ((yield file.load_bytes_async ()).get_size () == 7);
    assert_true (yield file.persist_async (dir.get_child ("x")));
    assert_true (yield file.persist_async (dir.get_child ("x"), Tf.PersistFlags.REPLACE, Priority.LOW, null));
    File? place;
    int64 n_copied = -1;
    assert_true (yield file.persist_async (dir.get_child ("x"), Tf.PersistFlags.UNIQUE, Priority.LOW, null,
                                           (n, total) => n_copied = n, out place));
    assert_true (n_copied == 7);
    assert_true (place.get_basename () == "x (1)");
    yield file.close_async ();

    var named = yield Tf.NamedFile.create_async ();
    yield named.close_async ();
    var unnamed = yield Tf.TempFile.create_async ();
    yield unnamed.close_async ();
    string path;
    FileUtils.close (yield Tf.mkstemp_async ("p", null, dir.path, Priority.DEFAULT, null, out path));
    assert_true ((yield Tf.mkdtemp_async (null, null, dir.path)).has_prefix (dir.path));
    assert_true ((yield Tf.get_temp_dir_async ()) != "");
    yield dir.cleanup_async ();
}

async void run () throws Error {
    yield flow ();
    yield leave_out ();
}

int main () {
    var loop = new MainLoop ();
    int status = 1;

    run.begin ((object, result) => {
        try {
            run.end (result);
            status = 0;
        } catch (Error error) {
            printerr ("%s\n", error.message);
        }
        loop.quit ();
    });
    loop.run ();
    return status;
}
