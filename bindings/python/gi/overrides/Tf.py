# SPDX-FileCopyrightText: 2026 The tempfile-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Makes Tf feel like Python's tempfile and io.

What tempfile and io have as well raises errors that are both GLib.Error and what Python raises there:
OSError with its errno and subclass, or ValueError for a closed file. The rest raises GLib.Error.
"""

import asyncio
import atexit
import errno
import functools
import inspect
import io
import itertools
import os
import sys
import threading
import weakref

from gi._gi import Direction, FunctionInfo
from gi.repository import Gio, GLib

from ..module import get_introspection_module
from ..overrides import override

Tf = get_introspection_module('Tf')

__all__ = []

ERRNO_OF_CODE = {
    Gio.IOErrorEnum.EXISTS: errno.EEXIST,
    Gio.IOErrorEnum.FILENAME_TOO_LONG: errno.ENAMETOOLONG,
    Gio.IOErrorEnum.INVALID_ARGUMENT: errno.EINVAL,
    Gio.IOErrorEnum.INVALID_FILENAME: errno.EINVAL,
    Gio.IOErrorEnum.IS_DIRECTORY: errno.EISDIR,
    Gio.IOErrorEnum.NOT_DIRECTORY: errno.ENOTDIR,
    Gio.IOErrorEnum.NOT_EMPTY: errno.ENOTEMPTY,
    Gio.IOErrorEnum.NOT_FOUND: errno.ENOENT,
    Gio.IOErrorEnum.NOT_SUPPORTED: errno.ENOTSUP,
    Gio.IOErrorEnum.NO_SPACE: errno.ENOSPC,
    Gio.IOErrorEnum.PERMISSION_DENIED: errno.EACCES,
    Gio.IOErrorEnum.READ_ONLY: errno.EROFS,
    Gio.IOErrorEnum.TIMED_OUT: errno.ETIMEDOUT,
    Gio.IOErrorEnum.TOO_MANY_LINKS: errno.EMLINK,
    Gio.IOErrorEnum.TOO_MANY_OPEN_FILES: errno.EMFILE,
}

refusal = threading.local()


@functools.lru_cache(maxsize=None)
def error_class(base):
    return type(base.__name__, (GLib.Error, base), {'__module__': 'gi.repository.Tf'})


def as_python_error(error):
    """Returns an error that is a GLib.Error like the one given, and what Python has for it."""
    if error.matches(Gio.io_error_quark(), Gio.IOErrorEnum.CLOSED):
        return error_class(ValueError)(error.message, error.domain, error.code)

    number = ERRNO_OF_CODE.get(error.code, errno.EIO)
    result = error_class(type(OSError(number, '')))(error.message, error.domain, error.code)
    result.errno = number
    result.strerror = error.message
    return result


def python_errors(function):
    @functools.wraps(function)
    def call(*args, **kwargs):
        refusal.exception = None
        try:
            return function(*args, **kwargs)
        except GLib.Error as error:
            raise (refusal.exception or as_python_error(error)) from error
    return call


def audit(event, path, *data):
    try:
        sys.audit(event, os.fsdecode(path))
        return True
    except Exception as exception:
        refusal.exception = exception
        return False


def set_audit_func(func=None, *data):
    """Sets who is asked instead of sys.audit(), with the path as str; None for nobody."""
    Tf.set_audit_func(func and (lambda event, path, *data: func(event, os.fsdecode(path), *data)), *data)


if hasattr(Tf, 'set_audit_func'):
    Tf.set_audit_func(audit)
    __all__ += ['set_audit_func']


# --- Asynchronous calls --------------------------------------------------------------------------

# What an argument at the end is that is left out, by its name; without one here it is None if that is allowed.
DEFAULTS = {
    'delete_policy': Tf.DeletePolicy.ON_CLOSE,
    'flags': Tf.PersistFlags.NONE,
    'io_priority': GLib.PRIORITY_DEFAULT,
    'min_age_seconds': 0,
    'mode': 0o600,
    'newline': Tf.Newline.UNIVERSAL,
    'errors': Tf.TextErrors.STRICT,
    'type': GLib.SeekType.SET,
}


def as_file(path):
    """Returns the Gio.File of a path, which can be one already."""
    return path if isinstance(path, Gio.File) else Gio.File.new_for_path(os.fspath(path))


def as_path(path):
    return None if path is None else os.fspath(path)


# What releases the result of a function of C that does not go with its last reference.
RELEASES = {
    'tf_named_file_create_full_async': lambda file: file.unlink(),
    'tf_temp_file_dup_fd_async': os.close,
    'tf_temp_file_seal_async': os.close,
}


# What makes of a path what functions of C take, by the name of the type of their argument.
PATH_CONVERTERS = {'File': as_file, 'filename': as_path}


class Operation(asyncio.Future):
    """What can be awaited; to cancel it cancels the operation. A result that nobody takes is released."""

    def __init__(self, cancellable, release):
        super().__init__(loop=asyncio.get_running_loop())
        self.cancellable = cancellable
        self.release = release
        self.take = lambda: None

    def cancel(self, msg=None):
        cancelled = super().cancel(msg)
        if cancelled:
            self.cancellable.cancel()
        return cancelled

    def settle(self, value):
        if not self.done():
            self.set_result(value)
            if self.release is not None:
                self.take = weakref.finalize(self, self.release, value).detach
        elif self.release is not None:
            self.release(value)

    def result(self):
        self.take()
        return super().result()

    async def wait(self):
        # A task that waits for a future calls its result(), even if it is cancelled and drops what that returns.
        try:
            await asyncio.wait((self,))
        except asyncio.CancelledError:
            self.cancel()
            raise
        return self.result()

    def __await__(self):
        return self.wait().__await__()


def operate(start, finish, cancellable, release):
    """Starts at once, and returns the operation."""
    operation = Operation(cancellable or Gio.Cancellable(), release)

    def on_done(source, result):
        try:
            operation.settle(finish(result))
        except GLib.Error as error:
            if not operation.done():
                operation.set_exception(as_python_error(error))

    start(operation.cancellable, on_done)
    return operation


def call_async(start, finish, arguments, io_priority, cancellable, callback, user_data, release=None):
    """Without a callback, returns what can be awaited: PyGObject by itself awaits methods alone."""
    if callback is not None:
        return start(*arguments, io_priority, cancellable, callback, *user_data)
    return operate(functools.partial(start, *arguments, io_priority), finish, cancellable, release)


def argument_converter(argument):
    """Returns what converts a path or text for an argument of a function of C; None if it takes neither."""
    if argument.get_name() == 'text':
        return str.encode
    type_info = argument.get_type_info() if hasattr(argument, 'get_type_info') else argument.get_type()
    interface = type_info.get_interface()
    return PATH_CONVERTERS.get(type_info.get_tag_as_string() if interface is None else interface.get_name())


def signature_of(function, defaults):
    """Returns the arguments of a function of C, with what those at the end are that may be left out."""
    arguments = [argument for argument in function.get_arguments() if argument.get_direction() != Direction.OUT]
    lengths = {'length', *(f'n_{argument.get_name()}' for argument in arguments)}
    parameters = [inspect.Parameter('self', inspect.Parameter.POSITIONAL_ONLY)] if function.is_method() else []
    for argument in arguments:
        name = argument.get_name()
        if name == 'user_data':
            parameters.append(inspect.Parameter(name, inspect.Parameter.VAR_POSITIONAL))
        elif name not in lengths:
            parameters.append(inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD))

    for i, parameter in reversed(list(enumerate(parameters))):
        nullable = any(argument.get_name() == parameter.name and argument.may_be_null() for argument in arguments)
        if parameter.kind == inspect.Parameter.VAR_POSITIONAL:
            continue
        if parameter.name not in defaults and not nullable:
            break
        parameters[i] = parameter.replace(default=defaults.get(parameter.name))
    return inspect.Signature(parameters)


def complete(function, finish, defaults):
    """Returns a function that takes paths for files, has defaults for arguments at the end, and can be awaited."""
    signature = signature_of(function, defaults)
    converters = {argument.get_name(): argument_converter(argument) for argument in function.get_arguments()}

    def call(*args, **kwargs):
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()
        for name, value in bound.arguments.items():
            if converters.get(name):
                bound.arguments[name] = converters[name](value)
        if finish is None:
            return function(*bound.args)

        values = dict(bound.arguments)
        user_data, callback, cancellable, io_priority = \
            [values.pop(name) for name in ('user_data', 'callback', 'cancellable', 'io_priority')]
        end = functools.partial(finish, values['self']) if function.is_method() else finish
        return call_async(function, end, values.values(), io_priority, cancellable, callback, user_data,
                          RELEASES.get(function.get_symbol()))

    call.__name__ = function.__name__
    call.__doc__ = function.__doc__
    call.__signature__ = signature
    return call


def complete_all(owner, **defaults):
    """Completes the functions of C of a module or class that take paths or text, are asynchronous or construct."""
    functions = {}
    for name in dir(owner):
        function = getattr(owner, name, None) if name[0].islower() and not name.startswith('do_') else None
        if not isinstance(function, FunctionInfo):
            continue
        finish = getattr(owner, name[:-len('async')] + 'finish', None) if name.endswith('_async') else None
        is_converted = any(argument_converter(argument) for argument in function.get_arguments())
        if finish is not None or is_converted or function.is_constructor():
            call = complete(function, finish, {**DEFAULTS, **defaults})
            functions[name] = call if function.is_method() else staticmethod(call)
    return functions


# --- Names -------------------------------------------------------------------------------------

class TempDirVariable:
    """The variable tempdir of Python's tempfile."""

    value = None

    def __get__(self, module, module_type=None):
        return self.value

    def __set__(self, module, value):
        if not isinstance(value, (str, bytes, type(None))):
            raise TypeError(f'tempdir must be str, bytes or None, not {type(value).__name__}')
        Tf.set_temp_dir(value)
        self.value = value


