#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The tempfile-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Makes a test program of the C examples in the documentation comments of the classes.

Usage: extract-examples.py OUTPUT SOURCE...
Each example is the body of "static gboolean example (GError **error)". A class without one is an error.
"""

import pathlib
import re
import sys

HEAD = '''#include <tempfile-glib.h>

#include "tf-test.h"

typedef gboolean (*Example) (GError **error);

static void
run_example (gconstpointer data)
{
  const Example *example = data;
  GError *error = NULL;
  gboolean success = (*example) (&error);

  g_assert_no_error (error);
  g_assert_true (success);
}
'''

FUNCTION = '''
static gboolean
example_{name} (GError **error)
{{
#line {line} "{path}"
{body}
}}

static const Example {name} = example_{name};
'''

MAIN = '''
int
main (int    argc,
      char **argv)
{{
  tf_test_init (&argc, &argv);
{calls}
  return tf_test_run ();
}}
'''


def examples_of(path):
    text = path.read_text(encoding='utf-8')
    for comment in re.finditer(r'/\*\*\n \* (Tf\w+):\n.*?\*/', text, re.DOTALL):
        name = comment.group(1)
        if f'G_DEFINE_ENUM_TYPE ({name},' in text:
            continue
        blocks = list(re.finditer(r'^ \* ```c\n(.*?)^ \* ```$', comment.group(), re.DOTALL | re.MULTILINE))
        if not blocks:
            sys.exit(f'{path}: no example of {name}')
        for number, block in enumerate(blocks):
            body = re.sub(r'^ \* ?', '  ', block.group(1), flags=re.MULTILINE)
            line = text[:comment.start() + block.start(1)].count('\n') + 1
            yield FUNCTION.format(name=f'{name}_{number}', line=line, path=path, body=body.rstrip()), f'{name}_{number}'


def main():
    output, *sources = sys.argv[1:]
    found = [example for source in sources for example in examples_of(pathlib.Path(source))]
    if not found:
        sys.exit('no examples')
    calls = ''.join(f'  g_test_add_data_func ("/doc-examples/{name}", &{name}, run_example);\n' for _, name in found)
    pathlib.Path(output).write_text(HEAD + ''.join(code for code, _ in found) + MAIN.format(calls=calls),
                                    encoding='utf-8')


main()
