# SPDX-FileCopyrightText: 2026 The tempfile-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Makes Tf feel like Python's tempfile and io.

Each error of C is both a GLib.Error and what Python raises there: an OSError with its errno, file name and subclass, or
ValueError for a closed file. What is done most is in the extension module _gi_tf, or else in _tf_python.
"""

import abc
import atexit
import contextlib
import functools
import gc
import io
import itertools
import operator
import os
import sys
import types
import warnings
import weakref
from _thread import get_ident

from gi._gi import FunctionInfo
from gi.repository import Gio, GLib, GObject

from ..module import get_introspection_module
from ..overrides import override
from . import _tf_calls as calls
from ._tf_errors import as_python_error, find_filename

try:
    from . import _gi_tf as fast
except ImportError:
    from . import _tf_python as fast

Tf = get_introspection_module('Tf')

__all__ = []

# The exceptions of audit hooks, by the path that they refused, for whoever gets the error of the library.
refusals = {}


def python_error(error, number=None):
    """Returns what Python raises in the place of an error of C; NUMBER is its errno."""
    if number is None:
        number = fast.get_last_errno()
    refused = refusals.pop(find_filename(error.message), None) if refusals else None
    return refused or as_python_error(error, number)


def raise_error(message, domain, code, number):
    raise python_error(GLib.Error(message, domain, code), number)


def python_errors(function):
    @functools.wraps(function)
    def call(*args, **kwargs):
        try:
            return function(*args, **kwargs)
        except GLib.Error as error:
            raise python_error(error) from None
    return call


def refuse(path, exception):
    refusals[path] = exception


def audit(event, path, *data):
    """Asks the audit hooks of Python."""
    path = os.fsdecode(path)
    try:
        sys.audit(event, path)
        return True
    except BaseException as exception:
        refuse(path, exception)
        return False


def set_audit_func(func=None, *data):
    """Sets who is asked instead of sys.audit(), with the path as str; None for nobody."""
    Tf.set_audit_func(func and (lambda event, path, *data: func(event, os.fsdecode(path), *data)), *data)


fast.set_up(GObject.Object, raise_error, refuse, GLib.SeekType)
if hasattr(Tf, 'set_audit_func'):
    fast.set_auditing(True)
    # What is created later is not audited: Python does not run in other threads any more.
    atexit.register(fast.set_auditing, False)
    __all__ += ['set_audit_func']


# --- Functions of C ------------------------------------------------------------------------------

# What does not wait for another thread that uses the object: what shows the bytes, and what does not.
SHOW_BYTES = {'get_input_stream', 'get_output_stream', 'open_reader'}
NEVER_WAIT = {
    'get_delete_policy', 'get_file', 'get_max_size', 'get_path', 'has_pending', 'is_closed', 'is_handed_over',
    'is_inherited', 'is_rolled_over',
}

# What no text can come after.
END_FILE = {'close_async', 'steal_bytes_async'}

# What is done whether the bytes are written or not.
LEAVE_BYTES = {'hand_over', 'is_rolled_over', 'keep', 'set_delete_policy', 'unlink', 'unlink_async'}


class Call:
    """A function or method of C that takes paths, has defaults for arguments at the end, and can be awaited."""

    def __init__(self, owner, name, klass=None):
        self.owner = owner
        self.klass = klass or owner
        self.shows_bytes = name in SHOW_BYTES
        self.never_waits = self.shows_bytes or name in NEVER_WAIT
        self.ends_file = name in END_FILE
        self.leaves_bytes = name in LEAVE_BYTES
        self.__name__ = name
        self.__qualname__ = f'{klass.__name__}.{name}' if klass else name
        self.__module__ = 'gi.repository.Tf'

    def __get__(self, instance, owner=None):
        return self if instance is None else types.MethodType(self, instance)

    def __call__(self, *args, **kwargs):
        if args and self.leaves_bytes:
            offer_text(args[0])
        elif args and (self.shows_bytes or not self.never_waits):
            flush_text(args[0], self.shows_bytes)
        if args and self.ends_file:
            refuse_text(args[0])
        used = args[0] if args and not self.never_waits else None
        fast.begin_use(used)
        try:
            return self.completed.call(*args, **kwargs)
        except GLib.Error as error:
            raise python_error(error) from None
        finally:
            fast.end_use(used)

    @functools.cached_property
    def completed(self):
        return calls.Completed(self.owner, self.klass, self.__name__, python_error)

    @property
    def __signature__(self):
        return self.completed.signature

    @property
    def __doc__(self):
        return getattr(self.owner, self.__name__).__doc__


class StaticCall(Call):
    """A function of C in a class. A staticmethod would ask for its documentation, which is made then."""

    def __get__(self, instance, owner=None):
        return self


class CallOrNone(Call):
    """A method of reading that returns None at the end: PyGObject makes empty bytes of it."""

    def __call__(self, file, *args, **kwargs):
        piece = super().__call__(file, *args, **kwargs)
        return None if piece == b'' and file.tell() >= file.get_size() else piece


def call_async(start, finish, *others):
    return calls.call_async(start, finish, python_error, *others)


NONE_AT_END = {'read_line', 'read_line_finish', 'read_upto', 'read_upto_finish'}


@functools.lru_cache(maxsize=None)
def functions_of(klass):
    """Returns the functions of C of a class, by their names; newer PyGObject wraps those without an instance."""
    functions = {name: function.__func__ if isinstance(function, (staticmethod, classmethod)) else function
                 for name, function in vars(klass).items() if name[0].islower()}
    return {name: function for name, function in functions.items() if isinstance(function, FunctionInfo)}


class Meta(type(Tf.TempFile), abc.ABCMeta):
    """The class of the classes here, which can be derived from as others of Python: with abc.ABC, or arguments."""

    def __init__(cls, name, bases, namespace, **kwargs):
        super().__init__(name, bases, namespace)

    @property
    def __doc__(cls):
        """The documentation of a class."""
        return super().__doc__

    @__doc__.setter
    def __doc__(cls, doc):
        type.__dict__['__doc__'].__set__(cls, doc)


class Nothing:
    """What C has and Python cannot use."""

    def __get__(self, instance, owner=None):
        raise AttributeError('There is no such attribute in Python')


def complete_class(klass, *bases):
    """Completes the methods of C that a class has from BASES, but for those that it or what stands first defines."""
    klass.parent_instance = Nothing()
    for comparison in '__lt__', '__le__', '__gt__', '__ge__':  # GObject has the order of the addresses
        setattr(klass, comparison, getattr(object, comparison))
    defined = {*dir({TempFile: fast.File, TempDir: fast.Dir}.get(klass, object)), *vars(klass)}
    for base in bases:
        for name, function in functions_of(base).items():
            if name not in defined and not name.startswith('do_'):
                kind = StaticCall if not function.is_method() else CallOrNone if name in NONE_AT_END else Call
                setattr(klass, name, kind(base, name, klass))
                defined.add(name)


# More arguments than any function takes, and of no type that one takes, so that none does anything.
TOO_MANY = (object(),) * 50


# --- Names -------------------------------------------------------------------------------------

class Variable:
    """A variable of Python's tempfile: tempdir or template."""

    def __init__(self, name, value, *types):
        self.name = name
        self.value = self.default = value
        self.types = types

    def __get__(self, module, module_type=None):
        return self.value

    def __set__(self, module, value):
        if not isinstance(value, self.types):
            allowed = ', '.join(type.__name__ for type in self.types)
            raise TypeError(f'{self.name} must be one of {allowed}, not {type(value).__name__}')
        if self.name == 'tempdir':
            Tf.set_temp_dir(None if value is None else os.fspath(value))
        self.keep(module, value)

    def __delete__(self, module):
        self.__set__(module, self.default)

    def keep(self, module, value):
        """Keeps the value also where unittest.mock looks for what it puts back."""
        self.value = module.__dict__[self.name] = value
        fast.set_names_are_bytes(isinstance(tempdir.value, bytes) or template.value != template.default)


