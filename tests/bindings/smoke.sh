#!/bin/sh
# SPDX-FileCopyrightText: 2026 The tempfile-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# smoke.sh SCRIPT: runs the script; 77 when no interpreter has the binding for GObject Introspection.

set -eu

case $1 in
  *.lua) interpreters='lua5.4 lua5.3 lua5.1 luajit' probe='require "lgi"' ;;
  *.pl) interpreters=perl probe='use Glib::Object::Introspection;' ;;
  *.rb) interpreters=ruby probe='require "gio2"' ;;
esac

# Loading ruby-gio2 4.2.2 frees something twice with many of the values that meson picks.
export MALLOC_PERTURB_=0

for interpreter in $interpreters; do
  status=0
  "$interpreter" -e "$probe" 2>/dev/null || status=$?
  if [ "$status" = 0 ]; then
    exec "$interpreter" "$1"
  elif [ "$status" -ge 128 ]; then
    echo "$interpreter ended with $status: $probe"
    exit 1
  fi
done

echo "skipped: not installed for any of $interpreters: $probe"
exit 77
