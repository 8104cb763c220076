// SPDX-FileCopyrightText: 2026 The tempfile-glib authors
// SPDX-License-Identifier: CC0-1.0

namespace Scratch {
    [GtkTemplate (ui = "/org/tempfile_glib/Scratch/preview.ui")]
    class Preview : Adw.Bin {
        private const size_t TEXT_SIZE = 32 << 10;
        private const int64 MAX_IMAGE_SIZE = 64 << 20;
        private const int MAX_EDGE = 2048;

        [GtkChild]
        private unowned Gtk.Stack stack;
        [GtkChild]
        private unowned Gtk.Picture picture;
        [GtkChild]
        private unowned Gtk.TextView text_view;
        [GtkChild]
        private unowned Adw.StatusPage status_page;

        [GtkChild]
        private unowned Gtk.Button retry_button;

        private Item? item;
        private Item? loaded;
        private ulong state_id;

        public void show_item (Item? item) {
            if (this.item != null)
                this.item.disconnect (state_id);
            this.item = item;
            if (item != null)
                state_id = item.notify["state"].connect (() => load.begin ());
            load.begin ();
        }

        private async void load () {
            var item = this.item;
            if (item != null && item == loaded)
                return;

            loaded = null;
            if (item == null || item.state == State.FETCHING || item.state == State.FAILED) {
                show_status (item);
                return;
            }

            loaded = item;

            try {
                if (ContentType.is_mime_type (item.content_type, "image/*") && item.size <= MAX_IMAGE_SIZE) {
                    var texture = yield load_texture (item.open_reader ());
                    if (item == this.item)
                        show_image (texture);
                } else if (ContentType.is_mime_type (item.content_type, "text/plain")) {
                    var start = yield item.read_start (TEXT_SIZE);
                    if (item == this.item)
                        show_text (start);
                } else {
                    show_status (item);
                }
            } catch (Error e) {
                // Not an image after all, or closed in the meantime
                if (item == this.item)
                    show_status (item);
            }
        }

        private void show_status (Item? item) {
            var has_failed = item?.state == State.FAILED;

            status_page.icon_name = has_failed ? "dialog-error-symbolic" : "text-x-generic-symbolic";
            status_page.title = Markup.escape_text (item?.name ?? _("No File Selected"));
            status_page.description = Markup.escape_text (describe (item));
            retry_button.visible = has_failed;
            stack.visible_child_name = "status";
        }

        private static string describe (Item? item) {
            if (item == null)
                return "";
            if (item.error != null)
                return item.error_message;
            if (item.state == State.FETCHING)
                return _("The preview follows");
            return ContentType.is_unknown (item.content_type)
                ? _("Unknown type")
                : ContentType.get_description (item.content_type);
        }

        private void show_image (Gdk.Texture texture) {
            picture.paintable = texture;
            picture.update_property (Gtk.AccessibleProperty.LABEL, item.name, -1);
            stack.visible_child_name = "image";
        }

        private void show_text (Bytes start) {
            var text = ((string) start.get_data ()).make_valid ((ssize_t) start.get_size ());
            text_view.buffer.text = start.get_size () < item.size ? text + "…" : text;
            stack.visible_child_name = "text";
        }

        // Decodes in a thread, where large images become smaller. A reader has a position of its own, and does not wait
        // for what else is done with the file.
        private static async Gdk.Texture load_texture (InputStream reader) throws Error {
            SourceFunc resume = load_texture.callback;
            Gdk.Texture? texture = null;
            Error? error = null;

            var thread = new Thread<void> ("preview", () => {
                try {
                    texture = decode (reader);
                } catch (Error e) {
                    error = e;
                }
                Idle.add ((owned) resume);
            });
            yield;
            thread.join ();

            if (error != null)
                throw error;
            return texture;
        }

        private static Gdk.Texture decode (InputStream reader) throws Error {
            var loader = new Gdk.PixbufLoader ();
            loader.size_prepared.connect ((width, height) => {
                var scale = double.min (1, (double) MAX_EDGE / int.max (width, height));
                loader.set_size (int.max (1, (int) (width * scale)), int.max (1, (int) (height * scale)));
            });
            try {
                Bytes bytes;
                while ((bytes = reader.read_bytes (1 << 16)).get_size () > 0)
                    loader.write_bytes (bytes);
            } catch (Error e) {
                try {
                    loader.close ();
                } catch {
                    // It complains of the same.
                }
                throw e;
            }
            loader.close ();
            return Gdk.Texture.for_pixbuf (loader.get_pixbuf ().apply_embedded_orientation ());
        }
    }
}
