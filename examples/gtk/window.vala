// SPDX-FileCopyrightText: 2026 The tempfile-glib authors
// SPDX-License-Identifier: CC0-1.0

namespace Scratch {
    [GtkTemplate (ui = "/org/tempfile_glib/Scratch/window.ui")]
    class Window : Adw.ApplicationWindow {
        private const ActionEntry[] ACTIONS = {
            { "open", show_open_dialog },
            { "fetch", show_fetch_popover },
            { "fetch-uri", on_fetch_uri, "s" },
            { "select", on_select, "i" },
            { "save-as", show_save_dialog },
            { "save-to", on_save_to, "s" },
            { "open-default", on_open_default },
            { "open-with", on_open_with, "s" },
            { "cancel", on_cancel },
            { "remove", on_remove },
            { "retry", on_retry },
            { "back", on_back },
            { "retry-on-disk", on_retry_on_disk },
            { "close-banner", on_close_banner },
        };

        private delegate void Retry ();

        [GtkChild]
        private unowned Adw.ToastOverlay toasts;
        [GtkChild]
        private unowned Gtk.Button back_button;
        [GtkChild]
        private unowned Gtk.MenuButton fetch_button;
        [GtkChild]
        private unowned Gtk.Entry uri_entry;
        [GtkChild]
        private unowned Gtk.Revealer banner;
        [GtkChild]
        private unowned Gtk.Label banner_label;
        [GtkChild]
        private unowned Gtk.Stack stack;
        [GtkChild]
        private unowned Adw.Leaflet leaflet;
        [GtkChild]
        private unowned Gtk.ListBox list;
        [GtkChild]
        private unowned Gtk.LevelBar memory_bar;
        [GtkChild]
        private unowned Gtk.Label memory_label;
        [GtkChild]
        private unowned Gtk.LevelBar disk_bar;
        [GtkChild]
        private unowned Gtk.Label disk_label;
        [GtkChild]
        private unowned Preview preview;
        [GtkChild]
        private unowned Gtk.MenuButton open_button;

        private ListStore items = new ListStore (typeof (Item));
        private Item? selected;
        private int64 free_space;
        private int64 free_space_time;
        private uint tick_id;
        private Retry? retry;
        private Gtk.NativeDialog? dialog;

        static construct {
            typeof (Preview).ensure ();
        }

        public Window (Application application) {
            Object (application: application);
        }

        construct {
            add_action_entries (ACTIONS, this);
            foreach (unowned var name in new string[] { "low", "high", "full" }) {
                memory_bar.remove_offset_value (name);
                disk_bar.remove_offset_value (name);
            }
            list.bind_model (items, object => create_row ((Item) object));

            var drop = new Gtk.DropTarget (typeof (Gdk.FileList), Gdk.DragAction.COPY);
            drop.accept.connect (drop => drop.drag == null && drop.formats.contain_gtype (typeof (Gdk.FileList)));
            drop.on_drop.connect (value => {
                foreach (unowned var file in ((Gdk.FileList) value.get_boxed ()).get_files ())
                    add_source (file);
                return true;
            });
            stack.add_controller (drop);

            refresh ();
        }

        public void add_source (File source) {
            var item = new Item (source, ((Application) application).session);
            item.notify["state"].connect (refresh);
            item.notify["rolled-over-at"].connect (refresh);
            item.handed_over.connect (((Application) application).hold_for);
            items.append (item);
            list.select_row (list.get_row_at_index ((int) items.get_n_items () - 1));
            fetch.begin (item);
        }

        protected override bool close_request () {
            for (uint i = 0; i < items.get_n_items (); i++)
                ((Item) items.get_item (i)).discard ();
            items.remove_all ();
            return base.close_request ();
        }

        private Gtk.Widget create_row (Item item) {
            var row = new Row (item, ((Application) application).grace_seconds);
            row.removed.connect (() => remove_item (item));
            return row;
        }

        // --- What is done with the files ---

        private async void fetch (Item item) {
            try {
                yield item.fetch ();
            } catch (IOError.CANCELLED e) {
                remove_item (item);
            } catch (IOError.NO_SPACE e) {
                show_full_disk (_("“%s” does not fit on the disk").printf (item.name), () => fetch.begin (item));
            } catch (Error e) {
                // Its row says so.
            }
        }