tempdir = TempDirVariable()
type(sys.modules['gi.repository.Tf']).tempdir = tempdir


def name_parts(prefix, suffix, dir):
    """Returns what the C calls take, and the type in which to return a path."""
    parts = [None if part is None else os.fspath(part) for part in (prefix, suffix, dir)]
    types = {type(part) for part in parts if part is not None} or {type(tempdir.value or '')}
    if len(types) > 1:
        raise TypeError("Can't mix bytes and non-bytes in path components.")
    return parts, types.pop()


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


@python_errors
def gettempdir():
    """Returns the directory for temporary things as str."""
    path = Tf.get_temp_dir()
    if tempdir.value is None:
        tempdir.value = path
    return path


def gettempdirb():
    """Returns the directory for temporary things as bytes."""
    return os.fsencode(gettempdir())


def gettempprefix():
    """Returns what the names of temporary things begin with, as str."""
    return Tf.get_temp_prefix()


def gettempprefixb():
    """Returns what the names of temporary things begin with, as bytes."""
    return os.fsencode(gettempprefix())


def sweep(prefix=None, dir=None, min_age_seconds=0, cancellable=None):
    """Removes what killed processes have left; returns how many files and directories that were."""
    parts, _ = name_parts(prefix, None, dir)
    return Tf.sweep(parts[0], parts[2], min_age_seconds, cancellable).n_removed


