# SPDX-FileCopyrightText: 2026 The tempfile-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash

_tempfile_glib () {
  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} word=${COMP_WORDS[1]} options i

  if [ "$COMP_CWORD" = 1 ]; then
    mapfile -t COMPREPLY < <(compgen -W 'run sweep list --help --version' -- "$cur")
    return
  fi

  # Behind "--" or the first word that is no option, the command has its own completion.
  if [ "$word" = run ]; then
    for ((i = 2; i <= COMP_CWORD; i++)); do
      case ${COMP_WORDS[i]} in
        --) [ "$i" = "$COMP_CWORD" ] || { _tempfile_glib_command $((i + 1)); return; } ;;
        --dir | -d)
          [ "${COMP_WORDS[i + 1]}" != = ] || ((i++))
          ((i++))
          ;;
        -*) ;;
        *)
          _tempfile_glib_command "$i"
          return
          ;;
      esac
    done
  fi

  if [ "$cur" = = ]; then
    cur=
  elif [ "$prev" = = ]; then
    prev=${COMP_WORDS[COMP_CWORD - 2]}
  fi
  case $prev in
    --dir | -d)
      compopt -o filenames
      mapfile -t COMPREPLY < <(compgen -d -- "$cur")
      return
      ;;
    --prefix | -p | --min-age | -a) return ;;
  esac

  case $word in
    run) options='--dir --help' ;;
    sweep) options='--dry-run --dir --prefix --min-age --null --help' ;;
    list) options='--dir --help' ;;
    *) return ;;
  esac
  mapfile -t COMPREPLY < <(compgen -W "$options" -- "$cur")
}

# _tempfile_glib_command FIRST: completes the command that begins with this word.
_tempfile_glib_command () {
  if declare -F _command_offset >/dev/null; then
    _command_offset "$1"
  elif [ "$1" = "$COMP_CWORD" ]; then
    mapfile -t COMPREPLY < <(compgen -c -- "${COMP_WORDS[COMP_CWORD]}")
  else
    compopt -o default
    COMPREPLY=()
  fi
}

complete -F _tempfile_glib tempfile-glib