        private async void save (Item item, File destination) {
            try {
                yield item.save (destination);
                show_toast (_("Saved as “%s”").printf (destination.get_parse_name ()));
            } catch (IOError.CANCELLED e) {
                show_toast (_("Saving was cancelled"));
            } catch (IOError.NO_SPACE e) {
                show_full_disk (_("“%s” could not be saved: the disk is full").printf (item.name),
                                () => save.begin (item, destination));
            } catch (Error e) {
                show_failure (item, e);
            }
        }

        private async void open_with (Item item, AppInfo app) {
            try {
                var uris = new List<string> ();
                uris.append ((yield item.hand_over (((Application) application).grace_seconds)).get_uri ());
                yield app.launch_uris_async (uris, get_display ().get_app_launch_context ());
            } catch (IOError.CANCELLED e) {
            } catch (IOError.NO_SPACE e) {
                show_full_disk (_("“%s” could not be handed over: the disk is full").printf (item.name),
                                () => open_with.begin (item, app));
            } catch (Error e) {
                show_failure (item, e);
            }
        }

        private void remove_item (Item item) {
            uint position;
            item.discard ();
            if (!items.find (item, out position))
                return;

            items.remove (position);
            if (item == selected || selected == null)
                list.select_row (list.get_row_at_index (int.min ((int) position, (int) items.get_n_items () - 1)));
            refresh ();
        }

        // A full disk concerns all that follows, and can be changed: it stays in sight. The rest is about one file.
        private void show_full_disk (string text, owned Retry retry) {
            banner_label.label = text;
            this.retry = (owned) retry;
            banner.reveal_child = true;
        }

        // Translators: as in “Permission denied: letter.pdf”
        private void show_failure (Item item, Error error) {
            show_toast (_("%s: %s").printf (get_reason (error.message), item.name));
        }

        // --- Actions ---

        private void on_fetch_uri (SimpleAction action, Variant? uri) {
            add_source (File.new_for_uri (uri.get_string ()));
        }

        private void on_select (SimpleAction action, Variant? index) {
            list.select_row (list.get_row_at_index (index.get_int32 ()));
        }

        private void on_save_to (SimpleAction action, Variant? uri) {
            save.begin (selected, File.new_for_uri (uri.get_string ()));
        }

        private void on_open_default () {
            var app = AppInfo.get_default_for_type (selected.content_type, true);
            if (app != null && !is_other (app))
                app = find_app (null);
            hand_over_to (app);
        }

        private void on_open_with (SimpleAction action, Variant? id) {
            hand_over_to (find_app (id.get_string ()));
        }

        private AppInfo? find_app (string? id) {
            foreach (var app in list_apps (selected.content_type)) {
                if (id == null || app.get_id () == id)
                    return app;
            }
            return null;
        }

        // The application opens all types itself, and what it has is opened elsewhere.
        private static bool is_other (AppInfo app) {
            return app.get_id () != Config.APP_ID + ".desktop";
        }

        private static List<AppInfo> list_apps (string content_type) {
            var apps = new List<AppInfo> ();
            foreach (var app in AppInfo.get_recommended_for_type (content_type)) {
                if (is_other (app))
                    apps.append (app);
            }
            return apps;
        }

        private void hand_over_to (AppInfo? app) {
            if (app != null)
                open_with.begin (selected, app);
            else
                show_toast (_("No application opens files of this type"));
        }

        private void on_cancel () {
            selected.cancel ();
        }

        private void on_remove () {
            remove_item (selected);
        }

        private void on_retry () {
            fetch.begin (selected);
        }

        private void on_retry_on_disk () {
            var retry = (owned) this.retry;
            banner.reveal_child = false;
            retry ();
        }

        private void on_close_banner () {
            banner.reveal_child = false;
        }

        private void on_back () {
            leaflet.navigate (Adw.NavigationDirection.BACK);
        }

        // --- Dialogs ---

        private void show_open_dialog () {
            var chooser = new Gtk.FileChooserNative (null, this, Gtk.FileChooserAction.OPEN, null, null) {
                modal = true,
                select_multiple = true,
            };
            chooser.response.connect (response => {
                var files = chooser.get_files ();
                for (uint i = 0; response == Gtk.ResponseType.ACCEPT && i < files.get_n_items (); i++)
                    add_source ((File) files.get_item (i));
                dialog = null;
            });
            chooser.show ();
            dialog = chooser;
        }