def sweep_async(prefix=None, dir=None, min_age_seconds=0, io_priority=GLib.PRIORITY_DEFAULT,
                cancellable=None, callback=None, *user_data):
    """Like sweep(); to be awaited, or with a callback that calls Tf.sweep_finish()."""
    parts, _ = name_parts(prefix, None, dir)

    def finish(result):
        return Tf.sweep_finish(result).n_removed
    return call_async(Tf.sweep_async, finish, (parts[0], parts[2], min_age_seconds),
                      io_priority, cancellable, callback, user_data)


@python_errors
def remove_tree(path, cancellable=None):
    """Like shutil.rmtree(), for a file, too; takes a path or a Gio.File."""
    Tf.remove_tree(as_file(path), cancellable)


def remove_tree_async(path, io_priority=GLib.PRIORITY_DEFAULT, cancellable=None, callback=None, *user_data):
    """Like remove_tree(); to be awaited, or with a callback that calls Tf.remove_tree_finish()."""
    return call_async(Tf.remove_tree_async, Tf.remove_tree_finish, (as_file(path),),
                      io_priority, cancellable, callback, user_data)


__all__ += ['remove_tree', 'remove_tree_async']
__all__ += ['mkstemp_async', 'mkdtemp_async', 'sweep', 'sweep_async']
__all__ += ['mkstemp', 'mkdtemp', 'mktemp', 'gettempdir', 'gettempdirb', 'gettempprefix', 'gettempprefixb']


