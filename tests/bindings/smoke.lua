-- SPDX-FileCopyrightText: 2026 The tempfile-glib authors
-- SPDX-License-Identifier: LGPL-2.1-or-later

local lgi = require 'lgi'
local Gio, GLib = lgi.Gio, lgi.GLib
local Tf = lgi.require('Tf', '1')

local file = Tf.SpooledFile.new(10)
local rolled_over = 0
file.on_rolled_over = function () rolled_over = rolled_over + 1 end
assert(file:write('0123456789'))
assert(rolled_over == 0 and not file:is_rolled_over())
assert(file:write('!'))
assert(rolled_over == 1 and file:is_rolled_over())
assert(file:seek(0, 'SET'))
assert(file:read_bytes(100).data == '0123456789!')
assert(file:close())
local ok, problem = file:write('x')
assert(not ok and problem:matches(Gio.IOErrorEnum, 'CLOSED'))

local dir = assert(Tf.TempDir.new('lua-'))
local path = dir:get_path()
assert(GLib.file_set_contents(dir:get_child('x'):get_path(), 'x'))
assert(dir:cleanup())
assert(not GLib.file_test(path, { 'EXISTS' }))
