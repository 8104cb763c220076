// SPDX-FileCopyrightText: 2026 The tempfile-glib authors
// SPDX-License-Identifier: LGPL-2.1-or-later

// Ends as it is told with a file and a directory alive; see check-exit.py.

Tf.NamedFile? global_file;
Tf.TempDir? global_dir;

class Application : Object {
    static Tf.NamedFile? named_file;
    static Tf.TempDir? temp_dir;

    public static void hold (Tf.NamedFile file, Tf.TempDir dir) {
        named_file = file;
        temp_dir = dir;
    }
}

int main (string[] args) {
    try {
        var named_file = new Tf.NamedFile (null, null, null);
        var temp_dir = new Tf.TempDir (null, null, null);

        FileUtils.set_contents (temp_dir.get_child ("content").get_path (), "to be removed");
        print ("%s %s\n", named_file.path, temp_dir.path);
        stdout.flush ();

        switch (args[1]) {
        case "return":
            return 4;
        case "static":
            Application.hold (named_file, temp_dir);
            return 4;
        case "global":
            global_file = named_file;
            global_dir = temp_dir;
            return 4;
        case "exit":
            Process.exit (3);
        case "hold-until-exit":
            named_file.hold_until_exit ();
            temp_dir.hold_until_exit ();
            return 4;
        case "sigterm":
            Application.hold (named_file, temp_dir);
            Tf.cleanup_on_signals ();
            Process.raise (ProcessSignal.TERM);
            new MainLoop ().run ();
            return 1;
        default:
            return 1;
        }
    } catch (Error error) {
        printerr ("%s\n", error.message);
        return 1;
    }
}
