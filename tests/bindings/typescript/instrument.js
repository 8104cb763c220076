// SPDX-FileCopyrightText: 2026 The tempfile-glib authors
// SPDX-License-Identifier: LGPL-2.1-or-later

// For node. instrument.js instrument MODULES SOURCE TARGET: writes a copy that counts in __coverage__.
// instrument.js report MODULES COUNTS: tells the lines that were not reached; 1 if there are some.

const fs = require('node:fs');
const path = require('node:path');

const [word, modules, ...files] = process.argv.slice(2);
const load = name => require(path.join(modules, name));

if (word === 'instrument') {
    const instrumenter = load('istanbul-lib-instrument').createInstrumenter({compact: false, esModules: false});
    const [source, target] = files;
    fs.writeFileSync(target, instrumenter.instrumentSync(fs.readFileSync(source, 'utf8'), source));
} else {
    const map = load('istanbul-lib-coverage').createCoverageMap(JSON.parse(fs.readFileSync(files[0], 'utf8')));
    const names = map.files();
    let failed = names.length !== 1;
    for (const name of names) {
        const coverage = map.fileCoverageFor(name);
        const {covered, total} = coverage.toSummary().lines;
        const missing = coverage.getUncoveredLines();
        console.log(`${covered} of ${total} lines, missing: ${missing.join(', ') || 'none'}`);
        failed ||= missing.length > 0 || total === 0;
    }
    process.exit(failed ? 1 : 0);
}
