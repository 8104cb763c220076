# SPDX-FileCopyrightText: 2026 The tempfile-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""What the extension module _gi_tf does, for a Python that it was not built for: the same, slower."""

import contextlib
import errno
import functools
import io
import operator
import os
import sys
import warnings
from _thread import RLock, get_ident

from gi.repository import Gio, GLib

from ..module import get_introspection_module

Tf = get_introspection_module('Tf')

SEEK_TYPES = {
    os.SEEK_SET: GLib.SeekType.SET,
    os.SEEK_CUR: GLib.SeekType.CUR,
    os.SEEK_END: GLib.SeekType.END,
}

# What is used besides the classes of the file itself.
CLASSES_OF_GIO = Gio.InputStream, Gio.OutputStream, Gio.Seekable

FILE_BASES = ()

raise_error = refuse = None


def set_up(object_type, new_raise_error, new_refuse, seek_type):
    global raise_error, refuse
    raise_error, refuse = new_raise_error, new_refuse


def set_classes(files, dir):
    """The classes need nothing here."""


def set_names_are_bytes(are_bytes):
    """All names go through the same way here."""


# What calls of C use. All are safe, but whoever only asks does not wait for them. The threads of a parent are not in its
# child.
uses = []
os.register_at_fork(after_in_child=uses.clear)


def begin_use(object):
    uses.append(object)


def end_use(object):
    with contextlib.suppress(ValueError):
        uses.remove(object)


def is_used(object):
    return any(used is object for used in uses)


def state_of(object):
    return object.__dict__


def get_last_errno():
    """C alone can tell."""


def get_path(object):
    path = (Tf.TempDir if isinstance(object, Tf.TempDir) else Tf.NamedFile).get_path(object)
    return os.fsencode(path) if object.__dict__.get('_name_type') is bytes and path is not None else path


def get_mode(object):
    """Nothing: all modes are in the dictionary."""


def audit(event, path, *data):
    path = os.fsdecode(path)
    try:
        sys.audit(event, path)
        return True
    except BaseException as exception:
        refuse(path, exception)
        return False


def set_auditing(is_audited):
    Tf.set_audit_func(audit if is_audited else None)


def whole_errors(function):
    @functools.wraps(function)
    def call(*args, **kwargs):
        try:
            return function(*args, **kwargs)
        except GLib.Error as error:
            if isinstance(error, (OSError, ValueError, MemoryError)):
                raise
            raise_error(error.message, error.domain, error.code, None)
    return call


def method(access=None):
    """Makes a method do what the text does, if the file is text, or nothing if the mode does not allow it."""
    def decorate(function):
        name = function.__name__
        function = whole_errors(function)

        @functools.wraps(function)
        def call(self, *args, **kwargs):
            text = self.__dict__.get('_text')
            if text is not None:
                return getattr(text, name)(*args, **kwargs)
            if access is not None and not self.closed and not is_allowed(self, access):
                raise io.UnsupportedOperation('read' if access == 'r' else 'write')
            return function(self, *args, **kwargs)
        return call
    return decorate


def counted(function):
    """Makes an error of write() say how many bytes were written before it."""
    @functools.wraps(function)
    def call(self, data, *args, **kwargs):
        seekable = self.input if isinstance(self, Buffer) else self
        start = Gio.Seekable.tell(seekable)
        try:
            return function(self, data, *args, **kwargs)
        except GLib.Error as error:
            # The operation that is in the way may move the position.
            is_pending = error.matches(Gio.io_error_quark(), Gio.IOErrorEnum.PENDING)
            error.characters_written = 0 if is_pending else max(Gio.Seekable.tell(seekable) - start, 0)
            raise
    return call


def as_offset(offset, in_memory):
    """Like lseek(2) in CPython, the disk refuses what is no offset in another way than memory."""
    offset = operator.index(offset)
    if not in_memory and not -1 << 63 <= offset < 1 << 63:
        raise ValueError("cannot fit 'int' into an offset-sized integer")
    return offset