module = sys.modules['gi.repository.Tf']
tempdir = Variable('tempdir', None, str, bytes, os.PathLike, type(None))
template = Variable('template', 'tmp', str, bytes)


class TfProxyModule(type(module)):
    """Has the variables. Newer PyGObject has one class for all modules, which deletes from their dictionaries alone."""

    __slots__ = ()
    tempdir, template = tempdir, template

    def __delattr__(self, name):
        if name in ('tempdir', 'template'):
            types.ModuleType.__delattr__(self, name)
        else:
            super().__delattr__(name)


module.__class__ = TfProxyModule
for variable in tempdir, template:
    variable.keep(module, variable.value)

TMP_MAX = 10000
__all__ += ['TMP_MAX']


def type_of_names(names):
    kinds = {bytes if isinstance(name, bytes) else str for name in names if name is not None}
    if len(kinds) > 1:
        raise TypeError("Can't mix bytes and non-bytes in path components.")
    return kinds.pop() if kinds else bytes if isinstance(tempdir.value, bytes) else str


def name_parts(prefix, suffix, dir):
    """Returns what the C calls take, and the type in which to return a path."""
    parts = [None if part is None else os.fspath(part) for part in (prefix, suffix, dir)]
    kind = type_of_names(parts)
    if parts[0] is None and template.value != template.default:
        parts[0] = template.value
    return parts, kind


def name_properties(parts):
    """Returns the properties for the names. Those of type string hold only UTF-8, the template holds any bytes."""
    names = [None if part is None else os.fsencode(part) for part in parts]
    if any(0 in name for name in names if name is not None):
        raise ValueError('embedded null byte')
    try:
        return {key: name.decode('utf-8') for key, name in zip(('prefix', 'suffix', 'dir'), names) if name is not None}
    except UnicodeDecodeError:
        return {'template': GLib.Variant('(maymaymay)', names)}


def as_type(path, path_type):
    return os.fsencode(path) if path_type is bytes else path


def remove_file(result):
    fd, path = result
    os.close(fd)
    os.remove(path)


@python_errors
def mkstemp(suffix=None, prefix=None, dir=None, text=False, *, cancellable=None):
    """Like tempfile.mkstemp(); returns a descriptor and a path, both of which the caller owns."""
    parts, path_type = name_parts(prefix, suffix, dir)
    fd, path = Tf.mkstemp(*parts, cancellable)
    return fd, as_type(path, path_type)


@python_errors
def mkdtemp(suffix=None, prefix=None, dir=None, *, cancellable=None):
    """Like tempfile.mkdtemp(); returns the path of a directory which the caller removes."""
    parts, path_type = name_parts(prefix, suffix, dir)
    return as_type(Tf.mkdtemp(*parts, cancellable), path_type)


def mkstemp_async(suffix=None, prefix=None, dir=None, io_priority=GLib.PRIORITY_DEFAULT,
                  cancellable=None, callback=None, *user_data):
    """Like mkstemp(); to be awaited, or with a callback that calls Tf.mkstemp_finish()."""
    parts, path_type = name_parts(prefix, suffix, dir)

    def finish(result):
        fd, path = Tf.mkstemp_finish(result)
        return fd, as_type(path, path_type)
    return call_async(Tf.mkstemp_async, finish, parts, io_priority, cancellable, callback, user_data, remove_file)