for name, function in complete_all(Tf).items():
    if name not in __all__:
        globals()[name] = function.__func__
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


def as_glib_bytes(content):
    return content if isinstance(content, GLib.Bytes) else GLib.Bytes(memoryview(content).tobytes())


# --- Files -------------------------------------------------------------------------------------

class TextFile(io.TextIOWrapper):
    """The text of a file, with the other methods of the file."""

    def __getattr__(self, name):
        if name.startswith('__'):
            raise AttributeError(name)
        if not self.closed:
            self.flush()
        return getattr(self.buffer, name)

    def __exit__(self, *exception):
        try:
            self.close()
        finally:
            self.buffer.__exit__(*exception)


class NamedTextFile(TextFile):
    def __fspath__(self):
        return os.fspath(self.buffer)


def open_text(file, text_type, mode, buffering, encoding, newline, errors):
    if buffering == 0:
        raise ValueError("can't have unbuffered text I/O")
    text = text_type(file, encoding, errors, newline, line_buffering=buffering == 1)
    text.mode = mode
    return text


def check_mode(mode, encoding, newline, errors):
    """Tells whether the mode is a binary one, and refuses what open() refuses."""
    kind = set(mode)
    if len(kind) != len(mode) or kind - set('rwxab+t') or len(kind & set('rwxa')) != 1 or {'b', 't'} <= kind:
        raise ValueError(f'invalid mode: {mode!r}')
    if 'b' not in kind:
        return False
    for name, value in (('encoding', encoding), ('errors', errors), ('newline', newline)):
        if value is not None:
            raise ValueError(f"binary mode doesn't take an {name} argument")
    return True


def or_none_at_end(name):
    """Returns a method of reading that returns None at the end: PyGObject makes empty bytes of it."""
    function = getattr(Tf.TempFile, name)

    @functools.wraps(function)
    def read(self, *args, **kwargs):
        piece = function(self, *args, **kwargs)
        return piece if piece or self.tell() < self.get_size() else None
    return read