def is_in_memory(file):
    return isinstance(file, Tf.SpooledFile) and not Tf.SpooledFile.is_rolled_over(file)


def is_allowed(file, access):
    return file.__dict__.get('_access', access) == access or is_in_memory(file)


def closed_error():
    return ValueError('I/O operation on closed file.')


def as_bytes(data):
    return data if isinstance(data, bytes) else memoryview(data).tobytes()


def as_size(size):
    """Returns -1 for all."""
    return -1 if size is None else operator.index(size)


def split_lines(lines, hint):
    """Returns a list of lines, until they are as many bytes as HINT."""
    result = []
    size = 0
    for line in lines:
        result.append(line)
        size += len(line)
        if 0 < hint <= size:
            break
    return result


def plain(file):
    """Returns where the methods are that no subclass has replaced."""
    return Buffer if isinstance(file, Buffer) else File


def is_free(lock):
    """False if another thread has the lock."""
    free = lock.acquire(blocking=False)
    if free:
        lock.release()
    return free


class Reading:
    """What follows from read(), write() and seek()."""

    def __enter__(self):
        if self.closed:
            raise closed_error()
        return self

    def __exit__(self, *exception):
        self.close()

    def __iter__(self):
        return self

    def __next__(self):
        line = plain(self).readline(self)
        if not line:
            raise StopIteration
        return line

    def readline(self, size=-1, /):
        """Read a line with its newline, but size bytes at most; b'' at the end."""
        # The line may be much longer than what is asked for.
        size = as_size(size)
        plain(self).seekable(self)
        line = bytearray()
        step = 256
        while size < 0 or len(line) < size:
            piece = plain(self).read(self, step if size < 0 else min(step, size - len(line)))
            end = piece.find(b'\n') + 1
            if end > 0:
                plain(self).seek(self, end - len(piece), os.SEEK_CUR)
                piece = piece[:end]
            line += piece
            if end > 0 or not piece:
                break
            step *= 2
        return bytes(line)

    def readlines(self, hint=-1, /):
        """Read a list of lines, until they are more than hint bytes; in memory, hint bytes or more."""
        hint = as_size(hint)
        is_more = hint > 0 and not (self.is_in_memory() if isinstance(self, Buffer) else is_in_memory(self))
        return split_lines(iter(lambda: plain(self).readline(self), b''), hint + 1 if is_more else hint)

    def peek(self, size=0, /):
        """Return bytes at the position, at least one unless at the end, and stay there."""
        data = plain(self).read(self, max(operator.index(size), 8192))
        plain(self).seek(self, -len(data), os.SEEK_CUR)
        return data

    def writelines(self, lines, /):
        """Write each of lines; no newline is added."""
        plain(self).seekable(self)
        for line in lines:
            plain(self).write(self, line)

    def readinto(self, buffer, /):
        """Read bytes into buffer and return how many; 0 at the end."""
        with memoryview(buffer).cast('B') as view:
            data = plain(self).read(self, len(view))
            view[:len(data)] = data
        return len(data)


