// SPDX-FileCopyrightText: 2026 The tempfile-glib authors
// SPDX-License-Identifier: LGPL-2.1-or-later

// Makes tabs of examples that follow each other, and remembers the language.

'use strict';

(() => {
    const KEY = 'tempfile-glib-language';
    const KEYS = {C: 'c', Python: 'py', JavaScript: 'js', Vala: 'vala'};
    let groups = [];

    // Devhelp, and files in some browsers, have no storage.
    function remember(language) {
        try {
            localStorage.setItem(KEY, language);
        } catch {
        }
    }

    function recall() {
        try {
            return localStorage.getItem(KEY) ?? 'C';
        } catch {
            return 'C';
        }
    }

    // The examples that begin with the one of this label: each is a label with the code that follows it.
    function collect(label) {
        const examples = [];
        for (let next = label; next?.matches('p.language'); next = next.nextElementSibling) {
            const code = next.nextElementSibling;
            examples.push({label: next, code, language: next.textContent});
            next = code;
        }
        return examples;
    }

    function makeTab(example, group) {
        const tab = document.createElement('button');
        tab.type = 'button';
        tab.textContent = example.language;
        tab.setAttribute('role', 'tab');
        tab.addEventListener('click', () => {
            const top = tab.getBoundingClientRect().top;
            remember(example.language);
            choose(example.language);
            // Examples above may have become longer or shorter.
            window.scrollBy(0, tab.getBoundingClientRect().top - top);
        });
        tab.addEventListener('keydown', event => {
            const step = {ArrowLeft: -1, ArrowRight: 1}[event.key];
            const next = group.examples[group.examples.indexOf(example) + step];
            if (next) {
                next.tab.click();
                next.tab.focus();
            }
        });
        return tab;
    }

    function makeGroup(examples, number) {
        const group = {examples};
        const bar = document.createElement('div');
        bar.className = 'tabs';
        bar.setAttribute('role', 'tablist');
        bar.setAttribute('aria-label', 'Language');
        for (const example of examples) {
            example.tab = makeTab(example, group);
            example.tab.id = `tab-${number}-${KEYS[example.language]}`;
            example.code.id = `example-${number}-${KEYS[example.language]}`;
            example.tab.setAttribute('aria-controls', example.code.id);
            example.code.setAttribute('role', 'tabpanel');
            example.code.setAttribute('aria-labelledby', example.tab.id);
            example.label.hidden = true;
            bar.append(example.tab);
        }
        examples[0].label.before(bar);
        return group;
    }

    function choose(language) {
        for (const {examples} of groups) {
            const chosen = examples.find(example => example.language === language) ?? examples[0];
            for (const example of examples) {
                example.code.hidden = example !== chosen;
                example.tab.setAttribute('aria-selected', example === chosen);
                example.tab.tabIndex = example === chosen ? 0 : -1;
            }
        }
        for (const name of document.querySelectorAll('code[data-c]'))
            name.textContent = name.dataset[KEYS[language]] ?? name.dataset.c;
    }

    window.addEventListener('DOMContentLoaded', () => {
        const labels = [...document.querySelectorAll('p.language')];
        const seen = new Set();

        for (const label of labels) {
            if (seen.has(label))
                continue;
            const examples = collect(label);
            examples.forEach(example => seen.add(example.label));
            if (examples.length > 1)
                groups.push(makeGroup(examples, groups.length + 1));
        }
        choose(recall());
    });

    // The menu is shown while it is the target of the link to it.
    function showMenuState() {
        document.querySelector('.menu a')?.setAttribute('aria-expanded', location.hash === '#menu');
    }

    window.addEventListener('DOMContentLoaded', showMenuState);
    window.addEventListener('hashchange', showMenuState);
    window.addEventListener('click', event => {
        if (event.target.closest?.('.menu a') && location.hash === '#menu') {
            event.preventDefault();
            location.hash = '#main';
        }
    });
})();