def mkdtemp_async(suffix=None, prefix=None, dir=None, io_priority=GLib.PRIORITY_DEFAULT,
                  cancellable=None, callback=None, *user_data):
    """Like mkdtemp(); to be awaited, or with a callback that calls Tf.mkdtemp_finish()."""
    parts, path_type = name_parts(prefix, suffix, dir)

    def finish(result):
        return as_type(Tf.mkdtemp_finish(result), path_type)
    return call_async(Tf.mkdtemp_async, finish, parts, io_priority, cancellable, callback, user_data, os.rmdir)


@python_errors
def mktemp(suffix='', prefix='tmp', dir=None):
    """Like tempfile.mktemp(), and deprecated as that is: use mkstemp() or NamedFile."""
    parts, path_type = name_parts(prefix, suffix, dir)
    return as_type(Tf.mktemp(*parts), path_type)


# As in tempfile, only the documentation says that it is deprecated. PyGObject does so when it makes the function.
with warnings.catch_warnings(), contextlib.suppress(TypeError):
    warnings.simplefilter('ignore')
    Tf.mktemp(*TOO_MANY)


@python_errors
def gettempdir():
    """Returns the directory for temporary things as str."""
    path = Tf.get_temp_dir()
    whole = os.path.abspath(path)
    if tempdir.value is None:
        tempdir.keep(module, whole)
    return tempdir.value if tempdir.value in (path, whole) else path


def gettempdirb():
    """Returns the directory for temporary things as bytes."""
    return os.fsencode(gettempdir())


def gettempprefix():
    """Returns what the names of temporary things begin with, as str."""
    return os.fsdecode(template.value)


def gettempprefixb():
    """Returns what the names of temporary things begin with, as bytes."""
    return os.fsencode(gettempprefix())


@python_errors
def sweep(prefix=None, dir=None, min_age_seconds=0, cancellable=None):
    """Removes what killed processes have left; returns how many files and directories that were."""
    parts, _ = name_parts(prefix, None, dir)
    return Tf.sweep(parts[0], parts[2], min_age_seconds, cancellable).n_removed


def sweep_async(prefix=None, dir=None, min_age_seconds=0, io_priority=GLib.PRIORITY_DEFAULT,
                cancellable=None, callback=None, *user_data):
    """Like sweep(); to be awaited, or with a callback that calls Tf.sweep_finish()."""
    parts, _ = name_parts(prefix, None, dir)
    return call_async(Tf.sweep_async, count_removed, (parts[0], parts[2], min_age_seconds),
                      io_priority, cancellable, callback, user_data)


def count_removed(result):
    return Tf.sweep_finish(result).n_removed


sweep_finish = python_errors(count_removed)


@python_errors
def remove_tree(path, cancellable=None):
    """Like shutil.rmtree(), for a file, too; takes a path or a Gio.File."""
    Tf.remove_tree(calls.as_file(path), cancellable)


def remove_tree_async(path, io_priority=GLib.PRIORITY_DEFAULT, cancellable=None, callback=None, *user_data):
    """Like remove_tree(); to be awaited, or with a callback that calls Tf.remove_tree_finish()."""
    return call_async(Tf.remove_tree_async, Tf.remove_tree_finish, (calls.as_file(path),),
                      io_priority, cancellable, callback, user_data)


__all__ += ['remove_tree', 'remove_tree_async']
__all__ += ['mkstemp_async', 'mkdtemp_async', 'sweep', 'sweep_async', 'sweep_finish']
__all__ += ['mkstemp', 'mkdtemp', 'mktemp', 'gettempdir', 'gettempdirb', 'gettempprefix', 'gettempprefixb']


functions_of_module = [name for name in dir(Tf) if name[0].islower()]
for name in functions_of_module:
    if name not in __all__ and name != 'set_audit_func':
        globals()[name] = Call(Tf, name)
        __all__.append(name)


# --- What is held -------------------------------------------------------------------------------

# After a KeyboardInterrupt that nobody catches, Python kills itself before the C library can remove what is
# still alive, and what is held in C outlives the interpreter. Registered when this module is loaded, so that
# it runs after the program's own.
held = {}
numbers = itertools.count()


def hold(object, remove):
    number = next(numbers)
    # PyGObject wants None from what it calls when the object goes.
    held[number] = object.weak_ref(lambda: held.pop(number, None) and None), remove


def remove_held():
    while held:
        reference, remove = held.popitem()[1]
        try:
            remove(reference())
        except GLib.Error as error:
            print(f'Removing at exit: {error.message}', file=sys.stderr)


atexit.register(remove_held)
os.register_at_fork(after_in_child=held.clear)


@atexit.register
def remove_alive():
    """After the KeyboardInterrupt, also what a thread has that does not end before the interpreter does."""
    if getattr(sys, 'last_type', None) is KeyboardInterrupt:
        for object in gc.get_objects():
            if issubclass(type(object), (TempDir, NamedFile)):
                with contextlib.suppress(OSError, TypeError, ValueError):
                    object.remove_unless_kept()


# --- Files -------------------------------------------------------------------------------------

def check_mode(mode, encoding, newline, errors):
    """Tells whether the mode is a binary one, and refuses what open() refuses."""
    if not isinstance(mode, str):
        raise TypeError(f'mode must be str, not {type(mode).__name__}')
    kind = set(mode)
    if len(kind) != len(mode) or kind - set('rwxab+t') or len(kind & set('rwxa')) != 1 or {'b', 't'} <= kind:
        raise ValueError(f'invalid mode: {mode!r}')
    if 'b' not in kind:
        return False
    for name, value in (('encoding', encoding), ('errors', errors), ('newline', newline)):
        if value is not None:
            raise ValueError(f"binary mode doesn't take an {name} argument")
    return True