class Buffer(Reading):
    """The bytes of a text file. It has a reference to the streams of the file; to the file, if that was left to it.

    What a text has taken of what was written to it is not here at once. So a thread that makes it do so, and only asks,
    has a lock until it is: who writes waits for that lock first, so that nothing overtakes it.
    """

    taken = None
    # The position of the first byte that is kept, and how many are being written, while that is so.
    being_written = None

    def __init__(self, file, state={}):
        self.state = state
        self.input = file.get_input_stream()
        self.output = file.get_output_stream()
        self.file = file.weak_ref()
        self.kept = bytearray()
        self.asking = set()
        self.placing = RLock()
        self.turn = RLock()

    def take_file(self, file):
        """The file is dropped; from now on this keeps it."""
        self.taken = file

    def is_asking(self):
        return get_ident() in self.asking

    def ask(self, question, *args):
        """Calls what brings text here. Meanwhile this thread waits neither for the disk nor for who uses the file."""
        if self.is_asking():
            return question(*args)
        self.forget_dead_threads()
        with self.placing:
            self.asking.add(get_ident())
            try:
                return question(*args)
            finally:
                self.asking.discard(get_ident())

    def write(self, data, /):
        """Write all of a bytes-like object, or keep what is refused, and return its size in bytes."""
        self.forget_dead_threads()
        with self.placing:
            is_kept = self.is_asking() or len(self.kept) > 0
            if is_kept:
                self.kept += data
        if self.is_asking():
            return len(data)
        with self.turn:
            return self.write_in_turn(data, is_kept)

    def is_busy(self):
        """Whether an asynchronous call refuses what is written now."""
        file = self.file()
        return self.output.has_pending() or file is not None and Gio.IOStream.has_pending(file)

    def write_kept(self):
        """Writes what is kept, before anything else is done with the file, and before this goes."""
        self.forget_dead_threads()
        if self.kept:
            with self.turn:
                self.write_kept_in_turn()

    def try_write_kept(self):
        """Writes what is kept, unless another thread writes."""
        if self.kept and self.turn.acquire(blocking=False):
            try:
                self.write_kept_in_turn()
            finally:
                self.turn.release()

    def write_kept_in_turn(self):
        """What is refused stays. What a function writes that this calls is kept behind it."""
        while self.kept and self.being_written is None:
            self.write_some_kept()

    def write_some_kept(self):
        """All of it, but only its beginning, so that the rest is not copied, if that is refused anyway."""
        with self.placing:
            kept = bytes(self.kept[:4096] if self.is_busy() else self.kept)
            self.being_written = self.input.tell(), len(kept)
        n_written = 0
        try:
            n_written = self.write_now(kept)
        except BaseException as error:
            n_written = getattr(error, 'characters_written', 0)
            raise
        finally:
            self.drop_written(n_written)

    def drop_written(self, size):
        with self.placing:
            if self.being_written is not None:
                del self.kept[:size]
                self.being_written = None

    def forget_dead_threads(self):
        """While the interpreter ends, threads end in the middle of what they do."""
        if sys.is_finalizing():
            self.forget_threads()

    def forget_threads(self):
        """What one of the other threads writes, which are not there any more, is not kept."""
        self.asking &= {get_ident()}
        if not is_free(self.placing):
            self.placing = RLock()
        if not is_free(self.turn):
            self.turn = RLock()
            self.drop_written(self.being_written[1] if self.being_written is not None else 0)

    def leave_to_parent(self):
        """In a child, which has none of the other threads of its parent. What is kept is the parent's to write, unless the
        child has a copy of the file."""
        self.forget_threads()
        if not self.is_in_memory():
            self.kept.clear()

    def __del__(self):
        """A text that was there has closed the file."""
        if not self.closed:
            self.write_kept()
        if self.taken is not None and not self.closed:
            warn(self.taken)
            close_object(self.taken)

    def _dealloc_warn(self, source):
        """What an io.TextIOWrapper calls before it closes the bytes because it was dropped."""
        file = self.taken or self.file()
        if file is not None:
            warn(file)

    def is_in_memory(self):
        file = self.file()
        return file is not None and is_in_memory(file)

    @property
    def closed(self):
        return self.input.is_closed()

    def seekable(self):
        if self.closed:
            raise closed_error()
        return True

    def is_allowed(self, access):
        return self.state.get('_access', access) == access or self.is_in_memory()

    def readable(self):
        return self.seekable() and self.is_allowed('r')

    def writable(self):
        return self.seekable() and self.is_allowed('w')

    def isatty(self):
        return not self.seekable()

    def fileno(self):
        if self.closed:
            raise closed_error()
        return self.file().get_fd()

    def check(self, access):
        if not self.closed and not self.is_allowed(access):
            raise io.UnsupportedOperation('read' if access == 'r' else 'write')

    @whole_errors
    def read(self, size=-1, /):
        self.check('r')
        pieces = []
        size = as_size(size)
        while size != 0:
            piece = self.input.read_bytes(min(size, 1 << 20) if size > 0 else 1 << 20, None).get_data()
            if not piece:
                break
            pieces.append(piece)
            size -= len(piece) if size > 0 else 0
        return b''.join(pieces)

    read1 = read
    readinto1 = Reading.readinto

    @counted
    @whole_errors
    def write_now(self, data, /):
        self.check('w')
        data = as_bytes(data)
        if data or self.closed:
            self.output.write_all(data, None)
        return len(data)

    @whole_errors
    def flush_output(self):
        if self.closed:
            raise closed_error()
        with self.turn:
            self.output.flush(None)

    def flush(self):
        """Write what is held back in this process to the file, unless this thread only asks."""
        if self.is_asking():
            return
        try:
            self.write_kept()
            self.flush_output()
        except OSError as error:
            if not self.forgives(error):
                raise

    @whole_errors
    def seek(self, offset, whence=os.SEEK_SET, /):
        offset = as_offset(offset, self.is_in_memory())
        self.seekable()
        self.input.seek(offset, SEEK_TYPES[whence], None)
        return self.input.tell()

    def tell(self):
        """Counts what is kept."""
        if self.closed:
            raise closed_error()
        self.forget_dead_threads()
        with self.placing:
            start = self.input.tell() if self.being_written is None else self.being_written[0]
            return start + len(self.kept)

    @whole_errors
    def truncate(self, size=None, /):
        self.check('w')
        size = self.tell() if size is None else operator.index(size)
        if size < 0 and self.is_in_memory():
            raise ValueError(f'negative size value {size}')
        with self.turn:
            self.output.truncate(size, None)
        return size

    def close(self):
        file = self.file()
        if file is not None:
            close_object(file)
        self.taken = None


