# SPDX-FileCopyrightText: 2026 The tempfile-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Generates the TypeScript definitions, checks programs with them, and runs the example.

Usage: check-types.py SOURCE_ROOT FOLDER GIR_FOLDER SYSTEM_GIR_FOLDER GJS
"""

import json
import pathlib
import shutil
import sys

import tools

root, folder, gir, system_gir = (pathlib.Path(arg) for arg in sys.argv[1:5])
gjs = sys.argv[5]
source = root / 'bindings/typescript'
modules, node = tools.install(source, folder)

for name in 'types', 'out':
    shutil.rmtree(folder / name, ignore_errors=True)
tools.run(node, modules / '@ts-for-gir/cli/bin/ts-for-gir', 'generate', 'Tf-1', '-g', gir, '-g', system_gir,
          '-o', folder / 'types', '--noPrettyPrint', cwd=folder)
tools.run(sys.executable, source / 'optional-arguments.py', folder / 'types/tf-1.d.ts')

definitions = [folder / 'types/index.d.ts', folder / 'types/tf-1.d.ts', source / 'tf-overrides.d.ts']
programs = [source / 'example.ts', root / 'tests/bindings/typescript/refused.ts']
config = {
    'extends': str(source / 'tsconfig.json'),
    'compilerOptions': {'rootDir': str(root), 'outDir': 'out'},
    'files': [str(path) for path in definitions + programs],
}
(folder / 'tsconfig.json').write_text(json.dumps(config))
tools.run(node, modules / 'typescript/bin/tsc', '-p', folder)

output = tools.run(gjs, '-m', folder / 'out/bindings/typescript/example.js').strip()
expected = 'line 0, 1690 and 1690 bytes, 200 lines, 1690 in chunks, rolled over at 1033'
if output != expected:
    sys.exit(f'the example printed {output!r}, not {expected!r}')
print(output)
