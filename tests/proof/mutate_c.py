# SPDX-FileCopyrightText: 2026 The tempfile-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Finds the places of a C source in which one small change is a plausible mistake."""

import collections
import re

TOKEN = re.compile(r'''
    (?P<space>\s+ | /\*.*?\*/ | //[^\n]*)
  | (?P<directive>(?<=\n)\#(?:[^\n\\]|\\.)*)
  | (?P<text>"(?:[^"\\\n]|\\.)*" | '(?:[^'\\\n]|\\.)*')
  | (?P<number>(?:0[xX][0-9a-fA-F]+|\d+)(?:\.\d+)?[uUlL]*)
  | (?P<name>[A-Za-z_]\w*)
  | (?P<operator><<=|>>=|\.\.\.|->|\+\+|--|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%&|^]=|.)
''', re.VERBOSE | re.DOTALL)

KEYWORDS = {'if', 'for', 'while', 'switch', 'return', 'sizeof', 'do', 'else', 'case', 'default', 'goto', 'typedef', 'struct',
            '__typeof__', 'static', 'const', 'extern', 'union', 'enum'}
# They tell the compiler or the reader something.
NOT_CALLS = KEYWORDS | {'G_STATIC_ASSERT', 'G_STMT_START', 'g_autoptr', 'g_auto', 'g_autolist', 'tf_autofd', 'g_assert',
                        'va_start', 'va_end', 'G_DEFINE_AUTOPTR_CLEANUP_FUNC'}
OPENING = {'(': ')', '[': ']', '{': '}'}
ASSIGNMENTS = {'=', '+=', '-=', '*=', '/=', '%=', '|=', '&=', '^=', '<<=', '>>='}
COMPARISONS = {'<': '<=', '<=': '<', '>': '>=', '>=': '>', '==': '!=', '!=': '=='}
ARITHMETIC = {'+': '-', '-': '+', '+=': '-=', '-=': '+=', '++': '--', '--': '++', '*': '/', '/': '*', '%': '*', '<<': '>>',
              '>>': '<<', '&': '|'}

Token = collections.namedtuple('Token', 'kind text start end')
Change = collections.namedtuple('Change', 'kind start end text')


class Mutant:
    """A change of a source. Its name says what is changed, and stays the same when other lines change."""

    def __init__(self, path, function, source, change, seen):
        self.path = path
        self.kind = change.kind
        self.first_line = source.count('\n', 0, change.start) + 1
        self.last_line = source.count('\n', 0, max(change.start, change.end - 1)) + 1
        self.change = change
        self.original = source
        begin = source.rfind('\n', 0, change.start) + 1
        end = source.find('\n', change.end)
        old = ' '.join(source[begin:end].split())
        new = ' '.join((source[begin:change.start] + change.text + source[change.end:end]).split())
        self.name = f'{path} {function}: {old} → {new}'
        seen[self.name] += 1
        if seen[self.name] > 1:
            self.name += f' ({seen[self.name]})'

    def source(self):
        """Returns the whole source with the change, in which lines keep their numbers."""
        kind, start, end, text = self.change
        lost = self.original.count('\n', start, end) - text.count('\n')
        return self.original[:start] + text + '\n' * lost + self.original[end:]


def tokens_of(source):
    tokens = []
    for match in TOKEN.finditer(source):
        if match.lastgroup not in ('space', 'directive'):
            tokens.append(Token(match.lastgroup, match.group(), match.start(), match.end()))
    return tokens


def functions_of(source, tokens):
    """Yields name and tokens of the body, braces included, of each function. Relies on the style: in the first column
    are the name and the braces."""
    body = None
    name = None
    for index, token in enumerate(tokens):
        in_first_column = source[token.start - 1] == '\n'
        if body is None and in_first_column and token.kind == 'name' and tokens[index + 1].text == '(':
            name = token.text
        elif in_first_column and token.text == '{' and name is not None and tokens[index - 1].text == ')':
            body = index
        elif in_first_column and token.text == '}' and body is not None:
            yield name, tokens[body:index + 1]
            body = name = None


class Body:
    """The tokens of a function, and for each bracket the one that belongs to it."""

    def __init__(self, source, tokens):
        self.source = source
        self.tokens = tokens
        self.partner = {}
        self.opening = {}
        stack = []
        for index, token in enumerate(tokens):
            if token.kind != 'operator':
                continue
            if token.text in OPENING:
                stack.append(index)
            elif token.text in OPENING.values():
                self.opening[index] = stack.pop()
                self.partner[self.opening[index]] = index

    def text(self, index):
        return self.tokens[index].text if 0 <= index < len(self.tokens) else ''

    def begins_statement(self, index):
        before = self.tokens[index - 1]
        if before.text in (';', '{', '}', 'else', 'do'):
            return True
        if before.text == ')':
            return self.text(self.opening[index - 1] - 1) in ('if', 'for', 'while', 'switch')
        return before.text == ':' and self.text(index - 2) == 'default' or \
            before.text == ':' and self.text(index - 3) == 'case'

    def end_of_statement(self, index):
        """Returns the index of its semicolon."""
        while index < len(self.tokens) and self.text(index) != ';':
            index = self.partner.get(index, index) + 1
        return index

    def end_of_operand(self, index):
        while index < len(self.tokens):
            if self.text(index) in ('&&', '||', '?', ':', ',', ';', ')', ']', '}') or self.text(index) in ASSIGNMENTS:
                return index
            index = self.partner.get(index, index) + 1
        return index

    def arguments(self, opening):
        """Returns (start, end) in the source of each argument of a call."""
        closing = self.partner[opening]
        ranges = []
        index = first = opening + 1
        while index < closing:
            if self.text(index) == ',':
                ranges.append((self.tokens[first].start, self.tokens[index - 1].end))
                first = index + 1
            index = self.partner.get(index, index) + 1
        if first < closing:
            ranges.append((self.tokens[first].start, self.tokens[closing - 1].end))
        return ranges

    def is_binary(self, index):
        before, token, after = self.tokens[index - 1], self.tokens[index], self.tokens[index + 1]
        spaced = before.end < token.start and token.end < after.start
        return spaced and (before.kind in ('name', 'number', 'text') or before.text in (')', ']')) and \
            before.text not in KEYWORDS