@override
class TempFile(Tf.TempFile):
    """A temporary file, for Python a binary file that can be read and written: an io.BufferedIOBase.

    With a text mode, the call returns an io.TextIOWrapper over the file, which has its methods, too.
    """

    text_type = TextFile
    name_type = str

    def __new__(cls, mode='w+b', buffering=-1, encoding=None, newline=None,
                suffix=None, prefix=None, dir=None, *, errors=None, **properties):
        if cls not in (TempFile, NamedFile) or not isinstance(mode, str) or \
                check_mode(mode, encoding, newline, errors):
            return super().__new__(cls)
        file = cls(suffix=suffix, prefix=prefix, dir=dir, **properties)
        return open_text(file, cls.text_type, mode, buffering, encoding, newline, errors)

    @python_errors
    def __init__(self, mode='w+b', buffering=-1, encoding=None, newline=None,
                 suffix=None, prefix=None, dir=None, *, errors=None, cancellable=None, **properties):
        """mode is that of open(), or as an int the permission bits."""
        if not isinstance(mode, str):
            properties['mode'] = mode
        elif not check_mode(mode, encoding, newline, errors):
            raise ValueError(f'{type(self).__name__} cannot be a text file: use io.TextIOWrapper over it')

        parts, name_type = name_parts(prefix, suffix, dir)
        if name_type is bytes:
            self.name_type = bytes
        super().__init__(**name_properties(parts), **properties)
        self.init(cancellable)

    def __enter__(self):
        self.check_open()
        return self

    def __exit__(self, *exception):
        self.close()

    def __iter__(self):
        self.check_open()
        return self

    def __next__(self):
        line = self.readline()
        if not line:
            raise StopIteration
        return line

    @property
    def closed(self):
        return self.is_closed()

    @property
    def name(self):
        return self.fileno()

    @property
    def mode(self):
        return 'rb+'

    @python_errors
    def fileno(self):
        return self.get_fd()

    def check_open(self):
        if self.closed:
            raise ValueError('I/O operation on closed file.')

    @python_errors
    def flush(self, cancellable=None):
        """Writes to the file what is held back in this process."""
        self.check_open()
        super().flush(cancellable)

    def readable(self):
        self.check_open()
        return True

    writable = seekable = readable

    def isatty(self):
        self.check_open()
        return False

    def detach(self):
        raise io.UnsupportedOperation('detach')

    @python_errors
    def read(self, size=-1, cancellable=None):
        if size is None or size < 0:
            size = GLib.MAXSIZE
        return self.read_bytes(size, cancellable).get_data() or b''

    read1 = read

    read_line, read_upto, read_line_finish, read_upto_finish = [
        or_none_at_end(name) for name in ('read_line', 'read_upto', 'read_line_finish', 'read_upto_finish')]

    def readinto(self, buffer):
        with memoryview(buffer).cast('B') as view:
            data = self.read(len(view))
            view[:len(data)] = data
        return len(data)

    readinto1 = readinto

    @python_errors
    def readline(self, size=-1):
        if size is None or size < 0:
            return self.read_line() or b''

        # The line may be much longer than what is asked for.
        line = bytearray()
        step = 256
        while len(line) < size:
            piece = self.read(min(step, size - len(line)))
            end = piece.find(b'\n') + 1
            if end > 0:
                self.seek(end - len(piece), os.SEEK_CUR)
                piece = piece[:end]
            line += piece
            if end > 0 or not piece:
                break
            step *= 2
        return bytes(line)

    def readlines(self, hint=-1):
        lines = []
        size = 0
        for line in self:
            lines.append(line)
            size += len(line)
            if hint is not None and 0 < hint <= size:
                break
        return lines

    @python_errors
    def write(self, data, cancellable=None):
        """Writes all of a bytes-like object, and returns how many bytes it has."""
        if not isinstance(data, bytes):
            data = memoryview(data).tobytes()
        super().write(data, cancellable)
        return len(data)

    def writelines(self, lines):
        self.check_open()
        for line in lines:
            self.write(line)

    @python_errors
    def seek(self, offset, whence=os.SEEK_SET, cancellable=None):
        """Takes os.SEEK_* and returns the position, or takes GLib.SeekType and returns True."""
        if isinstance(whence, GLib.SeekType):
            return super().seek(offset, whence, cancellable)
        super().seek(offset, SEEK_TYPE[whence], cancellable)
        return self.tell()

    def tell(self):
        self.check_open()
        return super().tell()

    @python_errors
    def truncate(self, size=None, cancellable=None):
        if size is None:
            size = self.tell()
        super().truncate(size, cancellable)
        return size

    @python_errors
    def close(self, cancellable=None):
        super().close(cancellable)


