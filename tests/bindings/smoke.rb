# SPDX-FileCopyrightText: 2026 The tempfile-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

require "gobject-introspection"
require "gio2"

module Tf
  GObjectIntrospection::Loader.load("Tf", self)
end

def check(condition)
  raise "failed" unless condition
end

file = Tf::SpooledFile.new(10)
rolled_over = 0
file.signal_connect("rolled-over") { rolled_over += 1 }
file.write("0123456789".bytes)
check(rolled_over == 0 && !file.rolled_over?)
file.write("!".bytes)
check(rolled_over == 1 && file.rolled_over?)
file.seek(0, 1) # GLib.SeekType.SET
check(file.read_bytes(100).to_s == "0123456789!")
file.close
begin
  file.write("x".bytes)
  check(false)
rescue Gio::IOError::Closed
end

dir = Tf::TempDir.new("ruby-", nil, nil, nil)
File.write(File.join(dir.path, "x"), "x")
dir.cleanup
check(!File.exist?(dir.path))
