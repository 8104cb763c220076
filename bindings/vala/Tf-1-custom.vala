/*
 * SPDX-FileCopyrightText: 2026 The tempfile-glib authors
 * SPDX-License-Identifier: LGPL-2.1-or-later
 */

/* vapigen takes the length of an array that an asynchronous method returns for an int, and text that has a length for
 * an array. */
namespace Tf {
    public class TempFile : GLib.IOStream {
        public bool persist (GLib.File destination, Tf.PersistFlags flags = Tf.PersistFlags.NONE,
                             GLib.Cancellable? cancellable = null,
                             GLib.FileProgressCallback? progress_callback = null,
                             out GLib.File? final_destination = null) throws GLib.Error;
        public async bool persist_async (GLib.File destination, Tf.PersistFlags flags = Tf.PersistFlags.NONE,
                                         int io_priority = GLib.Priority.DEFAULT,
                                         GLib.Cancellable? cancellable = null,
                                         owned GLib.FileProgressCallback? progress_callback = null,
                                         out GLib.File? final_destination = null) throws GLib.Error;
        [CCode (array_length_type = "gsize")]
        public async uint8[]? read_data_async (size_t count, int io_priority = GLib.Priority.DEFAULT,
                                               GLib.Cancellable? cancellable = null) throws GLib.Error;
        [CCode (array_length_type = "gsize")]
        public async uint8[]? read_line_async (int io_priority = GLib.Priority.DEFAULT,
                                               GLib.Cancellable? cancellable = null) throws GLib.Error;
        [CCode (array_length_type = "gsize")]
        public async uint8[]? read_upto_async ([CCode (array_length_cname = "n_stop_bytes", array_length_pos = 1.5, array_length_type = "gsize")] uint8[] stop_bytes,
                                               int io_priority = GLib.Priority.DEFAULT,
                                               GLib.Cancellable? cancellable = null) throws GLib.Error;
    }

    public class TextStream : GLib.Object {
        public bool write (string text, ssize_t length = -1, GLib.Cancellable? cancellable = null) throws GLib.Error;
        public async bool write_async (string text, ssize_t length = -1, int io_priority = GLib.Priority.DEFAULT,
                                       GLib.Cancellable? cancellable = null) throws GLib.Error;
    }
}
