# SPDX-FileCopyrightText: 2026 The tempfile-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Errors that are a GLib.Error and, as a whole, what Python raises in its place.

This module needs no typelib, so that any process can unpickle them.
"""

import errno
import functools
import os

from gi.repository import Gio, GLib

# What did not come from a system call, or is told without its errno.
ERRNO_OF_CODE = {
    Gio.IOErrorEnum.BUSY: errno.EBUSY,
    Gio.IOErrorEnum.CANCELLED: errno.ECANCELED,
    Gio.IOErrorEnum.EXISTS: errno.EEXIST,
    Gio.IOErrorEnum.FILENAME_TOO_LONG: errno.ENAMETOOLONG,
    Gio.IOErrorEnum.INVALID_ARGUMENT: errno.EINVAL,
    Gio.IOErrorEnum.INVALID_DATA: errno.EILSEQ,
    Gio.IOErrorEnum.INVALID_FILENAME: errno.EINVAL,
    Gio.IOErrorEnum.IS_DIRECTORY: errno.EISDIR,
    Gio.IOErrorEnum.NOT_DIRECTORY: errno.ENOTDIR,
    Gio.IOErrorEnum.NOT_EMPTY: errno.ENOTEMPTY,
    Gio.IOErrorEnum.NOT_FOUND: errno.ENOENT,
    Gio.IOErrorEnum.NOT_REGULAR_FILE: errno.EINVAL,
    Gio.IOErrorEnum.NOT_SUPPORTED: errno.ENOTSUP,
    Gio.IOErrorEnum.NO_SPACE: errno.ENOSPC,
    Gio.IOErrorEnum.PARTIAL_INPUT: errno.EILSEQ,
    Gio.IOErrorEnum.PENDING: errno.EBUSY,
    Gio.IOErrorEnum.PERMISSION_DENIED: errno.EACCES,
    Gio.IOErrorEnum.READ_ONLY: errno.EROFS,
    Gio.IOErrorEnum.TIMED_OUT: errno.ETIMEDOUT,
    Gio.IOErrorEnum.TOO_MANY_LINKS: errno.EMLINK,
    Gio.IOErrorEnum.TOO_MANY_OPEN_FILES: errno.EMFILE,
    Gio.IOErrorEnum.WOULD_BLOCK: errno.EAGAIN,
    Gio.IOErrorEnum.WRONG_ETAG: errno.ESTALE,
}

VALUE_ERRORS = {
    Gio.IOErrorEnum.CLOSED: 'I/O operation on closed file.',
    Gio.IOErrorEnum.NOT_INITIALIZED: 'I/O operation on uninitialized object',
}

# Where errno does not matter, whatever was the last one.
NEVER_OF_SYSTEM = {Gio.IOErrorEnum.CANCELLED, Gio.IOErrorEnum.PENDING, *VALUE_ERRORS}

# How an error of persist() begins if the bytes are in a file in spite of it, and how it goes on behind the path: that is the
# destination, or what was to take its place.
IN_PLACE = {
    'The file is at “': '”, but may not survive ',
    'The bytes are at “': '”, because the file system may have lost “',
    'The new backup or the former one is at “': '”, because the file system may have lost “',
}

IO_ERROR = GLib.quark_to_string(Gio.io_error_quark())


class WholeError(GLib.Error):
    """What the classes of error_class() have in common."""

    def __init__(self, base, arguments, message, domain, code):
        base.__init__(self, *arguments)
        self.base = base
        self.message = message
        self.domain = domain
        self.code = code

    def __str__(self):
        return self.base.__str__(self)

    def __repr__(self):
        return self.base.__repr__(self)

    def __reduce__(self):
        arguments = self.args
        if isinstance(self, OSError) and self.filename is not None:
            arguments += (self.filename,)
        return rebuild, (self.base, arguments, self.message, self.domain, self.code)


@functools.lru_cache(maxsize=None)
def error_class(base):
    return type(base.__name__, (WholeError, base), {'__module__': 'gi.repository.Tf'})


def rebuild(base, arguments, message, domain, code):
    """Makes the error again from what was pickled of it."""
    return error_class(base)(base, arguments, message, domain, code)


@functools.lru_cache(maxsize=None)
def numbers_of_reasons():
    return {os.strerror(number): number for number in errno.errorcode}


def find_number(message, code, number):
    """Returns the errno of an error, and whether a system call gave it; NUMBER is the last one, None if unknown."""
    if code in NEVER_OF_SYSTEM:
        number = 0
    elif number is None:
        number = numbers_of_reasons().get(message.rpartition(': ')[2], 0)
    if number and os.strerror(number) in message:
        return number, True
    return ERRNO_OF_CODE.get(code, errno.EIO), False


def end_of_place(message):
    """Returns where the path ends if persist() has failed although there is a new file, or -1."""
    return next((message.find(end) for start, end in IN_PLACE.items() if message.startswith(start)), -1)


def find_filename(message):
    """Returns the path in 'call “path”: reason', None if there is none, or if the message shows it in another form."""
    start, end = message.find(' “'), end_of_place(message)
    if end < 0:
        end = message.rfind('”: ')
    path = message[start + 2:end] if 0 <= start < end else None
    return path if path is not None and '\ufffd' not in path else None


def as_python_error(error, number=None):
    """Returns an error that is a GLib.Error like the one given, and what Python has for it."""
    if isinstance(error, WholeError):
        return error
    if error.domain != IO_ERROR:
        return rebuild(OSError, (errno.EIO, error.message), error.message, error.domain, error.code)
    if error.code in VALUE_ERRORS:
        return rebuild(ValueError, (VALUE_ERRORS[error.code],), error.message, error.domain, error.code)

    number, is_of_system = find_number(error.message, error.code, number)
    is_in_place = end_of_place(error.message) >= 0
    if number == errno.ENOMEM and not is_in_place:
        return rebuild(MemoryError, (), error.message, error.domain, error.code)
    is_usual = is_of_system and not is_in_place
    arguments = (number, os.strerror(number) if is_usual else error.message)
    filename = find_filename(error.message)
    if filename is not None:
        arguments += (filename,)
    return rebuild(type(OSError(number, '')), arguments, error.message, error.domain, error.code)