def level_of_caller():
    """Returns the stacklevel for a warning that is meant for the code that called this module."""
    level = 0
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_globals['__name__'].startswith('gi.overrides.'):
        level += 1
        frame = frame.f_back
    return level + 1


def check_buffering(buffering, is_binary):
    """Returns the number, and says what open() says of it."""
    buffering = operator.index(buffering)
    if buffering == 0 and not is_binary:
        raise ValueError("can't have unbuffered text I/O")
    if buffering == 1 and is_binary:
        warnings.warn("line buffering (buffering=1) isn't supported in binary mode, the default buffer size will be used",
                      RuntimeWarning, stacklevel=level_of_caller())
    return buffering


@functools.cache
def mode_of_file(mode):
    """Returns what a file that was opened in a binary mode calls its mode."""
    kind = set(mode)
    for letter in 'xa':
        if letter in kind:
            return f'{letter}b+' if '+' in kind else f'{letter}b'
    return 'rb+' if '+' in kind else 'rb' if 'r' in kind else 'wb'


def access_of_mode(mode):
    """Returns 'r' or 'w' if only that is allowed."""
    return None if '+' in mode else 'r' if 'r' in mode else 'w'


def open_raw(fd, mode, closefd=True):
    """Returns an io.FileIO, which stays where the file is: FileIO would move to the end to append."""
    position = os.lseek(fd, 0, os.SEEK_CUR)
    raw = io.FileIO(fd, mode.replace('x', 'w'), closefd=closefd)
    os.lseek(fd, position, os.SEEK_SET)
    return raw


# Weak references; a WeakSet takes more time.
texts = set()


def open_texts():
    for reference in list(texts):
        text = reference()
        if text is not None and is_open(text):
            yield text


def leave_to_parent():
    for text in open_texts():
        text.buffer.leave_to_parent()


os.register_at_fork(after_in_child=leave_to_parent)


# How many bytes are kept that the disk refuses, before those who write to the bytes of a text hear of it. The text itself
# takes nothing once 64 KiB are kept, and what it has taken is not refused.
MOST_KEPT_OF_BYTES = 1 << 20


class Bytes(fast.Buffer):
    """The bytes of a text file.

    A text forgets what its bytes refuse, of all writes since the last time that it brought some here. So these keep it,
    as an io.BufferedRandom does, and write it before they do anything else. Who wants it written hears of the error.
    """

    # The file is being closed: nobody could write any more what is kept.
    ends = False
    # The text, as a weak reference, and the threads that have called flush().
    text = None
    flushing = frozenset()
    # Without the module, threads take turns in writing to the text, and in flushing it.
    turn = None

    def write_in_turn(self, data, is_kept):
        """Writes the data, or what is kept, at whose end it is. What is refused is kept.

        No other thread uses the file.
        """
        if is_kept and not self.ends and self.is_busy():
            return memoryview(data).nbytes
        try:
            if is_kept:
                self.write_kept()
            else:
                self.write_now(data)
        except Exception as error:
            rest = b'' if is_kept else memoryview(data).cast('B')[count_written(error):]
            # Not what this call has brought.
            n_kept = len(self.kept) - memoryview(data).nbytes if is_kept else 0
            is_too_much = self.ends or not is_pending(error) and n_kept > MOST_KEPT_OF_BYTES
            if is_too_much or isinstance(error, (TypeError, ValueError)):
                if is_kept:
                    self.drop_end(bytes(data))
                raise
            # What is kept by now came later.
            self.kept[:0] = rest
        return memoryview(data).nbytes

    def write_due(self, data):
        """Writes what is kept, at whose end the data is that a text has brought. What is refused is kept."""
        try:
            self.make_room()
        except Exception as error:
            if self.ends or isinstance(error, (TypeError, ValueError)):
                self.drop_end(data)
                raise

    def make_room(self):
        """Writes what is kept, unless more may be kept."""
        if self.ends or not self.is_busy():
            self.write_kept()

    def drop_end(self, data):
        """Keeps the data, which was refused, no longer. The rest stays of what was written in part."""
        end = self.kept[-len(data):] if data else b''
        if end and data.endswith(end):
            del self.kept[-len(end):]

    def forgives(self, error):
        """Whether who flushes does not hear of the error."""
        return is_pending(error) and self.flushes_line()

    def flushes_line(self):
        """Whether it is a text that flushes a line which it has written."""
        text = None if get_ident() in self.flushing or self.text is None else self.text()
        return text is not None and text.line_buffering

    def close(self, *args, **kwargs):
        """Close the file; again does nothing."""
        try:
            if not self.closed:
                self.write_kept()
        finally:
            super().close(*args, **kwargs)

    @property
    def name(self):
        """The path, or the descriptor; None in memory."""
        return self.__dict__['_name'] if '_name' in self.__dict__ else None if self.is_in_memory() else self.fileno()

    @name.setter
    def name(self, name):
        self.__dict__['_name'] = name

    @property
    def raw(self):
        """The same file as an io.FileIO; in memory there is none."""
        if self.is_in_memory():
            raise AttributeError('Bytes in memory have no attribute \'raw\'')
        return open_raw(self.fileno(), self.mode, closefd=False)

    def detach(self):
        """Closes the file, and returns what was below; in memory that is nothing."""
        if self.is_in_memory():
            raise io.UnsupportedOperation('detach')
        raw = open_raw(os.dup(self.fileno()), self.mode)
        self.close()
        return raw