def after_kept(function):
    """Makes a method of the bytes write what they keep, first."""
    @functools.wraps(function)
    def call(self, *args, **kwargs):
        if self.kept:
            self.write_kept()
        return function(self, *args, **kwargs)
    return call


for name in ('fileno', 'peek', 'read', 'read1', 'readinto', 'readinto1', 'readline', 'readlines', 'seek', 'truncate',
             'writelines', '__next__'):
    setattr(Buffer, name, after_kept(getattr(Buffer, name)))


# While more bytes of a text are kept that the disk refuses, it takes nothing.
MOST_KEPT = 65536


def get_text_write(buffer, method, reference=None):
    """Returns a write() for a text file. Takes its bytes, and the method of the text, or of its class and a weak
    reference."""
    def write(string, /):
        """Write a string to the file and return its length."""
        text = () if reference is None else (reference(),)
        if None in text:
            raise closed_error()
        buffer.forget_dead_threads()
        if len(buffer.kept) > MOST_KEPT:
            buffer.make_room()
        # Where io.TextIOWrapper.write() makes room, it forgets what others write to it meanwhile.
        with buffer.turn:
            return method(*text, string)
    return write


@whole_errors
def close_object(file, cancellable=None):
    Gio.IOStream.close(file, cancellable)


def is_last_reference(instance):
    """False, too, for what was never initialized."""
    try:
        return instance.__grefcount__ == 1
    except (AttributeError, TypeError, RuntimeError):
        return False


def is_automatic(file):
    """Whether the file is removed by this process without being asked to."""
    return isinstance(file, Tf.NamedFile) and Tf.NamedFile.get_delete_policy(file) != Tf.DeletePolicy.NEVER and \
        not Tf.NamedFile.is_handed_over(file) and not Tf.NamedFile.is_inherited(file)


def warn(file):
    # As in tempfile, the warning about a file that is removed does not hold it. What a parent has is not this process's to
    # close.
    if is_automatic(file):
        warnings.warn(f'Implicitly cleaning up {file!r}', ResourceWarning, stacklevel=3)
    elif not isinstance(file, Tf.NamedFile) or not Tf.NamedFile.is_inherited(file):
        warnings.warn(f'unclosed file {file!r}', ResourceWarning, source=file, stacklevel=3)


