// SPDX-FileCopyrightText: 2026 The tempfile-glib authors
// SPDX-License-Identifier: CC0-1.0

// What the build defines.

[CCode (cheader_filename = "glib.h")]
namespace Config {
    [CCode (cname = "SCRATCH_ID")]
    public const string APP_ID;
    [CCode (cname = "SCRATCH_VERSION")]
    public const string VERSION;
    [CCode (cname = "GETTEXT_PACKAGE")]
    public const string GETTEXT_PACKAGE;
    [CCode (cname = "LOCALEDIR")]
    public const string LOCALEDIR;
}
