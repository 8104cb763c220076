#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The tempfile-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Makes the manual: runs gi-docgen, with guides in front of the reference and examples in four languages.

Usage: build-manual.py GI_DOCGEN CONFIG GIR OUTPUT

What gi-docgen reads is copied first, with the language written above each example and without what only the tests of
the examples need. What it writes is completed then: the guides on the front page and beside each other, the names of
each symbol in other languages, the index of search.js, and manual.css and manual.js, which make tabs of examples that
follow each other. All of it can be read without scripts.
"""

import html
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass

from names import NONE, OR, read_names

LANGUAGES = {'c': 'C', 'py': 'Python', 'js': 'JavaScript', 'vala': 'Vala'}
SOURCE = pathlib.Path(__file__).parent
ADDED = ['manual.css', 'manual.js', 'search.js']

FENCE = re.compile(r'^```(\w*)\n(.*?)^```$', re.DOTALL | re.MULTILINE)
HIDDEN = re.compile(r'^<!-- (?:before|after) \w+\n.*?^-->\n', re.DOTALL | re.MULTILINE)
TABLE = re.compile(r'<table>\s*<thead>.*?</table>', re.DOTALL)
COMMENT = re.compile(r'<!--.*?-->\s*', re.DOTALL)


@dataclass
class Guide:
    """A page that is written by hand."""

    name: str
    title: str
    group: str
    summary: str
    languages: list

    @property
    def page(self):
        return self.name.replace('.md', '.html')


def read_guide(path):
    text = path.read_text(encoding='utf-8')
    header = dict(re.findall(r'^(\w+): (.*)$', text.split('\n\n')[0], re.MULTILINE))
    return Guide(path.name, header['Title'], header['Group'], header['Summary'], header.get('Languages', ' '.join(LANGUAGES)).split())


def label(match):
    """Writes the language above an example."""
    name = LANGUAGES.get(match.group(1))
    return f'<p class="language">{name}</p>\n\n{match.group()}' if name else match.group()


def copy_sources(config, gir, folder):
    names = re.findall(r'"([^"]*\.(?:md|svg))"', config.read_text(encoding='utf-8'))
    for name in names:
        if name.endswith('.svg'):
            shutil.copy(SOURCE / name, folder / name)
        elif name != 'names.md':
            text = (SOURCE / name).read_text(encoding='utf-8')
            (folder / name).write_text(FENCE.sub(label, HIDDEN.sub('', text)), encoding='utf-8')
    text = gir.read_text(encoding='utf-8')
    text = FENCE.sub(lambda match: html.escape(label(match).replace(match.group(), ''), quote=False) + match.group(), text)
    (folder / gir.name).write_text(text, encoding='utf-8')
    return [name for name in names if name.endswith('.md')]


# --- Names in other languages ----------------------------------------------------------------------

NAMES_HEAD = '''Title: Names in other languages
Slug: names
Group: Reference
Summary: What each symbol is called in C, Python, JavaScript and Vala

# Names in other languages

`Tf.TempFile.read()` stands for the method `read()` of an object of `Tf.TempFile`; what creates an object is called on the
class itself. Functions whose name ends with `_finish` are not needed where an asynchronous call is awaited. What saves a
copy or a check in C alone has no name elsewhere, and the table says what to use there. In Python, the names of `tempfile`
exist as well. The pages for [Python](from-python.html) and [JavaScript](javascript.html) have
what is only there. The arguments in Vala, with their defaults, are in the VAPI, of which
[Getting started](getting-started.html) makes a manual.

| C | Python | JavaScript | Vala |
| --- | --- | --- | --- |
'''


def shown(name, key, code):
    """What the name is in a language, or what to use there if there is none."""
    text = name.of_languages()[key]
    if text != NONE:
        return OR.join(map(code, text.split(OR)))
    other = name.instead.get(key)
    if other is None:
        return NONE
    return f'{NONE}, use {code(other)}' if other.endswith('()') else f'{NONE}, {other}'


def names_page(names):
    def code(text):
        return f'`{text}`'
    rows = [f'| [`{name.c}`]({name.page}) | {" | ".join(shown(name, key, code) for key in ("py", "js", "vala"))} |\n'
            for name in names]
    return NAMES_HEAD + ''.join(rows)


def names_of_page(names):
    """Returns the names as a table for the page of one symbol, the first of those on it."""
    def code(text):
        return f'<code>{html.escape(text)}</code>'
    cells = ''.join(f'<tr><th scope="row">{language}</th><td>{shown(names[0], key, code)}</td></tr>'
                    for key, language in LANGUAGES.items())
    return f'<div class="names"><table>{cells}</table></div>'


def name_links(text, names, languages):
    """Gives links to symbols their names in other languages, for manual.js; on a page in one language, the name in that."""
    by_link = {(name.page, name.c): name for name in names}

    def complete(match):
        name = by_link.get((match.group(1), html.unescape(match.group(2))))
        if name is None:
            return match.group()
        known = {key: html.escape(value.split(OR)[0]) for key, value in name.of_languages().items() if value != NONE}
        if len(languages) == 1:
            return f'<a href="{match.group(1)}"><code>{known.get(languages[0], match.group(2))}</code></a>'
        data = ''.join(f' data-{key}="{value}"' for key, value in known.items())
        return f'<a href="{match.group(1)}"><code{data}>{match.group(2)}</code></a>'
    return re.sub(r'<a href="([\w.:-]+\.html)"><code>([^<]*)</code></a>', complete, text)


# --- Completing pages --------------------------------------------------------------------------------

def list_guides(guides):
    groups = {}
    for guide in guides:
        groups.setdefault(guide.group, []).append(guide)
    return groups


def front(guides):
    parts = ['<section id="guides"><h2>Guides</h2>']
    for group, members in list_guides(guides).items():
        items = ''.join(f'<li><a href="{guide.page}">{html.escape(guide.title)}</a>'
                        f'<span class="summary">{html.escape(guide.summary)}</span></li>' for guide in members)
        parts.append(f'<h4>{html.escape(group)}</h4><ul class="guides">{items}</ul>')
    return ''.join(parts) + '</section>'


def link_to(guide, current):
    is_current = ' class="current"' if guide.page == current else ''
    return f'<a{is_current} href="{guide.page}">{html.escape(guide.title)}</a>'


def sidebar(guides, current):
    parts = []
    for group, members in list_guides(guides).items():
        links = ''.join(link_to(guide, current) for guide in members)
        parts.append(f'<div class="section"><h5>{html.escape(group)}</h5><div class="links">{links}</div></div>')
    return ''.join(parts)


def label_cells(match):
    """Says in each cell of a table of text which column it is in, for narrow windows."""
    if 'text-align: right' in match.group():
        return match.group()
    heads = [re.sub(r'<[^>]*>', '', head) for head in re.findall(r'<th\b[^>]*>(.*?)</th>', match.group(), re.DOTALL)]

    def label_row(row):
        labels = iter(heads)
        return re.sub(r'<td\b', lambda _: f'<td data-label="{next(labels)}"', row.group())
    return re.sub(r'<tr>.*?</tr>', label_row, match.group(), flags=re.DOTALL).replace('<table>', '<table class="stacked">')


def complete_page(path, guides, names):
    text = COMMENT.sub('', path.read_text(encoding='utf-8'))
    pages = [guide.page for guide in guides]
    text = text.replace('<link rel="stylesheet" href="style.css" type="text/css" />',
                        '<link rel="stylesheet" href="style.css" type="text/css" />\n'
                        '  <link rel="stylesheet" href="manual.css" type="text/css" />')
    text = text.replace('<script src="fzy.js"></script>', '')
    text = text.replace('</head>', '  <script src="manual.js"></script>\n</head>', 1)
    text = text.replace('<nav class="sidebar devhelp-hidden">',
                        '<div class="menu devhelp-hidden"><a href="#menu" aria-controls="menu">Menu</a></div>\n'
                        '<nav id="menu" class="sidebar devhelp-hidden">')
    text = text.replace('<h3><a href="index.html">Tf</a></h3>', '<h3><a href="index.html">tempfile-glib</a></h3>')
    # Guides have their titles, which newer versions of gi-docgen write as well.
    text = re.sub(r'<h4 id="title".*?</h4>', '', text, flags=re.DOTALL)
    text = TABLE.sub(label_cells, text)
    if path.name == 'index.html':
        text = re.sub(r'<tr><td><em>\w+</em></td><td><a href="" class="external"></a></td></tr>\s*', '', text)
        text = re.sub(r'<h3>Namespace</h3>\s*<h1>.*?</h1>', '<h1>tempfile-glib</h1>', text, count=1)
        text = text.replace('</header>', '</header>' + front(guides), 1)
    if path.name == 'index.html':
        text = re.sub(r'(?=<div class="section">\s*<h5>Sections</h5>)', lambda _: sidebar(guides, path.name), text, count=1)
    elif path.name in pages:
        text = text.replace('<div class="section generator">', sidebar(guides, path.name) + '<div class="section generator">')
    else:
        link = '<div class="section"><div class="links"><a href="index.html#guides">Guides</a></div></div>'
        text = text.replace('<div class="section generator">', link + '<div class="section generator">')
    own = [name for name in names if name.page == path.name]
    if own and '</header>' in text:
        text = text.replace('</header>', names_of_page(own) + '</header>', 1)
    if path.name != 'names.html':
        languages = next((guide.languages for guide in guides if guide.page == path.name), LANGUAGES)
        text = name_links(text, names, languages)
    path.write_text(text, encoding='utf-8')


# --- Searching ---------------------------------------------------------------------------------------

PREFIXES = {'bitfield': 'flags', 'constant': 'const', 'function': 'func', 'function_macro': 'func'}
WEIGHTS_OF_PAGES = {'how-do-i.html': 2, 'performance.html': 0.5, 'removal.html': 0.5}
WEIGHTS_OF_GROUPS = {'Start': 1.5, 'Guides': 1.5, 'Coming from': 0.5, 'Migrations': 0.5}
HEADING = re.compile(r'<h([23]) id="([^"]*)">(.*?)<a class="md-anchor".*?</h\1>', re.DOTALL)


def text_of(page):
    """What is read on a page or on a part of one."""
    text = re.sub(r'</?(?:a|code|em|span|strong)\b[^>]*>', '', page)
    return html.unescape(re.sub(r'<[^>]*>', ' ', text))


def words_of(page):
    """The words of a page, each once, as search.js compares them."""
    words = {re.sub(r'[_-]', '', word.strip('.-')).lower() for word in re.findall(r'[\w.-]+', text_of(page))}
    return ' '.join(sorted(words - {''}))


def summaries_of_symbols(index):
    """What gi-docgen tells of each page of a symbol."""
    summaries = {}
    for symbol in index['symbols']:
        parts = [PREFIXES.get(symbol['type'], symbol['type']), symbol.get('type_name'), symbol['name'], 'html']
        summary = re.split(r'\s+C\s+```', symbol.get('summary') or '')[0]
        summary = re.sub(r'\[\w+@(?:Tf\.)?([\w.:-]+)\]|`|@(?=\w)', r'\1', summary)
        summaries['.'.join(filter(None, parts))] = summary
    return summaries


def weight_of(guide):
    """How much a guide counts in a search: one that answers a question counts more than one that compares or tells why."""
    return WEIGHTS_OF_PAGES.get(guide.page) or WEIGHTS_OF_GROUPS.get(guide.group, 1)


def entries_of_guide(guide, page):
    """An entry for the guide, and one for each section."""
    first, *rest = HEADING.split(page)
    weight = weight_of(guide)
    yield {'label': guide.title, 'names': [guide.title, guide.page], 'href': guide.page, 'summary': guide.summary,
           'words': words_of(first), 'weight': weight}
    for _, anchor, heading, content in zip(*4 * [iter(rest)]):
        heading = text_of(heading).strip()
        yield {'label': f'{guide.title}: {heading}', 'names': [heading], 'href': f'{guide.page}#{anchor}', 'summary': '',
               'words': words_of(content), 'weight': weight}


def entries_of_symbols(names, contents, summaries):
    seen = set()
    for name in names:
        others = [other for text in name.of_languages().values() if text != NONE for other in text.split(OR)]
        is_first = name.page not in seen
        seen.add(name.page)
        yield {'label': name.c, 'names': sorted(set(others)), 'href': name.page,
               'summary': summaries.get(name.page, '') if is_first else '',
               'words': words_of(contents[name.page]) if is_first else '', 'weight': 1}


def write_index(output, guides, names):
    """Writes what search.js searches. A page that is opened as a file may not fetch it, so that it is a script."""
    contents = {path.name: re.sub(r'^.*?<section id="main"|<div id="toc".*', '', path.read_text(encoding='utf-8'),
                                  flags=re.DOTALL)
                for path in output.glob('*.html')}
    path = output / 'index.json'
    summaries = summaries_of_symbols(json.loads(path.read_text(encoding='utf-8')))
    entries = list(entries_of_symbols(names, contents, summaries))
    for guide in guides:
        entries += entries_of_guide(guide, contents[guide.page])
    (output / 'index.js').write_text(f'window.searchIndex = {json.dumps(entries, ensure_ascii=False)};\n', encoding='utf-8')
    path.unlink()
    (output / 'fzy.js').unlink(missing_ok=True)


def main():
    gi_docgen, config, gir, output = sys.argv[1], *map(pathlib.Path, sys.argv[2:])
    names = read_names(gir)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        pages = copy_sources(config, gir, folder)
        (folder / 'names.md').write_text(names_page(names), encoding='utf-8')
        guides = [read_guide(folder / page) for page in pages]
        shutil.rmtree(output, ignore_errors=True)
        subprocess.run([gi_docgen, 'generate', '--quiet', '--fatal-warnings', '--no-namespace-dir', '--config', config,
                        '--content-dir', folder, '--output-dir', output, folder / gir.name], check=True)
    for path in output.glob('*.html'):
        complete_page(path, guides, names)
    write_index(output, guides, names)
    for name in ADDED:
        shutil.copy(SOURCE / name, output / name)


main()