def is_pending(error):
    """Another operation is under way: this one is not refused for good."""
    return isinstance(error, GLib.Error) and error.matches(Gio.io_error_quark(), Gio.IOErrorEnum.PENDING)


def count_written(error):
    """Returns how many bytes were written before the error."""
    return getattr(error, 'characters_written', 0)


io.BufferedIOBase.register(Bytes)


def tell_of_text(reference):
    """The tell() of an io.TextIOWrapper: it waits for nobody."""
    text = reference()
    if text is None:
        raise ValueError('I/O operation on closed file.')
    return text.buffer.ask(io.TextIOWrapper.tell, text) if is_open(text) else io.TextIOWrapper.tell(text)


DETACHED = types.SimpleNamespace(flushing=set(), turn=None)


def flush_on_request(text):
    """The flush() of a text file. A line that was taken is not refused because the file cannot be flushed now; this is."""
    # A text that was detached says so.
    buffer = text.buffer or DETACHED
    if buffer.turn is None and not text.line_buffering:
        text.flush()
        return
    buffer.flushing.add(get_ident())
    try:
        with buffer.turn or contextlib.nullcontext():
            text.flush()
    finally:
        buffer.flushing.discard(get_ident())


def become_text(file, mode, buffering, encoding, newline, errors):
    """Makes the file text. What is called most for each line is in its dictionary, unless a subclass has its own."""
    access = access_of_mode(mode)
    buffer = Bytes(file) if access is None else Bytes(file, {'_access': access})
    buffer.mode = mode_of_file(mode)
    if isinstance(file, Tf.NamedFile):
        buffer.name = file.name
    if encoding is None and sys.flags.warn_default_encoding:
        encoding = io.text_encoding(encoding, level_of_caller())
    text = io.TextIOWrapper(buffer, encoding, errors, newline, line_buffering=buffering == 1)
    reference = weakref.ref(text, texts.discard)
    texts.add(reference)
    buffer.text, buffer.flushing = reference, set()
    text.mode = mode
    methods = {'read': text.read, 'readline': text.readline, 'write': fast.get_text_write(buffer, text.write)}
    # Without a cycle, so that a text that is dropped goes at once.
    text.write = fast.get_text_write(buffer, io.TextIOWrapper.write, reference)
    text.tell = functools.partial(tell_of_text, reference)
    file._text, file._buffer, file._mode = text, buffer, mode
    for name, method in methods.items():
        if getattr(type(file), name) is getattr(fast.File, name):
            file.__dict__[name] = method
    if type(file).flush is fast.File.flush:
        file.__dict__['flush'] = functools.partial(flush_on_request, text)


def bring(text):
    """Brings what was written to the bytes. What reads does so before, and unlike flush() leaves tell() as it is."""
    try:
        text.read(0)
    except io.UnsupportedOperation:
        text.flush()


def open_text_of(object):
    """Returns the text of an open text file, or None."""
    text = fast.state_of(object).get('_text') if isinstance(object, TempFile) else None
    return text if text is not None and is_open(text) else None


def flush_text(object, only_asks=False):
    """Before C is called for the file, what was written is in its bytes. C writes them if it has to.

    Who only asks does not hear of the text that waits while another call has the file.
    """
    text = open_text_of(object)
    if text is None or only_asks and (fast.is_used(object) or Gio.IOStream.has_pending(object)):
        return
    if object._buffer.ends and not Gio.IOStream.has_pending(object):
        object._buffer.ends = False
        object._buffer.ask(functools.partial(text.reconfigure, write_through=object._buffer.wrote_through))
    object._buffer.ask(bring, text)
    if only_asks:
        object._buffer.try_write_kept()
    else:
        object._buffer.write_kept()


def offer_text(object):
    """Like flush_text(), but what is refused does not matter: it is kept."""
    try:
        flush_text(object, only_asks=True)
    except OSError:
        pass


def refuse_text(file):
    """Refuses what is written until the file is closed, or turns out not to be. From now on, it comes to the bytes at
    once."""
    buffer = fast.state_of(file).get('_buffer') if isinstance(file, TempFile) else None
    text = open_text_of(file)
    if buffer is not None:
        buffer.ends = True
    if text is not None:
        buffer.wrote_through = text.write_through
        buffer.ask(functools.partial(text.reconfigure, write_through=True))


def is_open(text):
    """False, too, for a text that was detached."""
    try:
        return not text.closed
    except ValueError:
        return False


def needs_loop(name):
    return name.endswith(('_async', '_finish'))


@atexit.register
def warm_up():
    """PyGObject makes a function when it is called first, by an import that fails while the interpreter ends.

    By then, nobody waits for what needs a loop.
    """
    functions = [getattr(Tf, name) for name in functions_of_module if not needs_loop(name)]
    functions += [Gio.File.new_for_path, GLib.Bytes.get_data, GLib.Bytes.get_size, GLib.Bytes.new]
    for klass in (Tf.TempFile, Tf.NamedFile, Tf.SpooledFile, Tf.TempDir, Tf.TextStream, Gio.Initable, Gio.IOStream,
                  *fast.CLASSES_OF_GIO):
        functions += (getattr(klass, name) for name in functions_of(klass) if not needs_loop(name))
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        for function in functions:
            with contextlib.suppress(TypeError):
                function(*TOO_MANY)


@atexit.register
def flush_texts():
    """Text that something holds until the end, where it is not collected any more."""
    for text in open_texts():
        try:
            text.flush()
        except (OSError, ValueError) as error:
            print(f'Writing at exit: {error}', file=sys.stderr)


