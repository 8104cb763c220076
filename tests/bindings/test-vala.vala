/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

void test_files () {
    try {
        Tf.TempFile[] files = { new Tf.TempFile (), new Tf.NamedFile ("p", "s"), new Tf.SpooledFile (3) };
        foreach (unowned var file in files) {
            file.write ("Hello world!".data);
            file.seek (6, SeekType.SET);
            assert_true (file.read_bytes (5).compare (new Bytes ("world".data)) == 0);
            var buffer = new uint8[10];
            assert_true (file.read (buffer) == 1);
            assert_true (file.get_size () == 12);
            file.truncate (0);
            file.close ();
        }
    } catch (Error error) {
        assert_not_reached ();
    }
}

void test_what_is_left_out () {
    try {
        var dir = new Tf.TempDir.full ("vala-");
        string? prefix = dir.prefix;
        string? suffix = dir.suffix;
        assert_true (prefix == "vala-" && suffix == null && dir.mode == 0700 && dir.file.get_path () == dir.path);

        var file = new Tf.TempFile.full ();
        file.write ("one\ntwo".data);
        file.seek (0, SeekType.SET);
        uint8[]? line = file.read_line ();
        assert_true (line.length == 4 && line[3] == '\n');
        assert_true (file.read_upto (",".data).length == 3);
        assert_true (file.read_line () == null);
        assert_true (file.load_bytes ().get_size () == 7 && file.flush () && file.reserve (100));
        Posix.close (file.dup_fd ());
        assert_true (file.persist (dir.get_child ("x")));
        assert_true (file.persist (dir.get_child ("x"), Tf.PersistFlags.REPLACE, new Cancellable ()));
        File? place;
        int64 n_copied = -1;
        assert_true (file.persist (dir.get_child ("x"), Tf.PersistFlags.UNIQUE, null,
                                   (n, total) => n_copied = n, out place));
        assert_true (n_copied == 7);
        assert_true (place.get_basename () == "x (1)");
        file.close ();

        var named = new Tf.NamedFile (null, null, dir.path);
        named.delete_policy = Tf.DeletePolicy.NEVER;
        assert_true (named.file != null && named.suffix == null);
        assert_true (new Tf.SpooledFile.full (3, "p").max_size == 3);
        dir.cleanup ();
    } catch (Error error) {
        assert_not_reached ();
    }
}

void test_rollover () {
    try {
        var file = new Tf.SpooledFile (10);
        var seen = 0;
        file.rolled_over.connect (() => seen++);
        file.write ("0123456789".data);
        assert_true (seen == 0 && file.max_size == 10);
        file.rollover ();
        assert_true (seen == 1 && file.is_rolled_over ());
        assert_true (file.get_fd () >= 0);
    } catch (Error error) {
        assert_not_reached ();
    }
}

void test_names () {
    try {
        var file = new Tf.NamedFile ();
        unowned string? path = file.path;
        assert_true (path == file.get_path ());
        file.delete_policy = Tf.DeletePolicy.NEVER;
        file.unlink ();
        var full = new Tf.NamedFile.full (null, null, null, 0640, Tf.DeletePolicy.ON_DISPOSE);
        assert_true (full.path != file.path);
        assert_true (new Tf.NamedFile.full ().delete_policy == Tf.DeletePolicy.ON_CLOSE);
        var content = new Tf.NamedFile.from_bytes (new Bytes ("x".data), "p");
        assert_true (content.read_bytes (5).compare (new Bytes ("x".data)) == 0);

        string created;
        Posix.close (Tf.mkstemp (null, ".txt", null, out created));
        assert_true (created.has_suffix (".txt"));
        FileUtils.unlink (created);
        string dir = Tf.mkdtemp ();
        DirUtils.remove (dir);
        assert_true (Tf.get_temp_dir () != "" && Tf.get_temp_prefix () == "tmp");
    } catch (Error error) {
        assert_not_reached ();
    }
}

async void create () throws Error {
    var file = yield Tf.NamedFile.create_full_async ();
    assert_true (file.delete_policy == Tf.DeletePolicy.ON_CLOSE);
}

void test_async () {
    var loop = new MainLoop ();
    create.begin ((object, result) => {
        try {
            create.end (result);
        } catch (Error error) {
            assert_not_reached ();
        }
        loop.quit ();
    });
    loop.run ();
}

void test_directory () {
    try {
        var dir = new Tf.TempDir ("vala-");
        assert_true (dir.build_filename ({ "a", "b" }) == dir.path + "/a/b");
        new Tf.TempDir.full (null, null, null, 0500).cleanup ();
        dir.get_child ("x").replace_contents ("x".data, null, false, FileCreateFlags.NONE, null);
        var inside = dir.create_dir ().create_file (null, ".txt");
        assert_true (inside.path.has_prefix (dir.path + "/") && inside.delete_policy == Tf.DeletePolicy.NEVER);
        inside.hand_over (10);
        assert_false (inside.is_handed_over ());
        dir.hand_over (10);
        assert_true (dir.is_handed_over ());
        dir.ignore_cleanup_errors = true;
        dir.cleanup ();
        assert_false (dir.file.query_exists ());
    } catch (Error error) {
        assert_not_reached ();
    }
}

void test_text () {
    try {
        var text = new Tf.TextStream (new Tf.SpooledFile (10), "UTF-16");
        text.write ("Grüße\n");
        text.seek (0);
        assert_true (text.read_line () == "Grüße\n");
        string? end = text.read_line ();
        assert_true (end == null);
        text.truncate ();
        text.flush ();
        text.write ("a\0b", 3);
        assert_true (text.base_file.get_size () == 14 + 6);
    } catch (Error error) {
        assert_not_reached ();
    }
}

void test_audit () {
    var heard = "";
    Tf.set_audit_func ((event, path) => {
        heard = path;
        return event != "tempfile.mkdtemp";
    });
    try {
        new Tf.TempDir ();
        assert_not_reached ();
    } catch (Error error) {
        assert_true (error is IOError.PERMISSION_DENIED);
    }
    assert_true (heard.has_prefix (Environment.get_variable ("TMPDIR")));
    Tf.set_audit_func (null);
}

int main (string[] args) {
    Test.init (ref args);
    Test.add_func ("/vala/files", test_files);
    Test.add_func ("/vala/what-is-left-out", test_what_is_left_out);
    Test.add_func ("/vala/rollover", test_rollover);
    Test.add_func ("/vala/names", test_names);
    Test.add_func ("/vala/async", test_async);
    Test.add_func ("/vala/directory", test_directory);
    Test.add_func ("/vala/text", test_text);
    Test.add_func ("/vala/audit", test_audit);
    return Test.run ();
}
