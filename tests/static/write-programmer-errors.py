#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The tempfile-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Writes a test program that calls each public function with each argument that it has to refuse, and cancelled.

Usage: write-programmer-errors.py OUTPUT HEADER... -- SOURCE...

What is to be refused follows from the prototypes in the headers and the annotations in the sources: NULL and an object of
another class for an object, another object for a cancellable, an error that is set, and NULL for every pointer that is
not annotated as nullable or, for a result, as optional; the result of another call or of another object, and numbers that
mean nothing. The call prints a critical message that names the argument, and returns nothing.

A call with a cancellable that is cancelled returns something or an error, and the same if nobody asks for the error.
"""

import pathlib
import re
import sys

HEAD = '''#include <tempfile-glib.h>

#include "tf-test-async.h"
#include "tf-test.h"
#include "tf-test-programmer-errors.h"
'''

FUNCTION = '''
static void
{name}_{number} (void)
{{
{declarations}
  tf_test_expect_refusal ("{pattern}");
  {call};
  g_test_assert_expected_messages ();
{checks}}}
'''

CANCELLED = '''
static gboolean
{name}_succeeds (GError **error)
{{
{body}
}}

static void
{name}_cancelled (void)
{{
  g_autoptr(GError) error = NULL;
  gboolean succeeds = {name}_succeeds (&error);

  g_assert_true (succeeds == (error == NULL));
  g_assert_true ({name}_succeeds (NULL) == succeeds);
}}
'''

SYNC = '  return {call}{success};'

ASYNC = '''  g_autoptr(GAsyncResult) result = NULL;

  {begin};
  return {call}{success};'''

MAIN = '''
int
main (int    argc,
      char **argv)
{{
  tf_test_init_async (&argc, &argv);
{calls}
  return tf_test_run ();
}}
'''

PROTOTYPE = re.compile(r'TF_AVAILABLE_IN_1_0\n([^;]*?)(\w+)\s*\(([^;]*?)\)\s*(?:G_GNUC_\w+(?: \([^)]*\))?\s*)*;')
# Arguments that are valid, where 0 is not.
VALID = {
    'pid': 'getpid ()',
    'max_size': '1',
    'length': '1',
    'first_element': '"name"',
    'elements': '(gpointer) tf_test_place',
    'n_stop_bytes': '1',
}
# Numbers that mean nothing, by type and name
REFUSED = {
    ('guint', 'mode'): '01000',
    ('GPid', 'pid'): '0',
    ('gint64', 'max_size'): '-2',
    ('gssize', 'length'): '-2',
    ('gsize', 'n_stop_bytes'): '0',
    ('TfNewline', 'newline'): '(TfNewline) 99',
    ('TfTextErrors', 'errors'): '(TfTextErrors) 99',
    ('TfPersistFlags', 'flags'): '(TfPersistFlags) (1u << 30)',
}
# Hot calls, in which an error that is set is not looked for
HOT = {'tf_temp_file_read', 'tf_temp_file_write'}


def documentation_of(sources):
    """Returns the annotations of the parameters of all functions, by the functions' names."""
    documented = {}
    for source in sources:
        for comment in re.finditer(r'/\*\*\n \* (\w+): *(?:\([^\n]*\))*\n(.*?)\*/', source, re.DOTALL):
            text = comment.group(2)
            documented[comment.group(1)] = dict(re.findall(r'^ \* @(\w+): *((?:\([^)]*\) *)*)', text, re.MULTILINE))
    return documented


def parameters_of(text):
    for parameter in text.split(','):
        match = re.fullmatch(r'\s*(.*?)(\w+)\s*', parameter, re.DOTALL)
        if match and match.group(1):
            yield ' '.join(match.group(1).split()).replace(' *', '*').replace('* ', '*'), match.group(2)


def valid_value(kind, name):
    if name in VALID and not (kind.endswith('*') and VALID[name] == '1'):
        return VALID[name]
    if re.fullmatch(r'Tf\w+\*', kind):
        return f'tf_test_get_object ({type_macro(kind)})'
    if kind == 'GFile*':
        return 'tf_test_get_file ()'
    if kind == 'GBytes*':
        return 'tf_test_get_bytes ()'
    if kind in ('GError**', 'GCancellable*', 'gpointer', 'GAsyncReadyCallback') or name == 'callback':
        return 'NULL'
    if kind.endswith('*') and not kind.startswith('const char'):
        return '(gpointer) tf_test_place'
    if kind in ('const char*', 'const char**'):
        return '"name"'
    return '0'


def type_macro(kind):
    return 'TF_TYPE' + re.sub(r'([A-Z])', r'_\1', kind.rstrip('*')[2:]).upper()


