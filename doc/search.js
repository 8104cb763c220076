// SPDX-FileCopyrightText: 2026 The tempfile-glib authors
// SPDX-License-Identifier: LGPL-2.1-or-later

// Searches the manual: symbols by their names in all languages, and guides by their words. It takes the place of the
// search of gi-docgen, which knows the names in C and the titles alone.

'use strict';

(() => {
    let loading;

    // Names are compared without what differs between languages. build-manual.py writes words in the same way.
    function squash(text) {
        return text.toLowerCase().replace(/^[.,:;]+|[.,:;]+$/g, '').replace(/[\s_()-]/g, '');
    }

    // A list of words has a space at each side of each.
    function wordsOf(text) {
        return ` ${text.split(/\s+/).map(squash).join(' ')} `;
    }

    function scoreName(name, word) {
        if (name === word)
            return 100;
        if (name.endsWith(`.${word}`))
            return 90;
        if (name.startsWith(word))
            return 60;
        return word.length > 3 && name.includes(word) ? 40 : 0;
    }

    function scoreWords(words, word) {
        if (words.includes(` ${word} `))
            return 10;
        if (words.includes(` ${word}`))
            return 5;
        return word.length > 4 && words.includes(word) ? 3 : 0;
    }

    // 0 if a word of the query is nowhere in the entry.
    function score(entry, query) {
        const scores = query.map(word => Math.max(
            ...entry.names.map(name => scoreName(squash(name), word)),
            2 * scoreWords(wordsOf(entry.summary), word),
            scoreWords(` ${entry.words} `, word)));
        return scores.includes(0) ? 0 : scores.reduce((sum, each) => sum + each, 0);
    }

    // Returns the entries that have all words of the query, best first.
    function find(text) {
        const query = text.split(/\s+/).map(squash).filter(word => word !== '');
        if (query.length === 0)
            return [];
        return window.searchIndex
            .map(entry => ({entry, score: score(entry, query)}))
            .filter(found => found.score > 0)
            .sort((a, b) => b.score - a.score || a.entry.label.length - b.entry.label.length)
            .map(found => found.entry);
    }

    function makeRow(entry) {
        const row = document.createElement('tr');
        const link = document.createElement('a');
        link.href = entry.href;
        link.textContent = entry.label;
        row.insertCell().append(link);
        row.insertCell().textContent = entry.summary;
        row.cells[0].className = 'result';
        return row;
    }

    function show(text, entries) {
        const section = document.querySelector('#search');
        const heading = document.createElement('h1');
        const table = document.createElement('table');
        heading.textContent = entries.length === 0 ? `Nothing has “${text}”` : `“${text}” (${entries.length})`;
        table.className = 'results';
        table.append(...entries.map(makeRow));
        section.replaceChildren(heading, table);
    }

    // What is found stands in place of the page, and of the links of the menu in a narrow window.
    function toggle(isSearching) {
        document.body.classList.toggle('searching', isSearching);
        document.querySelector('#search').classList.toggle('hidden', !isSearching);
        for (const part of document.querySelectorAll('#main, #toc'))
            part.classList.toggle('hidden', isSearching);
    }

    // The index is large, and not needed on most pages. One that is opened as a file can load nothing but scripts.
    function loadIndex() {
        loading ??= new Promise((resolve, reject) => {
            const script = document.createElement('script');
            script.src = 'index.js';
            script.addEventListener('load', resolve);
            script.addEventListener('error', () => {
                loading = undefined; // the next search tries again
                reject(new Error('The index of the manual cannot be loaded'));
            });
            document.head.append(script);
        });
        return loading;
    }

    async function search(input) {
        const text = input.value;
        await loadIndex();
        if (text !== input.value)
            return [];
        const entries = find(text);
        const url = new URL(location.href);
        url.search = text.trim() === '' ? '' : `?q=${encodeURIComponent(text)}`;
        history.replaceState(null, '', url);
        toggle(text.trim() !== '');
        show(text, entries);
        window.scroll({top: 0});
        return entries;
    }

    // main.js calls this when the page is there.
    window.onInitSearch = () => {
        const input = document.querySelector('#search-input');
        const text = new URLSearchParams(location.search).get('q');

        input.addEventListener('input', () => search(input));
        document.querySelector('#search-form').addEventListener('submit', async event => {
            event.preventDefault();
            const entries = await search(input);
            if (entries.length === 1)
                location.href = entries[0].href;
        });
        if (text) {
            input.value = text;
            search(input);
        }
    };
    window.findInManual = find;
})();