def seek_in_holes(fd, file, offset, whence):
    try:
        return os.lseek(fd, offset, whence)
    except OSError as error:
        error.filename = file.name if isinstance(file, Tf.NamedFile) else None
        raise


class File(Reading):
    """What stands first among the bases of TempFile, NamedFile and SpooledFile."""

    def __init__(self, *args, **kwargs):
        self._init(*args, **kwargs)

    def __del__(self):
        if not is_last_reference(self) or self.closed:
            return
        if '_text' in self.__dict__:
            self._leave_to_buffer()
        else:
            warn(self)
            close_object(self)

    def _leave_to_buffer(self):
        try:
            self._text.flush()
        except ValueError:
            # It was detached.
            pass
        finally:
            self._buffer.take_file(self)
            for name in 'flush', 'read', 'readline', 'write', '_text', '_buffer':
                self.__dict__.pop(name, None)

    @whole_errors
    def __exit__(self, *exception):
        self.close()
        if is_automatic(self) and Tf.NamedFile.get_delete_policy(self) == Tf.DeletePolicy.ON_DISPOSE:
            self.unlink()

    def __iter__(self):
        if self.closed:
            raise closed_error()
        text = self.__dict__.get('_text')
        return self if text is None else text

    readlines, peek = map(method('r'), (Reading.readlines, Reading.peek))

    def __next__(self):
        # As in tempfile, a text in memory still tells its position after next().
        text = self.__dict__.get('_text')
        if text is not None and not isinstance(self, Tf.SpooledFile):
            return next(text)
        line = File.readline(self)
        if not line:
            raise StopIteration
        return line

    writelines = method('w')(Reading.writelines)

    @property
    def closed(self):
        """Whether the file is closed."""
        return Gio.IOStream.is_closed(self)

    def _check_spooled(self, name):
        if not isinstance(self, Tf.SpooledFile):
            raise AttributeError(f'{type(self).__name__!r} object has no attribute {name!r}')

    @property
    def _rolled(self):
        self._check_spooled('_rolled')
        # Text that was written counts.
        self._offer_text()
        return Tf.SpooledFile.is_rolled_over(self)

    @property
    def _max_size(self):
        self._check_spooled('_max_size')
        return max(Tf.SpooledFile.get_max_size(self), 0)

    def close(self, cancellable=None):
        """Close the file; again does nothing."""
        text = self.__dict__.get('_text')
        if text is not None:
            text.close()
        else:
            close_object(self, cancellable)

    @whole_errors
    def fileno(self):
        """Return the descriptor. A file in memory rolls over."""
        if self.closed:
            raise closed_error()
        text = self.__dict__.get('_text')
        if text is not None:
            text.flush()
        return super().get_fd()

    def readable(self):
        """Tell whether the mode allows reading."""
        return File.seekable(self) and is_allowed(self, 'r')

    def writable(self):
        """Tell whether the mode allows writing."""
        return File.seekable(self) and is_allowed(self, 'w')

    def seekable(self):
        """Return True."""
        if self.closed:
            raise closed_error()
        return True

    def isatty(self):
        """Return False."""
        return not File.seekable(self)

    @method()
    def flush(self, cancellable=None):
        """Write what is held back in this process to the file."""
        if self.closed:
            raise closed_error()
        super().flush(cancellable)

    @method('r')
    def read(self, size=-1, cancellable=None):
        """Read size bytes, or fewer at the end of the file; all that are left if size is negative or None."""
        size = as_size(size)
        return super().read_bytes(GLib.MAXSIZE if size < 0 else size, cancellable).get_data() or b''

    @method('r')
    def read1(self, size=-1, cancellable=None):
        """Read size bytes as read() does."""
        return File.read(self, size, cancellable)

    @property
    def readinto(self):
        """readinto(buffer): read bytes into buffer and return how many."""
        if '_text' in self.__dict__:
            raise AttributeError(f'{type(self).__name__!r} object has no attribute \'readinto\'')
        return functools.partial(Reading.readinto, self)

    readinto1 = readinto

    @method('r')
    def readline(self, size=-1, /):
        """Read a line with its newline, but size bytes at most; b'' at the end."""
        size = as_size(size)
        File.seekable(self)
        return super().readline(size) if size >= 0 else Tf.TempFile.read_line(self) or b''

    @counted
    @method('w')
    def write(self, data, cancellable=None):
        """Write all of a bytes-like object and return its size in bytes."""
        data = as_bytes(data)
        super().write(data, cancellable)
        return len(data)

    @method()
    def seek(self, offset, whence=os.SEEK_SET, cancellable=None):
        """Move the position and return it. With a GLib.SeekType as whence, return True."""
        offset = as_offset(offset, is_in_memory(self))
        if isinstance(whence, GLib.SeekType):
            return Gio.Seekable.seek(self, offset, whence, cancellable)
        whence = operator.index(whence)
        File.seekable(self)
        if whence in (os.SEEK_DATA, os.SEEK_HOLE) and not is_in_memory(self):
            return seek_in_holes(File.fileno(self), self, offset, whence)
        if whence not in SEEK_TYPES:
            raise ValueError(f'invalid whence ({whence}, should be 0, 1 or 2)')
        if offset < 0 and is_in_memory(self):
            offset, whence = self.limit_offset(offset, whence)
        Gio.Seekable.seek(self, offset, SEEK_TYPES[whence], cancellable)
        return File.tell(self)

    def limit_offset(self, offset, whence):
        """What BytesIO does: it refuses to move before the start, or stays there."""
        if whence == os.SEEK_SET:
            raise ValueError(f'negative seek value {offset}')
        base = File.tell(self) if whence == os.SEEK_CUR else self.get_size()
        return (offset, whence) if base + offset >= 0 else (0, os.SEEK_SET)

    @method()
    def tell(self):
        """Return the position."""
        File.seekable(self)
        return Gio.Seekable.tell(self)

    def truncate(self, size=None, cancellable=None):
        """Set the size, by default to the position, and return it. The position stays."""
        text = self.__dict__.get('_text')
        return File._truncate(self, size, cancellable) if text is None else text.truncate(size)

    @method('w')
    def _truncate(self, size, cancellable):
        File.seekable(self)
        size = File.tell(self) if size is None else operator.index(size)
        if size < 0 and is_in_memory(self):
            raise ValueError(f'negative size value {size}')
        Gio.Seekable.truncate(self, size, cancellable)
        return size


