// SPDX-FileCopyrightText: 2026 The tempfile-glib authors
// SPDX-License-Identifier: LGPL-2.1-or-later

// Checks that the search of the manual finds what people look for, among the first that it shows.
//
// Usage: check-search.js FOLDER_OF_MANUAL

import Gio from 'gi://Gio';
import System from 'system';

const FIRST = 5;

// What is looked for, and where it is
const WANTED = {
    'persist': 'method.TempFile.persist.html',
    'tf_temp_file_persist': 'method.TempFile.persist.html',
    'NamedTemporaryFile': 'class.NamedFile.html',
    'Tf.NamedFile': 'class.NamedFile.html',
    'gettempdir': 'func.get_temp_dir.html',
    'Tf.PersistFlags.UNIQUE': 'flags.PersistFlags.html',
    'holdForSubprocess': 'method.NamedFile.hold_for_subprocess.html',
    'rolled-over': 'signal.SpooledFile.rolled-over.html',
    'readText': 'javascript.html#reading-and-writing',
    'writeLines()': 'javascript.html#reading-and-writing',
    'TMPDIR': 'overview.html#where-temporary-things-go',
    'TF_DEBUG': 'debugging.html',
    'O_TMPFILE': 'file-systems.html#what-falls-back-to-what',
    'libsoup': 'downloading.html',
    'CLOSE_SOURCE': 'downloading.html',
    'QSaveFile': 'saving.html#beside-other-ways',
    'drag and drop': 'handing-over.html',
    'atomic save': 'saving.html',
    'save': 'saving.html',
    'saved': 'saving.html',
    'how to save a document': 'saving.html',
    'descriptors': 'handing-over.html#a-descriptor',
    'SIGKILL': 'lifetime.html#after-sigkill',
    'persist zebra': 'method.TempFile.persist.html',
    'how do I': 'how-do-i.html',
};

// What is asked in other words, and the answer in how-do-i.html
const ASKED = {
    'download to memory': 'download-something-and-save-it-when-all-is-there',
    'pass file to subprocess': 'give-a-file-to-a-subprocess',
    'crash safe save': 'replace-a-document-so-that-nobody-sees-half-of-it',
    'atomic save': 'replace-a-document-so-that-nobody-sees-half-of-it',
    'outlive program': 'open-an-image-in-the-viewer-of-the-user',
    'external sort': 'keep-many-sorted-runs-and-merge-them',
    'sealed memfd': 'share-memory-that-the-other-process-cannot-change',
    'memfd': 'share-memory-that-the-other-process-cannot-change',
    'take_fd': 'share-memory-that-the-other-process-cannot-change',
    'pass descriptor to child': 'share-memory-that-the-other-process-cannot-change',
    'read-only memory': 'share-memory-that-the-other-process-cannot-change',
    'cleanup crashed': 'remove-what-earlier-runs-have-left',
    'leftovers': 'remove-what-earlier-runs-have-left',
    'cleanup at start': 'remove-what-earlier-runs-have-left',
};

// What nothing has. Letters far from each other are no name.
const NOWHERE = ['tpfl', 'zebra', 'the zebra'];

function load(folder, name) {
    const [, text] = Gio.File.new_for_path(folder).get_child(name).load_contents(null);
    new Function('window', new TextDecoder().decode(text))(globalThis);
}

const problems = [];
for (const name of ['index.js', 'search.js'])
    load(System.programArgs[0], name);
const asked = Object.entries(ASKED).map(([query, anchor]) => [query, `how-do-i.html#${anchor}`]);
for (const [query, page] of [...Object.entries(WANTED), ...asked]) {
    const found = globalThis.findInManual(query).map(entry => entry.href).slice(0, FIRST);
    if (!found.includes(page) && !found.some(href => href.startsWith(`${page}#`)))
        problems.push(`${query}: not ${page}, but ${found.join(', ') || 'nothing'}`);
}
for (const query of NOWHERE) {
    if (globalThis.findInManual(query).length > 0)
        problems.push(`${query}: ${globalThis.findInManual(query).map(entry => entry.href).join(', ')}`);
}
print(problems.join('\n'));
System.exit(problems.length > 0 ? 1 : 0);
