#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The tempfile-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Makes a test program of the examples in the documentation: in the comments of the classes, and in the guides.

Usage: extract-examples.py [--gtk] OUTPUT SOURCE...
The suffix of OUTPUT is the language: c, py, js or vala. SOURCE is a file of C or of Markdown. What uses GTK is left out
without --gtk.

An example is the body of a function that can fail, in C one with "GError **error", in JavaScript and Vala an asynchronous
one; what it defines at its left margin stands before that function. A main() is called. What a reader does not need is in
a comment "<!-- before LANGUAGE" or "<!-- after LANGUAGE", beside the example.

Examples that follow each other say the same in all languages; a guide that is about some of them has them in its header,
as "Languages: c py", and examples that are have "<!-- only c py -->" before them. An example in no language is an error,
and so is a guide without an example in each language, unless it is in EXCEPTIONS.
"""

import json
import pathlib
import re
import sys
from dataclasses import dataclass

LANGUAGES = ['c', 'py', 'js', 'vala']
OTHERS = ['ini', 'json', 'meson', 'sh', 'text', 'xml']

# Guides without an example in each language, and why
EXCEPTIONS = {
    'from-python.md': 'It is for those who write Python.',
    'javascript.md': 'It is about what JavaScript alone has.',
    'migrate-directory-class.md': 'The program that it changes is in C.',
    'migrate-download.md': 'The program that it changes is in JavaScript.',
    'migrate-program-directory.md': 'The program that it changes is in C.',
    'packaging.md': 'It is about building. Its files are read by other tests.',
    'removal.md': 'It is written by tests/removal/compare.py.',
}


@dataclass
class Code:
    line: int
    text: str


@dataclass
class Example:
    path: pathlib.Path
    name: str
    language: str
    parts: list


def fail(path, line, message):
    sys.exit(f'{path}:{line}: {message}')


# --- Reading -------------------------------------------------------------------------------------

FENCE = re.compile(r'^```(\w*)\n(.*?)^```$', re.DOTALL | re.MULTILINE)
HIDDEN = re.compile(r'^<!-- (before|after) (\w+)\n(.*?)^-->$', re.DOTALL | re.MULTILINE)
ONLY = re.compile(r'^<!-- only ([\w ]+) -->$', re.MULTILINE)
EITHER = re.compile(f'{FENCE.pattern}|{HIDDEN.pattern}|{ONLY.pattern}', re.DOTALL | re.MULTILINE)


def check_group(path, line, group, languages):
    programs = [language for language in group if language not in OTHERS]
    if programs and programs != languages:
        fail(path, line, f'examples in {programs}, expected {languages}')


def examples_of_text(path, name, text, first_line, languages):
    """Returns the examples of a text, with the groups that they stand in checked."""
    examples, group, group_line, end = [], [], first_line, 0
    before, last, only = {}, {}, None

    for match in EITHER.finditer(text):
        line = first_line + text[:match.start()].count('\n')
        is_hidden = match.group(3) is not None
        if text[end:match.start()].strip() or not group:
            check_group(path, group_line, group, only or languages)
            group, group_line, only = [], line, only if not group else None
        end = match.end()
        if match.group(6) is not None:
            only = match.group(6).split()
            continue
        language = match.group(4) if is_hidden else match.group(1)
        code = Code(line + 1, match.group(5) if is_hidden else match.group(2))
        if language not in LANGUAGES + OTHERS:
            fail(path, line, f'an example in no language: {language!r}')

        if match.group(3) == 'before':
            before[language] = code
        elif is_hidden:
            last[language].parts.append(code)
        else:
            group.append(language)
            if language in LANGUAGES:
                number = sum(example.language == language for example in examples)
                parts = [before.pop(language), code] if language in before else [code]
                last[language] = Example(path, f'{name}_{number}', language, parts)
                examples.append(last[language])
    check_group(path, group_line, group, only or languages)
    if before:
        fail(path, first_line, f'nothing follows what is before {list(before)}')
    return examples


def examples_of_guide(path):
    text = path.read_text(encoding='utf-8')
    header = re.search(r'^Languages: (.*)$', text, re.MULTILINE)
    languages = header.group(1).split() if header else LANGUAGES
    examples = examples_of_text(path, path.stem.replace('-', '_'), text, 1, languages)
    missing = [language for language in LANGUAGES if language not in {example.language for example in examples}]
    if missing and path.name not in EXCEPTIONS:
        fail(path, 1, f'no example in {missing}')
    return examples


def examples_of_source(path):
    text = path.read_text(encoding='utf-8')
    for comment in re.finditer(r'/\*\*\n \* (Tf\w+):\n.*?\*/', text, re.DOTALL):
        name = comment.group(1)
        if f'G_DEFINE_ENUM_TYPE ({name},' in text:
            continue
        line = text[:comment.start()].count('\n') + 1
        content = re.sub(r'^ \* ?', '', comment.group(), flags=re.MULTILINE)
        examples = examples_of_text(path, name, content, line, LANGUAGES)
        if not examples:
            fail(path, line, f'no example of {name}')
        yield from examples


# --- C -------------------------------------------------------------------------------------------

C_HEAD = '''#include <tempfile-glib.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <glib/gstdio.h>
#include <gio/gfiledescriptorbased.h>
#include <gio/gunixfdlist.h>

#include "tf-test.h"

typedef gboolean (*Example) (GError **error);

static void
run_example (gconstpointer data)
{
  const Example *example = data;
  g_autofree char *sandbox = g_get_current_dir ();
  g_autoptr(TfTempDir) dir = NULL;
  GError *error = NULL;
  gboolean success;

  dir = tf_temp_dir_new (NULL, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpint (g_chdir (tf_temp_dir_get_path (dir)), ==, 0);
  success = (*example) (&error);
  g_assert_no_error (error);
  g_assert_true (success);
  g_assert_cmpint (g_chdir (sandbox), ==, 0);
}
'''

C_FUNCTION = '''
{defines}
{scope}
static gboolean
example_{name} (GError **error)
{{
{body}
  return TRUE;
}}
{undefines}

static const Example {name} = example_{name};
'''

C_MAIN = '''
int
main (int    argc,
      char **argv)
{{
  tf_test_init (&argc, &argv);
{start}{calls}
  return tf_test_run ();
}}
'''

C_SCOPE = re.compile(
    r'^(?:#.*'
    r'|(?:[a-z][\w *]*|G_DEFINE_.*)\n(?:\w+) \(.*?^}'
    r'|typedef struct\n{.*?^} \w+;'
    r'|(?:static|typedef) [^\n]*;)\n', re.DOTALL | re.MULTILINE)


def split(pattern, part):
    """Separates what stands at the left margin from the body."""
    scope = [Code(part.line + part.text[:match.start()].count('\n'), match.group())
             for match in pattern.finditer(part.text)]
    body = pattern.sub(lambda match: '\n' * match.group().count('\n'), part.text)
    return scope, Code(part.line, body)


def c_code(path, code, indent=''):
    text = re.sub(r'^(?=.)', indent, code.text.rstrip(), flags=re.MULTILINE)
    return f'#line {code.line} "{path}"\n{text}' if text.strip() else ''


def c_function(example):
    pieces = [split(C_SCOPE, part) for part in example.parts]
    scope = [code for codes, _ in pieces for code in codes]
    names = {name for code in scope for name in re.findall(r'^(\w+) \(.*?^}|^} (\w+);', code.text, re.DOTALL | re.MULTILINE)}
    names = sorted({first or second for first, second in names})
    body = '\n'.join(c_code(example.path, code, '  ') for _, code in pieces)
    if 'main' in names:
        body += '\n  char *argv[] = { (char *) "program", NULL };\n  g_assert_cmpint (main (1, argv), ==, 0);'
    return C_FUNCTION.format(
        name=example.name, body=body,
        scope='\n'.join(c_code(example.path, code) for code in scope),
        defines='\n'.join(f'#define {name} {example.name}_{name}' for name in names),
        undefines='\n'.join(f'#undef {name}' for name in names))


def write_c(examples):
    calls = ''.join(f'  g_test_add_data_func ("/examples/{example.name}", &{example.name}, run_example);\n'
                    for example in examples)
    # Guides start workers and subprocesses, for which GLib opens descriptors.
    start = '  tf_test_ignore_fds ();\n' if any(example.path.suffix == '.md' for example in examples) else ''
    gtk = '#include <gtk/gtk.h>\n' if any(map(uses_gtk, examples)) else ''
    return gtk + C_HEAD + ''.join(map(c_function, examples)) + C_MAIN.format(start=start, calls=calls)


# --- Vala ----------------------------------------------------------------------------------------

VALA_HEAD = '''void enter (out Tf.TempDir dir) throws Error {
    dir = new Tf.TempDir ();
    Environment.set_variable ("EXAMPLES_HOME", Environment.get_current_dir (), false);
    assert (FileUtils.test (dir.path, FileTest.IS_DIR));
    Posix.chdir (dir.path);
}

void leave (Tf.TempDir dir) throws Error {
    Posix.chdir (Environment.get_variable ("EXAMPLES_HOME"));
    dir.cleanup ();
}
'''

VALA_EXAMPLE = '''
namespace {name} {{
{scope}
async void example () throws Error {{
{body}
}}
}}
'''

VALA_CALL = '''    try {{
        Tf.TempDir dir;
        enter (out dir);
        yield {name}.example ();
        leave (dir);
        stdout.printf ("ok {number} - {name}\\n");
    }} catch (Error error) {{
        stdout.printf ("not ok {number} - {name}\\n# %s\\n", error.message);
    }}
'''

VALA_MAIN = '''
async void run () {{
    stdout.printf ("1..{number}\\n");
{calls}
}}

int main () {{
    var loop = new MainLoop ();
    run.begin (() => loop.quit ());
    loop.run ();
    return 0;
}}
'''

VALA_SCOPE = re.compile(
    r'^(?:(?:(?:public|private|static|async|abstract) )*(?:class \w+(?: : [\w., ]+)?|[\w.]+[?\[\]]* \w+ \([^{}]*\)(?: throws [\w., ]+)?) '
    r'\{\n.*?^\}|const [^\n]*;|delegate [^\n]*;)\n', re.DOTALL | re.MULTILINE)


def vala_example(example):
    pieces = [split(VALA_SCOPE, part) for part in example.parts]
    scope = '\n'.join(code.text for codes, _ in pieces for code in codes)
    body = '\n'.join(code.text.strip('\n') for _, code in pieces)
    if re.search(r'^int main \(string\[\] args\)', scope, re.MULTILINE):
        scope = scope.replace('int main (', 'int program (')
        body += '\nassert (program ({"program"}) == 0);'
    elif re.search(r'^int main \(\)', scope, re.MULTILINE):
        scope = scope.replace('int main (', 'int program (')
        body += '\nassert (program () == 0);'
    return VALA_EXAMPLE.format(name=vala_name(example), scope=scope, body=body)


def vala_name(example):
    return 'Example_' + example.name


def write_vala(examples):
    calls = [VALA_CALL.format(name=vala_name(example), number=number) for number, example in enumerate(examples, 1)]
    return VALA_HEAD + ''.join(map(vala_example, examples)) + \
        VALA_MAIN.format(number=len(examples), calls=''.join(calls))


# --- Python --------------------------------------------------------------------------------------

PYTHON = '''import asyncio
import os
import pathlib
import subprocess
import sys
import traceback

import gi

gi.require_version('Tf', '1')

from gi.repository import Gio, GLib, GObject, Tf

EXAMPLES = {examples!r}

home = os.getcwd()
print(f'1..{{len(EXAMPLES)}}', flush=True)
for number, (name, path, code) in enumerate(EXAMPLES, 1):
    names = dict(__name__='__main__', asyncio=asyncio, os=os, pathlib=pathlib, subprocess=subprocess, sys=sys,
                 Gio=Gio, GLib=GLib, GObject=GObject, Tf=Tf)
    with Tf.TempDir() as dir:
        os.chdir(dir)
        try:
            exec(compile(code, path, 'exec'), names)
            result = 'ok'
        except BaseException:
            print('# ' + traceback.format_exc().replace('\\n', '\\n# '))
            result = 'not ok'
        os.chdir(home)
    print(f'{{result}} {{number}} - {{name}}', flush=True)
'''


def write_python(examples):
    def code(example):
        text = ''
        for part in example.parts:
            text += '\n' * (part.line - 1 - text.count('\n')) + part.text
        return text
    return PYTHON.format(examples=[(example.name, str(example.path), code(example)) for example in examples])


# --- JavaScript ----------------------------------------------------------------------------------

JAVASCRIPT_IMPORTS = [
    "import Gio from 'gi://Gio';",
    "import GLib from 'gi://GLib';",
    "import GObject from 'gi://GObject';",
    "import Tf from 'gi://Tf?version=1';",
    "import System from 'system';",
]

JAVASCRIPT = '''
function assert(condition, what = 'an assertion') {{
    if (!condition)
        throw new Error(`Not so: ${{what}}`);
}}

const EXAMPLES = {{
{functions}
}};

async function run() {{
    const home = GLib.get_current_dir();
    let number = 0;
    print(`1..${{Object.keys(EXAMPLES).length}}`);
    for (const [name, example] of Object.entries(EXAMPLES)) {{
        const dir = new Tf.TempDir();
        GLib.chdir(dir.get_path());
        let result = 'ok';
        try {{
            await example();
        }} catch (error) {{
            print(`# ${{error}}\\n${{error.stack}}`.replaceAll('\\n', '\\n# '));
            result = 'not ok';
        }}
        GLib.chdir(home);
        dir.cleanup();
        print(`${{result}} ${{++number}} - ${{name}}`);
    }}
}}

const loop = new GLib.MainLoop(null, false);
run().catch(logError).finally(() => loop.quit());
loop.run();
'''


def write_javascript(examples):
    imports = list(JAVASCRIPT_IMPORTS)
    functions = []
    for example in examples:
        text = '\n'.join(part.text for part in example.parts)
        for line in re.findall(r'^import .*$', text, re.MULTILINE):
            if line not in imports:
                imports.append(line)
        text = re.sub(r'^import .*\n', '', text, flags=re.MULTILINE)
        functions.append(f'    {json.dumps(example.name)}: async () => {{\n// {example.path}:{example.parts[-1].line}\n{text}}},\n')
    return '\n'.join(imports) + JAVASCRIPT.format(functions=''.join(functions))


def uses_gtk(example):
    return any(re.search(r'\bg[dt]k_|\bG[dt]k\.', part.text) for part in example.parts)


WRITERS = {'.c': write_c, '.js': write_javascript, '.py': write_python, '.vala': write_vala}


def main():
    arguments = sys.argv[1:]
    with_gtk = arguments[0] == '--gtk'
    output, *sources = map(pathlib.Path, arguments[with_gtk:])
    examples = []
    for source in sources:
        examples += examples_of_guide(source) if source.suffix == '.md' else examples_of_source(source)
    examples = [example for example in examples
                if f'.{example.language}' == output.suffix and (with_gtk or not uses_gtk(example))]
    if not examples:
        sys.exit('no examples')
    output.write_text(WRITERS[output.suffix](examples), encoding='utf-8')


main()
