# SPDX-FileCopyrightText: 2026 The tempfile-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

use strict;
use warnings;

use Glib::Object::Introspection;

Glib::Object::Introspection->setup(basename => 'GLib', version => '2.0', package => 'GLib');
Glib::Object::Introspection->setup(basename => 'Gio', version => '2.0', package => 'Gio');
Glib::Object::Introspection->setup(basename => 'Tf', version => '1', package => 'Tf');

my $file = Tf::SpooledFile->new(10);
my $rolled_over = 0;
$file->signal_connect('rolled-over' => sub { $rolled_over++ });
$file->write([unpack 'C*', '0123456789'], undef);
die 'too early' if $rolled_over || $file->is_rolled_over;
$file->write([unpack 'C*', '!'], undef);
die 'not rolled over' unless $rolled_over == 1 && $file->is_rolled_over;
$file->seek(0, 'set', undef);
my $bytes = $file->read_bytes(100, undef)->get_data;
$bytes = pack 'C*', @$bytes if ref $bytes;
die "read $bytes" unless $bytes eq '0123456789!';
$file->close(undef);
eval { $file->write([120], undef) };
die 'no error' unless ref $@ && $@->matches('Gio::IOErrorEnum', 'closed');

my $dir = Tf::TempDir->new('perl-', undef, undef, undef);
my $path = $dir->get_path;
open my $x, '>', "$path/x" or die $!;
close $x;
$dir->cleanup(undef);
die "$path is still there" if -e $path;