class Signature:
    """The arguments of the constructor, for inspect and help()."""

    def __get__(self, instance, owner):
        import inspect
        is_own = owner.__init__ not in (fast.File.__init__, fast.Dir.__init__)
        signature = inspect.signature(owner.__init__ if is_own else owner._init)
        return signature.replace(parameters=list(signature.parameters.values())[1:])


def of_text(name):
    """Returns a property that a text file has."""
    def get(self):
        text = fast.state_of(self).get('_text')
        if text is None:
            raise AttributeError(f'{type(self).__name__!r} object has no attribute {name!r}')
        return getattr(text, name)
    return property(get, doc=f'What io.TextIOWrapper has as {name}; for a text file alone.')


@override
class TempFile(fast.File, *fast.FILE_BASES, Tf.TempFile, metaclass=Meta):
    """A temporary file without a name: a file as open() returns it, binary or text.

    mode, buffering, encoding, newline and errors are those of open(), permissions are the bits that the umask is
    applied to. It has the methods of C as well.
    """

    __class_getitem__ = classmethod(types.GenericAlias)
    __signature__ = Signature()

    buffer, encoding, errors, line_buffering, newlines, reconfigure, write_through = [
        of_text(name) for name in
        ('buffer', 'encoding', 'errors', 'line_buffering', 'newlines', 'reconfigure', 'write_through')]

    @python_errors
    def _init(self, mode='w+b', buffering=-1, encoding=None, newline=None,
              suffix=None, prefix=None, dir=None, *, errors=None, permissions=None, cancellable=None, **properties):
        if permissions is not None:
            properties['mode'] = operator.index(permissions)
        is_binary = check_mode(mode, encoding, newline, errors)
        buffering = check_buffering(buffering, is_binary)
        parts, name_type = name_parts(prefix, suffix, dir)
        GObject.Object.__init__(self, **name_properties(parts), **properties)
        try:
            self._open(cancellable)
            if name_type is bytes:
                self._name_type = bytes
            self._set_mode(mode, buffering, encoding, newline, errors)
        except BaseException:
            self._abandon()
            raise

    def _open(self, cancellable):
        Tf.TempFile.init(self, cancellable)

    def _abandon(self):
        super().close()

    def _set_mode(self, mode, buffering=-1, encoding=None, newline=None, errors=None):
        if access_of_mode(mode) is not None:
            self._access = access_of_mode(mode)
        if 'b' not in mode:
            become_text(self, mode, buffering, encoding, newline, errors)
        elif mode_of_file(mode) != 'rb+':
            self._mode = mode_of_file(mode)

    def _offer_text(self):
        offer_text(self)

    def __repr__(self):
        state = 'closed ' if self.closed else ''
        return f'<{state}Tf.{type(self).__name__} mode={self.mode!r} at {id(self):#x}>'

    def get_size(self):
        """The size of the file in bytes, those of all that was written to a text included."""
        text = open_text_of(self)
        if text is None:
            return super().get_size()
        self._buffer.ask(bring, text)
        return max(self._buffer.tell() if self._buffer.kept else 0, super().get_size())

    @property
    def name(self):
        """The descriptor."""
        if '_name' in fast.state_of(self):
            return self._name
        if self.closed:
            return -1
        self._name = self.fileno()
        return self._name

    @name.setter
    def name(self, name):
        self._name = name

    @property
    def mode(self):
        """The mode, as files that open() returns have it."""
        text = fast.state_of(self).get('_text')
        return text.mode if text is not None else fast.state_of(self).get('_mode', 'rb+')

    @property
    def raw(self):
        """The same file as an io.FileIO, from which on nothing is held back."""
        if '_text' in fast.state_of(self):
            raise AttributeError(f'{type(self).__name__!r} object has no attribute \'raw\'')
        return open_raw(self.fileno(), self.mode, closefd=False)

    def detach(self):
        """Returns what is below: the bytes of a text, or else an io.FileIO of the file, which is closed then."""
        text = fast.state_of(self).get('_text')
        if text is not None:
            return text.detach()
        raw = open_raw(self.dup_fd(), self.mode)
        self.close()
        return raw


io.IOBase.register(TempFile)


def close_detached(reference, cancellable=None):
    """The close() of a named file without its bytes."""
    file = reference()
    if file is not None:
        type(file).close(file, cancellable)
        file.unlink()