def changes_of(body):
    for index, token in enumerate(body.tokens[1:-1], 1):
        yield from change_operators(body, index, token)
        yield from change_constants(body, index, token)
        yield from remove_flags(body, index, token)
        yield from remove_statements(body, index, token)
        yield from change_conditions(body, index, token)
        yield from swap_arguments(body, index, token)


def change_operators(body, index, token):
    if token.kind != 'operator':
        return
    if token.text in COMPARISONS and body.is_binary(index):
        yield Change('comparison', token.start, token.end, COMPARISONS[token.text])
    elif token.text in ('++', '--') or token.text in ARITHMETIC and body.is_binary(index):
        yield Change('arithmetic', token.start, token.end, ARITHMETIC[token.text])
    elif token.text in ('&&', '||'):
        yield Change('logic', token.start, token.end, '||' if token.text == '&&' else '&&')
        end = body.tokens[body.end_of_operand(index + 1) - 1].end
        yield Change('removed operand', body.tokens[index - 1].end, end, '')
    elif token.text == '!':
        yield Change('logic', token.start, token.end, '')


def change_constants(body, index, token):
    if token.kind == 'number' and '.' not in token.text:
        digits = token.text.rstrip('uUlL')
        value = int(digits, 8 if len(digits) > 1 and digits[0] == '0' and digits[1].isdigit() else 0)
        yield Change('constant', token.start, token.end, str(value + 1) + token.text[len(digits):])
    elif token.text in ('TRUE', 'FALSE'):
        yield Change('constant', token.start, token.end, 'FALSE' if token.text == 'TRUE' else 'TRUE')


def remove_flags(body, index, token):
    if token.kind != 'name' or not token.text.isupper() or len(token.text) < 3:
        return
    if body.text(index - 1) == '|':
        yield Change('removed flag', body.tokens[index - 2].end, token.end, '')
    elif body.text(index + 1) == '|':
        yield Change('removed flag', token.start, body.tokens[index + 2].start, '')


def remove_statements(body, index, token):
    if not body.begins_statement(index):
        return
    if token.text in ('break', 'continue') and body.text(index + 1) == ';':
        yield Change('removed jump', token.start, token.end, '')
        return
    if token.kind == 'name' and token.text not in NOT_CALLS and body.text(index + 1) == '(':
        closing = body.partner[index + 1]
        if body.text(closing + 1) == ';':
            kind = 'removed check' if token.text.startswith('g_return_') else 'removed call'
            yield Change(kind, token.start, body.tokens[closing].end, '')
        return

    is_place = token.text == '*' or \
        token.kind == 'name' and (body.text(index + 1) in ('->', '.', '[') or body.text(index + 1) in ASSIGNMENTS)
    if is_place and token.text not in KEYWORDS:
        end = body.end_of_statement(index)
        if any(body.text(at) in ASSIGNMENTS for at in range(index, end)):
            yield Change('removed assignment', token.start, body.tokens[end - 1].end, '')


def change_conditions(body, index, token):
    if token.text not in ('if', 'while') or body.text(index + 1) != '(':
        return
    opening = body.tokens[index + 1]
    closing = body.tokens[body.partner[index + 1]]
    condition = body.source[opening.end:closing.start]
    yield Change('removed check', opening.end, closing.start, f'FALSE && ({condition})')
    if token.text == 'if':
        yield Change('removed check', opening.end, closing.start, f'TRUE || ({condition})')


def swap_arguments(body, index, token):
    if token.kind != 'name' or token.text in NOT_CALLS or body.text(index + 1) != '(':
        return
    ranges = body.arguments(index + 1)
    for (a, b), (c, d) in zip(ranges, ranges[1:]):
        first, second = body.source[a:b], body.source[c:d]
        if first != second:
            yield Change('swapped arguments', a, d, second + body.source[b:c] + first)


def mutants_of(path, source):
    """Returns all mutants of a source, of which some do not compile."""
    seen = collections.Counter()
    mutants = []
    for name, tokens in functions_of(source, tokens_of(source)):
        body = Body(source, tokens)
        mutants += [Mutant(path, name, source, change, seen) for change in changes_of(body)]
    return mutants
