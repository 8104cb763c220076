# SPDX-FileCopyrightText: 2026 The tempfile-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""A bar chart of one item, as SVG in the colours of GNOME's light and dark styles."""

from xml.sax.saxutils import escape

WIDTH, LABELS, NUMBERS, BAR, GAP = 760, 240, 90, 18, 6
# The classes of bars, by role
STYLE = '''<style>
text { font: 12px sans-serif; fill: #3d3846 }
.ours { fill: #3584e4 }
.limit { fill: #9a9996 }
.peer { fill: #c0bfbc }
@media (prefers-color-scheme: dark) {
  text { fill: #f6f5f4 }
  .ours { fill: #62a0ea }
  .limit { fill: #9a9996 }
  .peer { fill: #5e5c64 }
}
</style>'''

# REUSE-IgnoreStart
LICENCE = (
    '<!-- SPDX-FileCopyrightText: 2026 The tempfile-glib authors -->',
    '<!-- SPDX-License-Identifier: LGPL-2.1-or-later -->',
)
# REUSE-IgnoreEnd


def write(x, y, words, anchor='start', weight='normal'):
    return (f'<text x="{x}" y="{y}" text-anchor="{anchor}" font-weight="{weight}">{escape(words)}</text>')


def draw_case(case, unit, quantity, top):
    """The bars of one case, each as long as its median; the shapes, and where they end."""
    most = max(entry.median for entry in case.entries)
    room = WIDTH - LABELS - NUMBERS
    shapes = [write(0, top + 14, case.case.title, weight='bold')]
    y = top + 14 + GAP * 2
    for entry in case.entries:
        length = max(room * entry.median / most, 1)
        shapes.append(f'<rect x="{LABELS}" y="{y}" width="{length:.1f}" height="{BAR}" class="{entry.role}"/>')
        shapes.append(write(LABELS - 8, y + 13, entry.label, 'end', 'bold' if entry.role == 'ours' else 'normal'))
        shapes.append(write(LABELS + length + 6, y + 13, quantity(entry.median, unit)))
        y += BAR + GAP
    return shapes, y + GAP * 2


def draw(result, quantity):
    shapes, y = [], 0
    for case in result.cases:
        more, y = draw_case(case, result.item.unit, quantity, y)
        shapes += more
    return '\n'.join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y}" width="{WIDTH}" height="{y}" role="img">',
        *LICENCE,
        f'<title>{escape(result.item.title)}</title>',
        STYLE,
        *shapes,
        '</svg>',
    ]) + '\n'