class SeekTypes(dict):
    def __missing__(self, whence):
        raise ValueError(f'invalid whence ({whence!r}, should be 0, 1 or 2)')


SEEK_TYPE = SeekTypes({
    os.SEEK_SET: GLib.SeekType.SET,
    os.SEEK_CUR: GLib.SeekType.CUR,
    os.SEEK_END: GLib.SeekType.END,
})

io.BufferedIOBase.register(TempFile)


@override
class NamedFile(Tf.NamedFile):
    """A temporary file with a path, which is its name; see TempFile for the other arguments."""

    text_type = NamedTextFile

    def __new__(cls, mode='w+b', buffering=-1, encoding=None, newline=None,
                suffix=None, prefix=None, dir=None, delete=True, **kwargs):
        return super().__new__(cls, mode, buffering, encoding, newline, suffix, prefix, dir, delete=delete, **kwargs)

    def __init__(self, mode='w+b', buffering=-1, encoding=None, newline=None,
                 suffix=None, prefix=None, dir=None, delete=True, *,
                 errors=None, delete_on_close=True, **properties):
        if not delete:
            properties.setdefault('delete_policy', Tf.DeletePolicy.NEVER)
        elif not delete_on_close:
            properties.setdefault('delete_policy', Tf.DeletePolicy.ON_DISPOSE)
        properties.setdefault('buffered', buffering != 0)
        super().__init__(mode, buffering, encoding, newline, suffix, prefix, dir, errors=errors, **properties)

    @staticmethod
    @python_errors
    def new_from_bytes(content, prefix=None, suffix=None, dir=None, cancellable=None):
        """Takes a bytes-like object or GLib.Bytes."""
        return Tf.NamedFile.new_from_bytes(as_glib_bytes(content), *name_parts(prefix, suffix, dir)[0], cancellable)

    @staticmethod
    def create_from_bytes_async(content, prefix=None, suffix=None, dir=None, io_priority=GLib.PRIORITY_DEFAULT,
                                cancellable=None, callback=None, *user_data):
        return call_async(Tf.NamedFile.create_from_bytes_async, Tf.NamedFile.create_from_bytes_finish,
                          (as_glib_bytes(content), *name_parts(prefix, suffix, dir)[0]),
                          io_priority, cancellable, callback, user_data)

    @python_errors
    def __exit__(self, *exception):
        try:
            self.close()
        finally:
            if self.get_delete_policy() == Tf.DeletePolicy.ON_DISPOSE:
                self.unlink()

    def __fspath__(self):
        return self.name

    @property
    def name(self):
        return as_type(self.get_path(), self.name_type)

    @property
    def delete(self):
        return self.get_delete_policy() != Tf.DeletePolicy.NEVER

    def hold_for_subprocess(self, subprocess):
        """Takes a Gio.Subprocess or what has a pid: a subprocess.Popen, for example."""
        if isinstance(subprocess, Gio.Subprocess):
            super().hold_for_subprocess(subprocess)
            hold(self, NamedFile.remove_unless_kept)
        else:
            self.hold_for_pid(subprocess.pid)

    def hold_for_pid(self, pid):
        super().hold_for_pid(pid)
        hold(self, NamedFile.remove_unless_kept)

    def hold_until_exit(self):
        super().hold_until_exit()
        hold(self, NamedFile.remove_unless_kept)

    def remove_unless_kept(self):
        if self.delete:
            self.unlink()


