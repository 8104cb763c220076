// SPDX-FileCopyrightText: 2026 The tempfile-glib authors
// SPDX-License-Identifier: CC0-1.0

// One file of the list, from its source to where it is saved or handed over. Knows no widgets.

namespace Scratch {
    // The bytes that one file may have in memory, and those that all of them may have together.
    const int64 MAX_SIZE = 16000000;
    const int64 BUDGET = 64000000;

    // The names that are visible for a while begin with it.
    const string PREFIX = "scratch-";

    enum State {
        FETCHING,
        READY,
        SAVING,
        HANDING_OVER,
        FAILED
    }

    // Where files roll over and are handed over. It is one directory, so that a file is linked and not copied. Other
    // programs have to find it there, also from inside of a sandbox.
    async unowned string get_dir () throws Error {
        return FileUtils.test ("/.flatpak-info", FileTest.EXISTS)
            ? yield Tf.get_shareable_dir_async ()
            : yield Tf.get_spool_dir_async ();
    }

    // Messages have the path before the reason, and lines have room for the reason. A path can have a colon itself.
    string get_reason (string message) {
        var quoted_to = message.last_index_of ("”");
        var colon = message.last_index_of (": ");
        return colon < quoted_to || colon < 0 ? message : message.substring (colon + 2);
    }

    class Item : Object {
        public File source { get; construct; }
        public string name { get; private set; }
        public string content_type { get; private set; default = "application/octet-stream"; }
        public State state { get; private set; default = State.FAILED; }
        public int64 size { get; private set; }
        public int64 total { get; private set; default = -1; }
        // Of what is being done, from 0 to 1, or -1 if it is not known.
        public double progress { get; private set; default = -1; }
        public DateTime? rolled_over_at { get; private set; }
        public Error? error { get; private set; }

        public string error_message {
            owned get { return (error is IOError.NO_SPACE) ? _("The disk is full") : error.message; }
        }

        public string error_reason {
            owned get { return get_reason (error_message); }
        }

        // A directory in which the file was handed over.
        public signal void handed_over (Tf.TempDir dir);

        private Soup.Session session;
        private Tf.SpooledFile? spool;
        private Tf.TempDir? dir;
        private Cancellable cancellable = new Cancellable ();
        private int64 n_copied;
        private int64 n_to_copy;
        private bool is_discarded;

        public bool is_busy {
            get { return state != State.READY && state != State.FAILED; }
        }

        private bool is_remote {
            get { return source.has_uri_scheme ("http") || source.has_uri_scheme ("https"); }
        }

        public Item (File source, Soup.Session session) {
            Object (source: source);
            this.session = session;
            name = make_name (Uri.unescape_string (source.get_basename () ?? "") ?? source.get_basename ());
            content_type = ContentType.guess (name, null, null);
        }

        public async void fetch () throws Error {
            enter (State.FETCHING);
            rolled_over_at = null;
            try {
                spool = new Tf.SpooledFile.full (MAX_SIZE, PREFIX, null, yield get_dir ());
                spool.rolled_over.connect (() => rolled_over_at = new DateTime.now_local ());
                var stream = yield open_source ();
                // The priority is below that of drawing.
                yield spool.output_stream.splice_async (stream, OutputStreamSpliceFlags.CLOSE_SOURCE, Priority.LOW,
                                                        cancellable);
                if (is_remote && spool.get_size () < total)
                    throw new IOError.PARTIAL_INPUT (_("The server sent less than it had announced"));
                content_type = ContentType.guess (name, (yield read_start (4096)).get_data (), null);
                yield settle (State.READY);
            } catch (Error e) {
                yield close ();
                error = e;
                yield settle (State.FAILED);
                throw e;
            }
        }

        // An existing file was confirmed in the dialog.
        public async void save (File destination) throws Error {
            enter (State.SAVING);
            try {
                if (destination.is_native ())
                    yield persist (destination, REPLACE | FOLLOW_SYMLINK | DURABLE);
                else
                    yield upload (destination);
            } finally {
                settle.begin (State.READY);
            }
        }

        // Returns a file for other programs. It goes when they have closed it, some time after they could have opened it.
        public async File hand_over (uint grace_seconds) throws Error {
            dir?.hand_over (grace_seconds);
            if (dir != null && dir.is_handed_over ())
                return dir.get_child (name);

            enter (State.HANDING_OVER);
            try {
                dir = yield Tf.TempDir.create_async (PREFIX, null, yield get_dir (), Priority.DEFAULT, cancellable);
                var file = dir.get_child (name);
                yield persist (file, PRIVATE);
                dir.hand_over (grace_seconds);
                handed_over (dir);
                return file;
            } finally {
                settle.begin (State.READY);
            }
        }

        public async Bytes read_start (size_t count) throws Error {
            return yield open_reader ().read_bytes_async (count, Priority.DEFAULT, null);
        }

