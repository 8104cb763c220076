#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The tempfile-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Checks the pages of the manual: where links lead, and what build-manual.py has completed.

Usage: check-manual.py FOLDER_OF_MANUAL
"""

import html
import pathlib
import re
import sys

CODE = re.compile(r'<pre>.*?</pre>|<code\b.*?</code>', re.DOTALL)
TABLE = re.compile(r'<table class="stacked">.*?</table>', re.DOTALL)
CELL = re.compile(r'<td\b([^>]*)>')
RAW_LINK = re.compile(r'\[\w+@\w+[^\]]*\]')


def problems_of_links(name, text, anchors):
    for link in re.findall(r'<a\b[^>]* href="([^"]*)"', text):
        page, _, anchor = html.unescape(link).partition('#')
        if re.match(r'https?:|javascript:', page) or not link:
            continue
        page = page or name
        if page not in anchors:
            yield f'{link} leads to no page'
        elif anchor and anchor not in anchors[page]:
            yield f'{link} leads to no place on that page'


def problems_of_page(name, text, anchors):
    yield from problems_of_links(name, text, anchors)
    for found in RAW_LINK.findall(CODE.sub('', text)):
        yield f'{found} is no link'
    if '<a href="#menu"' not in text or '<h3><a href="index.html">tempfile-glib</a></h3>' not in text:
        yield 'no menu, or one with another title'
    if len(re.findall(r'<h[14] id="title"|<h1\b', text)) > 1:
        yield 'two titles'
    for table in TABLE.findall(text):
        if not all('data-label=' in cell for cell in CELL.findall(table)):
            yield 'a cell without the head of its column'


def problems_of_languages(pages):
    """A page in one language has the names of that, and one in all of them has those of each."""
    for name, text in ('from-python.html', '>Tf.TempFile.persist()<'), ('javascript.html', '>Tf.TextStream<'), \
            ('saving.html', 'data-py="Tf.TempFile.persist()"'):
        if text not in pages[name] or ('data-py' in pages[name]) != ('data-py' in text):
            yield f'{name}: names of another language'


def main():
    pages = {path.name: path.read_text(encoding='utf-8') for path in pathlib.Path(sys.argv[1]).glob('*.html')}
    anchors = {name: set(re.findall(r'\bid="([^"]*)"', text)) for name, text in pages.items()}
    problems = [f'{name}: {problem}' for name, text in sorted(pages.items())
                for problem in problems_of_page(name, text, anchors)]
    problems += problems_of_languages(pages)
    print('\n'.join(problems))
    sys.exit(1 if problems or 'index.html' not in pages else 0)


main()
