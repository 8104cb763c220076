/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: CC0-1.0
 */

/* The Vala example of README.md, made a program. */

int main () {
    try {
        var file = new Tf.SpooledFile (1024 * 1024);
        file.write ("Hello, world".data);
        file.seek (0, SeekType.SET);
        var start = new uint8[6]; // with a NUL behind the text
        file.read (start[0:5]);
        print ("%s, of %d bytes\n", (string) start, (int) file.get_size ());
        file.close ();
    } catch (Error error) {
        printerr ("%s\n", error.message);
        return 1;
    }

    return 0;
}