        public InputStream open_reader () throws Error {
            return spool.open_reader ();
        }

        public void cancel () {
            cancellable.cancel ();
        }

        // What an operation uses is closed when that has ended.
        public void discard () {
            is_discarded = true;
            cancel ();
            if (!is_busy)
                close.begin ();
        }

        // Looks at how far it is; this never waits.
        public void update () {
            if (spool != null)
                size = spool.get_size ();

            if (state == State.FETCHING && total > 0)
                progress = (double) size / total;
            else if (state != State.FETCHING && n_to_copy > 0)
                progress = (double) n_copied / n_to_copy;
            else
                progress = -1;
        }

        private void enter (State state) {
            cancellable = new Cancellable ();
            n_copied = n_to_copy = 0;
            error = null;
            this.state = state;
        }

        private async void settle (State state) {
            update ();
            this.state = state;
            if (is_discarded)
                yield close ();
        }

        private async void close () {
            try {
                if (spool != null)
                    yield spool.close_async (Priority.DEFAULT, null);
            } catch (Error e) {
                warning ("Closing %s: %s", name, e.message);
            }
        }

        private async InputStream open_source () throws Error {
            if (is_remote)
                return yield open_uri ();

            var info = yield source.query_info_async ("standard::type,standard::display-name,standard::size",
                                                      FileQueryInfoFlags.NONE, Priority.DEFAULT, cancellable);
            if (info.get_file_type () == FileType.DIRECTORY)
                throw new IOError.IS_DIRECTORY (_("Folders cannot be opened"));
            name = make_name (info.get_display_name ());
            total = info.get_file_type () == FileType.REGULAR ? info.get_size () : -1;
            return yield source.read_async (Priority.DEFAULT, cancellable);
        }

        private async InputStream open_uri () throws Error {
            var uri = GLib.Uri.parse (source.get_uri (), Soup.HTTP_URI_FLAGS);
            var message = new Soup.Message.from_uri ("GET", uri);
            var stream = yield session.send_async (message, Priority.LOW, cancellable);
            if (message.status_code != Soup.Status.OK)
                throw new IOError.FAILED (_("The server answered “%s”"), message.reason_phrase);

            string disposition;
            HashTable<string, string> parameters;
            if (message.response_headers.get_content_disposition (out disposition, out parameters) &&
                parameters.contains ("filename"))
                name = make_name (parameters["filename"]);
            // What is compressed has another length here.
            total = message.response_headers.get_encoding () == Soup.Encoding.CONTENT_LENGTH &&
                message.response_headers.get_one ("Content-Encoding") == null
                ? message.response_headers.get_content_length () : -1;
            return stream;
        }

        private async void persist (File destination, Tf.PersistFlags flags) throws Error {
            yield spool.persist_async (destination, flags, Priority.DEFAULT, cancellable, (n, n_all) => {
                n_copied = n;
                n_to_copy = n_all;
            });
        }

        private async void upload (File destination) throws Error {
            var stream = yield destination.replace_async (null, false, FileCreateFlags.REPLACE_DESTINATION,
                                                          Priority.DEFAULT, cancellable);
            yield stream.splice_async (open_reader (), CLOSE_SOURCE | CLOSE_TARGET, Priority.LOW, cancellable);
        }

        // A name that a directory can have.
        private static string make_name (string wanted) {
            var name = wanted.make_valid ().replace ("/", "_").strip ();
            if (name in new string[] { "", ".", "..", "_" })
                return _("Download");
            while (name.length > 200)
                name = name.substring (name.index_of_nth_char (1));
            return name;
        }
    }

    // The file as the target of a drag gets it. It has no path before that asks for one.
    class ItemContent : Gdk.ContentProvider {
        private Item item;
        private uint grace_seconds;

        public ItemContent (Item item, uint grace_seconds) {
            this.item = item;
            this.grace_seconds = grace_seconds;
        }

        public override Gdk.ContentFormats ref_formats () {
            var builder = new Gdk.ContentFormatsBuilder ();
            builder.add_gtype (typeof (Gdk.FileList));
            return builder.to_formats ().union_serialize_mime_types ();
        }

        public override async bool write_mime_type_async (string mime_type, OutputStream stream, int io_priority,
                                                          Cancellable? cancellable) throws Error {
            var value = Value (typeof (Gdk.FileList));
            value.take_boxed (new_file_list ({ yield item.hand_over (grace_seconds) }));
            return yield Gdk.content_serialize_async (stream, mime_type, value, io_priority, cancellable);
        }
    }

    // Since GTK 4.8, and not in all of its bindings.
    [CCode (cname = "gdk_file_list_new_from_array")]
    extern Gdk.FileList new_file_list ([CCode (array_length_type = "gsize")] File[] files);
}
