// SPDX-FileCopyrightText: 2026 The tempfile-glib authors
// SPDX-License-Identifier: LGPL-2.1-or-later

// Searches the manual: symbols by their names in all languages, and guides by their words. It takes the place of the
// search of gi-docgen, which knows the names in C and the titles alone.

'use strict';

(() => {
    let loading;
    let prepared;

    // Names are compared without what differs between languages. build-manual.py writes words in the same way.
    function squash(text) {
        return text.toLowerCase().replace(/^[.,:;]+|[.,:;]+$/g, '').replace(/[\s_()-]/g, '');
    }

    // Words that say nothing of what is looked for. A query of nothing else is searched for them.
    const STOP_WORDS = new Set(('a an and are as at be by can do does for from how i if in into is it its me my no not of on or ' +
        'that the their there this to want what when where which who with you your').split(' '));

    // Returns the stem that a word has in common with its plural and with its forms in -ed and -ing, so that "saved" and
    // "saving" are found by "save". What is no word of English is compared as it is.
    function stem(word) {
        if (!/^[a-z]{4,}$/.test(word))
            return word;
        const singular = word
            .replace(/ies$/, 'y')
            .replace(/(ss|sh|ch|x|z)es$/, '$1')
            .replace(/([^su])s$/, '$1');
        const verb = singular.replace(/^(.*[aeiouy].*[^e])(?:ed|ing)$/, '$1');
        const bare = verb === singular ? verb : verb.replace(/([bdgmnprt])\1$/, '$1');
        return bare.length > 3 ? bare.replace(/e$/, '') : bare;
    }

    // A list of words, and of their stems, has a space at each side of each.
    function wordsOf(text) {
        const words = text.split(/\s+/).map(squash);
        return ` ${[...words, ...words.map(stem)].join(' ')} `;
    }

    function prepare(entry) {
        return {
            entry,
            names: entry.names.map(squash),
            title: wordsOf(entry.names.join(' ')),
            summary: wordsOf(entry.summary),
            words: wordsOf(entry.words),
        };
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
        if (words.includes(` ${word} `) || words.includes(` ${stem(word)} `))
            return 10;
        if (words.includes(` ${word}`))
            return 5;
        return word.length > 4 && words.includes(word) ? 3 : 0;
    }

    // 0 if the word is nowhere in the entry.
    function scoreWord(prepared, word) {
        return Math.max(
            ...prepared.names.map(name => scoreName(name, word)),
            4 * scoreWords(prepared.title, word),
            2 * scoreWords(prepared.summary, word),
            scoreWords(prepared.words, word));
    }

    function score(prepared, query) {
        const scores = query.map(word => scoreWord(prepared, word)).filter(each => each > 0);
        return {
            entry: prepared.entry,
            count: scores.length,
            score: prepared.entry.weight * scores.reduce((sum, each) => sum + each, 0),
        };
    }

    function queryOf(text) {
        const words = text.split(/\s+/).map(squash).filter(word => word !== '');
        const telling = words.filter(word => !STOP_WORDS.has(word));
        return telling.length > 0 ? telling : words;
    }

    // Returns the entries that have all words of the query, or else as many as any entry has; best first.
    function find(text) {
        const query = queryOf(text);
        prepared ??= window.searchIndex.map(prepare);
        const found = prepared.map(each => score(each, query)).filter(each => each.count > 0);
        const most = Math.max(...found.map(each => each.count));
        return found
            .filter(each => each.count === most)
            .sort((a, b) => b.score - a.score || a.entry.label.length - b.entry.label.length)
            .map(each => each.entry);
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
