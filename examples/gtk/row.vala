// SPDX-FileCopyrightText: 2026 The tempfile-glib authors
// SPDX-License-Identifier: CC0-1.0

namespace Scratch {
    [GtkTemplate (ui = "/org/tempfile_glib/Scratch/row.ui")]
    class Row : Gtk.ListBoxRow {
        public Item item { get; construct; }

        // The button at its end was pressed while nothing was under way.
        public signal void removed ();

        [GtkChild]
        private unowned Gtk.Image icon;
        [GtkChild]
        private unowned Gtk.Label name_label;
        [GtkChild]
        private unowned Gtk.Label status_label;
        [GtkChild]
        private unowned Gtk.ProgressBar progress_bar;
        [GtkChild]
        private unowned Gtk.Button stop_button;

        public Row (Item item, uint grace_seconds) {
            Object (item: item);

            var drag = new Gtk.DragSource ();
            drag.prepare.connect (() => item.state == State.READY ? new ItemContent (item, grace_seconds) : null);
            drag.drag_begin.connect (() => drag.set_icon (new Gtk.WidgetPaintable (icon), 0, 0));
            add_controller (drag);

            item.notify.connect (refresh);
            refresh ();
        }

        private void refresh () {
            var tooltip = item.is_busy ? _("Cancel") : _("Remove");

            icon.gicon = ContentType.is_unknown (item.content_type)
                ? new ThemedIcon ("text-x-generic-symbolic")
                : ContentType.get_symbolic_icon (item.content_type);
            name_label.label = item.name;
            status_label.label = describe ();
            progress_bar.visible = item.is_busy;
            if (item.progress >= 0)
                progress_bar.fraction = item.progress;
            else if (item.is_busy)
                progress_bar.pulse ();
            if (stop_button.tooltip_text != tooltip) {
                stop_button.tooltip_text = tooltip;
                stop_button.update_property (Gtk.AccessibleProperty.LABEL, @"$tooltip “$(item.name)”", -1);
            }
            update_property (Gtk.AccessibleProperty.LABEL, item.name,
                             Gtk.AccessibleProperty.DESCRIPTION, status_label.label, -1);
        }

        private string describe () {
            switch (item.state) {
            case State.FAILED:
                return item.error != null ? item.error_reason : _("Waiting");
            case State.SAVING:
                return _("Saving…");
            case State.HANDING_OVER:
                return _("Handing over…");
            case State.FETCHING:
                // Translators: as in “3.2 MB of 1.1 GB · in memory”
                return item.total >= 0
                    ? _("%s of %s · %s").printf (format_size (item.size), format_size (item.total), describe_place ())
                    : _("%s · %s").printf (format_size (item.size), describe_place ());
            default:
                return _("%s · %s").printf (format_size (item.size), describe_place ());
            }
        }

        private string describe_place () {
            return item.rolled_over_at == null
                ? _("in memory")
                // Translators: the time at which a file was moved from memory to disk, as in “on disk since 14:05:09”
                : _("on disk since %s").printf (item.rolled_over_at.format ("%X"));
        }

        [GtkCallback]
        private void on_stop () {
            if (item.is_busy)
                item.cancel ();
            else
                removed ();
        }
    }
}