def refusals_of(function, parameters, annotations):
    """Yields (place, value, pattern): an argument that is refused, and how its message looks."""
    for place, (kind, name) in enumerate(parameters):
        note = annotations.get(name, '')
        if kind == 'GCancellable*':
            yield place, '(GCancellable *) tf_test_get_stranger ()', '*G_IS_CANCELLABLE (cancellable)*'
        elif kind == 'GError**':
            if function not in HOT:
                yield place, '&set', '*error == NULL || *error == NULL*'
        elif kind == 'GAsyncResult*':
            yield place, 'NULL', f'*{name}*'
            own_tag = function.replace('_finish', '_async')
            source = valid_value(*parameters[0]) if place > 0 else 'NULL'
            # A constructor looks at the object in the result first.
            pattern = f'*{name}*' if place > 0 else '*assertion*'
            yield place, f'tf_test_get_result (tf_test_get_stranger (), {own_tag})', pattern
            yield place, f'tf_test_get_result ({source}, tf_test_place)', pattern
        elif (kind, name) in REFUSED:
            yield place, REFUSED[kind, name], f'*{name}*'
        elif re.fullmatch(r'Tf\w+\*', kind) and '(nullable)' not in note:
            yield place, 'NULL', f'*{name}*'
            yield place, f'({kind}) tf_test_get_stranger ()', f'*{name}*'
        elif kind.endswith('*') and not ('(optional)' in note or '(nullable)' in note and '(out' not in note):
            yield place, 'NULL', f'*{name}*'


def tests_of(result, name, parameters, annotations):
    for number, (place, value, pattern) in enumerate(refusals_of(name, parameters, annotations)):
        arguments = [valid_value(*parameter) for parameter in parameters]
        if name.endswith('_finish'):
            at = [kind for kind, _ in parameters].index('GAsyncResult*')
            source = arguments[0] if at > 0 else 'NULL'
            arguments[at] = f'tf_test_get_result ({source}, {name.replace("_finish", "_async")})'
        arguments[place] = value
        # Of an array that is not there
        if value == 'NULL' and parameters[place + 1:] and re.fullmatch('gsize|gssize|guint', parameters[place + 1][0]):
            arguments[place + 1] = '1'
        declarations, checks, call = '', '', f'{name} ({", ".join(arguments)})'
        if value == '&set':
            declarations = '  g_autoptr(GError) set = g_error_new_literal (G_IO_ERROR, G_IO_ERROR_FAILED, "set before");\n'
            checks += '  g_assert_error (set, G_IO_ERROR, G_IO_ERROR_FAILED);\n'
        if result == 'gboolean':
            call = f'g_assert_false ({call})'
        elif result.endswith('*'):
            call = f'g_assert_null ({call})'
        elif result in ('int', 'gssize', 'goffset', 'gint64'):
            call = f'g_assert_cmpint ({call}, <=, 0)'
        elif result != 'void':
            call = f'(void) {call}'
        yield f'{name}_{number}', FUNCTION.format(name=name, number=number, declarations=declarations, pattern=pattern,
                                                 call=call, checks=checks)


def call_of(name, parameters, values):
    arguments = [values.get(kind) or values.get(parameter) or valid_value(kind, parameter) for kind, parameter in parameters]
    return f'{name} ({", ".join(arguments)})'


def cancelled_of(name, functions):
    """Returns the test of a call that is cancelled, or None where it cannot be."""
    result, parameters = functions[name]
    values = {'GCancellable*': 'tf_test_get_cancelled ()', 'GError**': 'error', 'GAsyncReadyCallback': 'tf_test_take_result',
              'user_data': '&result', 'GAsyncResult*': 'tf_test_wait (&result)'}
    if 'GCancellable*' not in [kind for kind, _ in parameters]:
        return None
    begin, finish = call_of(name, parameters, values), name.replace('_async', '_finish')
    if finish != name:
        result, parameters = functions[finish]
    success = ' != NULL' if result.endswith('*') else ' >= 0' if result != 'gboolean' else ''
    template = SYNC if finish == name else ASYNC
    body = template.format(begin=begin, call=call_of(finish, parameters, values), success=success)
    return CANCELLED.format(name=name, body=body)


def main():
    output, *files = sys.argv[1:]
    headers, sources = files[:files.index('--')], files[files.index('--') + 1:]
    documented = documentation_of([pathlib.Path(source).read_text() for source in sources])
    functions, tests = {}, {}
    for header in headers:
        for prototype in PROTOTYPE.finditer(pathlib.Path(header).read_text()):
            result = ' '.join(prototype.group(1).split()).replace(' *', '*')
            name = prototype.group(2)
            if '...' not in prototype.group(3):
                functions[name] = result, list(parameters_of(prototype.group(3)))
    for name, (result, parameters) in functions.items():
        tests.update(tests_of(result, name, parameters, documented.get(name, {})))
        cancelled = cancelled_of(name, functions)
        if cancelled:
            tests[f'{name}_cancelled'] = cancelled
    calls = ''.join(f'  g_test_add_func ("/programmer-errors/{name.replace("_", "-")}", {name});\n' for name in tests)
    pathlib.Path(output).write_text(HEAD + ''.join(tests.values()) + MAIN.format(calls=calls))


if __name__ == '__main__':
    main()