@override
class NamedFile(Tf.NamedFile):
    """A temporary file with a path, which is its name; see TempFile for the other arguments."""

    @python_errors
    def _init(self, mode='w+b', buffering=-1, encoding=None, newline=None,
              suffix=None, prefix=None, dir=None, delete=True, *,
              errors=None, delete_on_close=True, delete_policy=None, **properties):
        if delete_policy is not None:
            self._delete_policy = delete_policy
        elif not delete:
            self._delete_policy = Tf.DeletePolicy.NEVER
        elif not delete_on_close:
            self._delete_policy = Tf.DeletePolicy.ON_DISPOSE
        properties.setdefault('buffered', operator.index(buffering) != 0)
        super()._init(mode, buffering, encoding, newline, suffix, prefix, dir, errors=errors, **properties)

    def _open(self, cancellable):
        # While the interpreter ends, newer PyGObject crashes when it sets a property that is an enumeration.
        if '_delete_policy' in fast.state_of(self):
            Tf.NamedFile.set_delete_policy(self, self.__dict__.pop('_delete_policy'))
        super()._open(cancellable)

    def _abandon(self):
        # Nobody knows its name.
        Tf.NamedFile.set_delete_policy(self, Tf.DeletePolicy.ON_CLOSE)
        super()._abandon()

    @staticmethod
    @python_errors
    def new_from_bytes(content, prefix=None, suffix=None, dir=None, cancellable=None):
        """Takes a bytes-like object or GLib.Bytes."""
        content = calls.as_bytes(content)
        return Tf.NamedFile.new_from_bytes(content, *name_parts(prefix, suffix, dir)[0], cancellable)

    @staticmethod
    def create_from_bytes_async(content, prefix=None, suffix=None, dir=None, io_priority=GLib.PRIORITY_DEFAULT,
                                cancellable=None, callback=None, *user_data):
        """Like new_from_bytes(); to be awaited, or with a callback that calls create_from_bytes_finish()."""
        return call_async(Tf.NamedFile.create_from_bytes_async, Tf.NamedFile.create_from_bytes_finish,
                          (calls.as_bytes(content), *name_parts(prefix, suffix, dir)[0]),
                          io_priority, cancellable, callback, user_data)

    def __repr__(self):
        state = 'closed ' if self.closed else ''
        return f'<{state}Tf.{type(self).__name__} name={self.name!r} mode={self.mode!r}>'

    @property
    def name(self):
        """The path."""
        state = fast.state_of(self)
        return state['_name'] if '_name' in state else fast.get_path(self)

    @name.setter
    def name(self, name):
        self._name = name

    @property
    def file(self):
        """The file itself, or its io.TextIOWrapper. The Gio.File is what get_file() returns."""
        state = fast.state_of(self)
        return state.get('_file') or state.get('_text') or self

    @file.setter
    def file(self, file):
        self._file = file

    @property
    def delete(self):
        """Whether the file goes when it is closed, or when the with statement ends."""
        return self.get_delete_policy() != Tf.DeletePolicy.NEVER

    @delete.setter
    def delete(self, delete):
        if bool(delete) != self.delete:
            self.set_delete_policy(Tf.DeletePolicy.ON_CLOSE if delete else Tf.DeletePolicy.NEVER)

    def detach(self):
        """Returns what is below. The path stays until this object goes, or is closed."""
        if '_text' in fast.state_of(self) or not self.delete:
            return super().detach()
        self.set_delete_policy(Tf.DeletePolicy.ON_DISPOSE)
        raw = super().detach()
        self.close = functools.partial(close_detached, weakref.ref(self))
        return raw

    def hold_for_subprocess(self, subprocess):
        """Takes a Gio.Subprocess or what has a pid: a subprocess.Popen, for example."""
        if isinstance(subprocess, Gio.Subprocess):
            super().hold_for_subprocess(subprocess)
            hold(self, NamedFile.remove_unless_kept)
        else:
            self.hold_for_pid(subprocess.pid)

    def hold_for_pid(self, pid):
        """Keeps the file until the process has ended."""
        super().hold_for_pid(pid)
        hold(self, NamedFile.remove_unless_kept)

    def hold_until_exit(self):
        """Keeps the file until this process exits."""
        super().hold_until_exit()
        hold(self, NamedFile.remove_unless_kept)

    def remove_unless_kept(self):
        """Removes the file, if it is not to stay."""
        if self.delete and not self.is_handed_over() and not self.is_inherited():
            self.unlink()


def as_max_size(max_size):
    """Returns the number of bytes, of which there are no parts, and never more than C can count; -1 for no limit."""
    size = max_size if isinstance(max_size, float) else operator.index(max_size)
    return -1 if size != size else int(max(GLib.MININT64, min(size, GLib.MAXINT64)))


@override
class SpooledFile(Tf.SpooledFile):
    """A temporary file in memory until it outgrows max_size bytes; -1: never by size."""

    @python_errors
    def _init(self, max_size=1 << 20, mode='w+b', buffering=-1, encoding=None, newline=None,
              suffix=None, prefix=None, dir=None, *, errors=None, **properties):
        super()._init(mode, buffering, encoding, newline, suffix, prefix, dir, errors=errors,
                      max_size=as_max_size(max_size), **properties)

    def _set_mode(self, mode, *args):
        self._mode_in_memory = mode
        super()._set_mode(mode, *args)

    def _open(self, cancellable):
        if cancellable is not None:
            Tf.SpooledFile.init(self, cancellable)

    @property
    def name(self):
        """None in memory, then the descriptor."""
        if '_name' in fast.state_of(self) or self._rolled:
            return TempFile.name.__get__(self)
        return None

    @name.setter
    def name(self, name):
        self._name = name

    @property
    def _file(self):
        """What tempfile keeps the bytes in: here, the file itself, or its io.TextIOWrapper."""
        return fast.state_of(self).get('_text') or self

    @property
    def mode(self):
        """The mode, as tempfile has it."""
        if '_text' not in fast.state_of(self) and not self._rolled:
            return fast.state_of(self).get('_mode_in_memory') or fast.get_mode(self) or 'w+b'
        return TempFile.mode.__get__(self)

    @property
    def raw(self):
        """The same file as an io.FileIO; in memory there is none."""
        if not self._rolled:
            raise AttributeError(f'{type(self).__name__!r} object has no attribute \'raw\'')
        return TempFile.raw.__get__(self)

    def detach(self):
        """Closes the file, and returns what was below; in memory that is nothing, but for a text."""
        if '_text' not in fast.state_of(self) and not self._rolled:
            raise io.UnsupportedOperation('detach')
        return super().detach()

    @python_errors
    def rollover(self, cancellable=None):
        """Moves the file to disk; again does nothing."""
        flush_text(self)
        fast.begin_use(self)
        try:
            super().rollover(cancellable)
        finally:
            fast.end_use(self)