        private void show_save_dialog () {
            var item = selected;
            var chooser = new Gtk.FileChooserNative (null, this, Gtk.FileChooserAction.SAVE, null, null) {
                modal = true,
            };
            chooser.set_current_name (item.name);
            chooser.response.connect (response => {
                if (response == Gtk.ResponseType.ACCEPT)
                    save.begin (item, chooser.get_file ());
                dialog = null;
            });
            chooser.show ();
            dialog = chooser;
        }

        private void show_fetch_popover () {
            fetch_button.popup ();
        }

        [GtkCallback]
        private void on_uri_entered () {
            var uri = uri_entry.text.strip ();
            fetch_button.popdown ();
            uri_entry.text = "";
            if (uri != "")
                add_source (File.new_for_uri (uri.contains ("://") ? uri : "https://" + uri));
        }

        // --- What is shown ---

        [GtkCallback]
        private void on_row_selected (Gtk.ListBoxRow? row) {
            selected = (row as Row)?.item;
            preview.show_item (selected);
            refresh ();
        }

        [GtkCallback]
        private void on_row_activated (Gtk.ListBoxRow row) {
            leaflet.navigate (Adw.NavigationDirection.FORWARD);
        }

        [GtkCallback]
        private void refresh () {
            var is_ready = selected?.state == State.READY;

            stack.visible_child_name = items.get_n_items () > 0 ? "files" : "empty";
            enable ("save-as", is_ready);
            enable ("save-to", is_ready);
            enable ("open-default", is_ready);
            enable ("open-with", is_ready);
            enable ("cancel", selected != null && selected.is_busy);
            enable ("remove", selected != null);
            enable ("retry", selected?.state == State.FAILED);
            back_button.visible = leaflet.folded && leaflet.get_adjacent_child (Adw.NavigationDirection.BACK) != null;
            enable ("back", back_button.visible);
            open_button.menu_model = is_ready ? create_open_menu (selected.content_type) : null;
            refresh_free_space.begin ();
            watch ();
        }

        private void show_toast (string text) {
            toasts.add_toast (new Adw.Toast (Markup.escape_text (text)));
        }

        private void enable (string name, bool is_enabled) {
            ((SimpleAction) lookup_action (name)).set_enabled (is_enabled);
        }

        private static MenuModel create_open_menu (string content_type) {
            var menu = new Menu ();
            foreach (var app in list_apps (content_type)) {
                var entry = new MenuItem (app.get_display_name (), null);
                entry.set_action_and_target_value ("win.open-with", app.get_id ());
                menu.append_item (entry);
            }
            if (menu.get_n_items () == 0)
                menu.append (_("No Application Found"), "win.none");
            return menu;
        }

        // Looks at all files once for each frame, as long as something is under way.
        private void watch () {
            if (tick_id == 0)
                tick_id = add_tick_callback (on_tick);
        }

        private bool on_tick () {
            bool is_busy = false;
            int64 in_memory = 0;
            int64 on_disk = 0;

            for (uint i = 0; i < items.get_n_items (); i++) {
                var item = (Item) items.get_item (i);
                item.update ();
                is_busy |= item.is_busy;
                if (item.rolled_over_at != null)
                    on_disk += item.size;
                else
                    in_memory += item.size;
            }
            show_level (memory_bar, memory_label, in_memory, BUDGET);
            show_level (disk_bar, disk_label, on_disk, on_disk + free_space);
            if (get_monotonic_time () - free_space_time > TimeSpan.SECOND)
                refresh_free_space.begin ();

            tick_id = is_busy ? tick_id : 0;
            return is_busy;
        }

        private static void show_level (Gtk.LevelBar bar, Gtk.Label label, int64 used, int64 all) {
            bar.value = all > 0 ? double.min (1, (double) used / all) : 1;
            label.label = _("%s of %s").printf (format_size (used), format_size (all));
        }

        private async void refresh_free_space () {
            free_space_time = get_monotonic_time ();
            try {
                var dir = File.new_for_path (yield get_dir ());
                var info = yield dir.query_filesystem_info_async (FileAttribute.FILESYSTEM_FREE);
                free_space = (int64) info.get_attribute_uint64 (FileAttribute.FILESYSTEM_FREE);
            } catch (Error e) {
                free_space = 0;
            }
        }
    }
}