def is_there(path):
    """Unlike lstat(), readlink() does not ask the server of what is mounted there: EINVAL is something else than a link."""
    try:
        return bool(os.readlink(path))
    except OSError as error:
        return error.errno == errno.EINVAL


class Dir:
    """What stands first among the bases of TempDir."""

    def __init__(self, *args, **kwargs):
        self._init(*args, **kwargs)

    def _is_automatic(self):
        return Tf.TempDir.get_auto_cleanup(self) and not self.is_handed_over() and not Tf.TempDir.is_inherited(self)

    def __del__(self):
        if not is_last_reference(self):
            return
        path = Tf.TempDir.get_path(self)
        if path is None or '_cleaned_up' in self.__dict__ or not self._is_automatic() or not is_there(path):
            return
        try:
            Dir.cleanup(self)
        except BaseException:
            # It is tried again, also at the end, and said only once.
            Tf.TempDir.set_ignore_cleanup_errors(self, True)
            raise
        finally:
            warnings.warn(f'Implicitly cleaning up {self!r}', ResourceWarning, source=self, stacklevel=2)

    @whole_errors
    def cleanup(self, cancellable=None):
        """Remove the directory with all it holds; again does nothing."""
        Tf.TempDir.cleanup(self, cancellable)
        self._cleaned_up = True

    def __enter__(self):
        return self.name

    def __exit__(self, *exception):
        if self._is_automatic():
            self.cleanup()
