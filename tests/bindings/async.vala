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
    yield text.write_async ("Grüße\n", Priority.LOW, null);
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

int main () {
    var loop = new MainLoop ();
    int status = 1;

    flow.begin ((object, result) => {
        try {
            flow.end (result);
            status = 0;
        } catch (Error error) {
            printerr ("%s\n", error.message);
        }
        loop.quit ();
    });
    loop.run ();
    return status;
}
