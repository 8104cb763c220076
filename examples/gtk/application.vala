// SPDX-FileCopyrightText: 2026 The tempfile-glib authors
// SPDX-License-Identifier: CC0-1.0

namespace Scratch {
    class Application : Adw.Application {
        // How long other programs have to open what they were handed.
        public int grace_seconds { get; private set; default = 60; }
        public Soup.Session session { get; private set; }

        private const ActionEntry[] ACTIONS = {
            { "about", show_about },
            { "quit", close_windows },
        };

        public Application () {
            Object (application_id: Config.APP_ID, resource_base_path: "/org/tempfile_glib/Scratch",
                    flags: ApplicationFlags.HANDLES_OPEN);
        }

        construct {
            OptionEntry grace = {
                "grace", 0, OptionFlags.NONE, OptionArg.INT, null,
                N_("How long files stay at least for the programs that open them"), N_("SECONDS")
            };
            add_main_option_entries ({ grace, {} });
            add_action_entries (ACTIONS, this);
            set_accels_for_action ("app.quit", { "<Control>q" });
            set_accels_for_action ("window.close", { "<Control>w" });
            set_accels_for_action ("win.open", { "<Control>o" });
            set_accels_for_action ("win.fetch", { "<Control>l" });
            set_accels_for_action ("win.save-as", { "<Control>s" });
            set_accels_for_action ("win.open-default", { "<Control>Return" });
            set_accels_for_action ("win.remove", { "Delete" });
            set_accels_for_action ("win.back", { "Escape" });
            for (int i = 1; i <= 9; i++)
                set_accels_for_action (@"win.select($(i - 1))", { @"<Alt>$i" });
        }

        protected override int handle_local_options (VariantDict options) {
            int seconds;
            if (options.lookup ("grace", "i", out seconds) && seconds >= 0)
                grace_seconds = seconds;
            return -1;
        }

        protected override void startup () {
            base.startup ();
            session = new Soup.Session () { user_agent = "Scratch/" + Config.VERSION };
            Tf.set_memory_budget (BUDGET);
            Tf.set_roll_over_on_low_memory (true);
            try {
                Tf.cleanup_on_signals ();
            } catch (Error e) {
                warning ("Cleaning up on signals: %s", e.message);
            }
            sweep.begin ();
        }

        protected override void activate () {
            get_window ().present ();
        }

        protected override void open (File[] files, string hint) {
            var window = get_window ();
            foreach (var file in files)
                window.add_source (file);
            window.present ();
        }

        // Without a window, the application stays until other programs are done with what they were handed.
        public void hold_for (Tf.TempDir dir) {
            hold ();
            Timeout.add_seconds (1, () => {
                if (dir.is_handed_over ())
                    return Source.CONTINUE;
                release ();
                return Source.REMOVE;
            });
        }

        private Window get_window () {
            return active_window as Window ?? new Window (this);
        }

        // What was killed before it could clean up
        private async void sweep () {
            try {
                yield Tf.sweep_async (PREFIX, null, 0, Priority.LOW, null, null);
            } catch (Error e) {
                warning ("Sweeping: %s", e.message);
            }
        }

        private void close_windows () {
            foreach (var window in get_windows ().copy_deep ((CopyFunc) Object.ref))
                window.close ();
        }

        private void show_about () {
            new Adw.AboutWindow () {
                application_icon = Config.APP_ID,
                application_name = _("Scratch"),
                comments = _("Files that leave nothing behind"),
                developer_name = _("The tempfile-glib authors"),
                license_type = Gtk.License.CUSTOM,
                license = "CC0-1.0",
                transient_for = active_window,
                translator_credits = _("translator-credits"),
                version = Config.VERSION,
            }.present ();
        }
    }

    int main (string[] args) {
        Intl.setlocale (LocaleCategory.ALL, "");
        Intl.bindtextdomain (Config.GETTEXT_PACKAGE, Config.LOCALEDIR);
        Intl.bind_textdomain_codeset (Config.GETTEXT_PACKAGE, "UTF-8");
        Intl.textdomain (Config.GETTEXT_PACKAGE);
        return new Application ().run (args);
    }
}