class TemporaryFile(TempFile):
    """TempFile as open() would return it: an io.BufferedIOBase, or with a text mode an io.TextIOBase."""

    def __new__(cls, *args, **kwargs):
        mode = args[0] if args else kwargs.get('mode', 'w+b')
        if cls is TemporaryFile and isinstance(mode, str) and 'b' not in mode:
            return TextTemporaryFile(*args, **kwargs)
        return super().__new__(cls)


class TextTemporaryFile(TempFile):
    """What TemporaryFile() makes with a text mode."""


io.BufferedIOBase.register(TemporaryFile)
io.TextIOBase.register(TextTemporaryFile)


class SpooledTemporaryFile(SpooledFile):
    """SpooledFile as Python spells it: with max_size=0 no size makes it roll over, and with a negative one any does."""

    def _init(self, max_size=0, mode='w+b', buffering=-1, encoding=None, newline=None,
              suffix=None, prefix=None, dir=None, *, errors=None, **properties):
        super()._init(-1 if not max_size else max(as_max_size(max_size), 0 if max_size < 0 else -1),
                      mode, buffering, encoding, newline, suffix, prefix, dir, errors=errors, **properties)


@override
class TextStream(Tf.TextStream, metaclass=Meta):
    """Text over a file, with the encodings of iconv; its lines are what it is iterated over.

    What other Python code takes for a text file is the file that the modes without a b make.
    """

    __class_getitem__ = classmethod(types.GenericAlias)

    @python_errors
    def __init__(self, base_file, encoding=None, newline=Tf.Newline.UNIVERSAL, errors=Tf.TextErrors.STRICT, *,
                 cancellable=None, **properties):
        super().__init__(base_file=base_file, encoding=encoding, newline=newline, errors=errors, **properties)
        self.init(cancellable)

    def __iter__(self):
        return self

    def __next__(self):
        line = self.read_line()
        if line is None:
            raise StopIteration
        return line

    @python_errors
    def seek(self, offset, type=GLib.SeekType.SET, cancellable=None):
        """Moves to a position that tell() has returned, to the start or to the end."""
        return super().seek(offset, type, cancellable)

    @python_errors
    def truncate(self, size=-1, cancellable=None):
        """Sets the size in bytes; -1: to the position."""
        return super().truncate(size, cancellable)


# --- Directories -------------------------------------------------------------------------------

@override
class TempDir(fast.Dir, Tf.TempDir, metaclass=Meta):
    """A directory that is removed with all it holds; the with statement gives its path."""

    __class_getitem__ = classmethod(types.GenericAlias)
    __signature__ = Signature()

    @python_errors
    def _init(self, suffix=None, prefix=None, dir=None, ignore_cleanup_errors=False, *,
              delete=True, cancellable=None, **properties):
        parts, name_type = name_parts(prefix, suffix, dir)
        if name_type is bytes:
            self._name_type = bytes
        properties.setdefault('auto_cleanup', delete)
        GObject.Object.__init__(self, ignore_cleanup_errors=ignore_cleanup_errors, **name_properties(parts), **properties)
        Tf.TempDir.init(self, cancellable)

    @python_errors
    def build_filename(self, *elements):
        """Like os.path.join(), and refuses what would leave the directory."""
        path = super().build_filename([os.fspath(element) for element in elements])
        return as_type(path, fast.state_of(self).get('_name_type', str))

    def __repr__(self):
        return f'<TemporaryDirectory {self.name!r}>'

    def __fspath__(self):
        return self.name

    @property
    def name(self):
        """The path."""
        state = fast.state_of(self)
        return state['_name'] if '_name' in state else fast.get_path(self)

    @name.setter
    def name(self, name):
        self._name = name

    def hold_for_subprocess(self, subprocess):
        """Takes a Gio.Subprocess or what has a pid: a subprocess.Popen, for example."""
        if isinstance(subprocess, Gio.Subprocess):
            super().hold_for_subprocess(subprocess)
            hold(self, TempDir.remove_unless_kept)
        else:
            self.hold_for_pid(subprocess.pid)

    def hold_for_pid(self, pid):
        """Keeps the directory until the process has ended."""
        super().hold_for_pid(pid)
        hold(self, TempDir.remove_unless_kept)

    def hold_until_exit(self):
        """Keeps the directory until this process exits."""
        super().hold_until_exit()
        hold(self, TempDir.remove_unless_kept)

    def remove_unless_kept(self):
        """Removes the directory, if it is not to stay."""
        if self.get_auto_cleanup() and not self.is_handed_over() and not self.is_inherited():
            self.cleanup()


complete_class(TempFile, Tf.TempFile, Gio.IOStream, Gio.Initable, Gio.AsyncInitable)
complete_class(NamedFile, Tf.NamedFile)
complete_class(SpooledFile, Tf.SpooledFile)
complete_class(TempDir, Tf.TempDir, Gio.Initable, Gio.AsyncInitable)
complete_class(TextStream, Tf.TextStream, Gio.Initable)

NamedTemporaryFile = NamedFile
TemporaryDirectory = TempDir
fast.set_classes((TempFile, NamedFile, SpooledFile, SpooledTemporaryFile, TemporaryFile, TextTemporaryFile), TempDir)

__all__ += ['TempFile', 'NamedFile', 'SpooledFile', 'TextStream', 'TempDir']
__all__ += ['TemporaryFile', 'NamedTemporaryFile', 'SpooledTemporaryFile', 'TemporaryDirectory']