@override
class SpooledFile(Tf.SpooledFile):
    """A temporary file in memory until it outgrows max_size bytes; -1: never by size."""

    def __new__(cls, max_size=1 << 20, mode='w+b', buffering=-1, encoding=None, newline=None,
                suffix=None, prefix=None, dir=None, *, errors=None, **properties):
        if not isinstance(mode, str) or check_mode(mode, encoding, newline, errors):
            return super().__new__(cls)
        file = cls(max_size, suffix=suffix, prefix=prefix, dir=dir, **properties)
        return open_text(file, cls.text_type, mode, buffering, encoding, newline, errors)

    def __init__(self, max_size=1 << 20, *args, **kwargs):
        super().__init__(*args, max_size=max_size, **kwargs)

    @property
    def name(self):
        return self.fileno() if self.is_rolled_over() else None

    @python_errors
    def rollover(self, cancellable=None):
        super().rollover(cancellable)


def SpooledTemporaryFile(max_size=0, mode='w+b', buffering=-1, encoding=None, newline=None,
                         suffix=None, prefix=None, dir=None, *, errors=None, **properties):
    """SpooledFile as Python spells it: max_size=0 means that no size makes it roll over."""
    return SpooledFile(max_size if max_size > 0 else -1, mode, buffering, encoding, newline, suffix, prefix, dir,
                       errors=errors, **properties)


@override
class TextStream(Tf.TextStream):
    """Text over a file, with the encodings of iconv; its lines are what it is iterated over.

    What other Python code takes for a text file is the file that the modes without a b make.
    """

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

    def seek(self, offset, type=GLib.SeekType.SET, cancellable=None):
        return super().seek(offset, type, cancellable)

    def truncate(self, size=-1, cancellable=None):
        return super().truncate(size, cancellable)


# --- Directories -------------------------------------------------------------------------------

@override
class TempDir(Tf.TempDir):
    """A directory that is removed with all it holds; the with statement gives its path."""

    name_type = str

    @python_errors
    def __init__(self, suffix=None, prefix=None, dir=None, ignore_cleanup_errors=False, *,
                 delete=True, cancellable=None, **properties):
        parts, name_type = name_parts(prefix, suffix, dir)
        if name_type is bytes:
            self.name_type = bytes
        properties.setdefault('auto_cleanup', delete)
        super().__init__(ignore_cleanup_errors=ignore_cleanup_errors, **name_properties(parts), **properties)
        self.init(cancellable)

    def build_filename(self, *elements):
        """Like os.path.join(), and refuses what would leave the directory."""
        return as_type(super().build_filename([os.fspath(element) for element in elements]), self.name_type)

    def __enter__(self):
        return self.name

    def __exit__(self, *exception):
        if self.get_auto_cleanup():
            self.cleanup()

    def __fspath__(self):
        return self.name

    @property
    def name(self):
        return as_type(self.get_path(), self.name_type)

    @python_errors
    def cleanup(self, cancellable=None):
        super().cleanup(cancellable)

    def hold_for_subprocess(self, subprocess):
        """Takes a Gio.Subprocess or what has a pid: a subprocess.Popen, for example."""
        if isinstance(subprocess, Gio.Subprocess):
            super().hold_for_subprocess(subprocess)
            hold(self, TempDir.remove_unless_kept)
        else:
            self.hold_for_pid(subprocess.pid)

    def hold_for_pid(self, pid):
        super().hold_for_pid(pid)
        hold(self, TempDir.remove_unless_kept)

    def hold_until_exit(self):
        super().hold_until_exit()
        hold(self, TempDir.remove_unless_kept)

    def remove_unless_kept(self):
        if self.get_auto_cleanup():
            self.cleanup()


for klass in TempFile, NamedFile, SpooledFile, TempDir, TextStream:
    defaults = {TempDir: {'mode': 0o700}, TextStream: {'size': -1}}.get(klass, {})
    for name, function in complete_all(klass, **defaults).items():
        setattr(klass, name, function)

TemporaryFile = TempFile
NamedTemporaryFile = NamedFile
TemporaryDirectory = TempDir

__all__ += ['TempFile', 'NamedFile', 'SpooledFile', 'TextStream', 'TempDir']
__all__ += ['TemporaryFile', 'NamedTemporaryFile', 'SpooledTemporaryFile', 'TemporaryDirectory']
