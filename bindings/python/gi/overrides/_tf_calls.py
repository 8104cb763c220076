# SPDX-FileCopyrightText: 2026 The tempfile-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Makes of functions of C what Python expects: paths for files, defaults for arguments at the end, what can be awaited.

Loaded before the first of them is called, which may be when there is no descriptor, or after chroot().
"""

import functools
import os
import weakref

from gi._gi import Direction
from gi.repository import Gio, GLib

from ..module import get_introspection_module

Tf = get_introspection_module('Tf')

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

# The same for the functions of a class.
DEFAULTS_OF_CLASSES = {
    'TempDir': {'mode': 0o700},
    'TextStream': {'size': -1},
}


def as_file(path):
    """Returns the Gio.File of a path, which can be one already."""
    return path if isinstance(path, Gio.File) else Gio.File.new_for_path(os.fspath(path))


def as_path(path):
    return None if path is None else os.fspath(path)


# What releases the result of a function of C that does not go with its last reference.
RELEASES = {
    'tf_named_file_create_full_async': lambda file: file.unlink(),
    'tf_temp_dir_create_dir_async': lambda directory: directory.cleanup(),
    'tf_temp_dir_create_file_async': lambda file: file.unlink(),
    'tf_temp_file_dup_fd_async': os.close,
    'tf_temp_file_seal_async': os.close,
}


def as_progress(callback):
    """Returns what calls a callback without its data, which functions in Python do not need."""
    return callback and (lambda n_copied, total, *data: callback(n_copied, total))


def as_bytes(content):
    """Returns the GLib.Bytes of what is like bytes, which can be one already."""
    return content if isinstance(content, GLib.Bytes) else GLib.Bytes(memoryview(content).tobytes())


def as_stop_bytes(content):
    if not content:
        raise ValueError('there is nothing to stop at')
    return content


# What makes of an argument what functions of C take, by the name of its type.
CONVERTERS = {'Bytes': as_bytes, 'File': as_file, 'filename': as_path, 'FileProgressCallback': as_progress}

CONVERTERS_BY_NAME = {'stop_bytes': as_stop_bytes, 'text': str.encode}

# What goes with a callback in C.
HIDDEN = {'progress_data', 'progress_destroy'}


# In seconds; see Operation.iterate().
SHORTEST_PAUSE, LONGEST_PAUSE = 0.0005, 0.01


@functools.lru_cache(maxsize=None)
def operation_class():
    import asyncio
    import threading

    class Operation(asyncio.Future):
        """What can be awaited; to cancel it cancels the operation. A result that nobody takes is released."""

        def __init__(self, cancellable, release):
            super().__init__(loop=asyncio.get_running_loop())
            self.thread = threading.get_ident()
            self.context = GLib.MainContext.ref_thread_default()
            self.ended = False
            self.get_loop().call_soon(self.iterate, SHORTEST_PAUSE)
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

        def iterate(self, pause):
            """Sees to the main context of GLib where the loop does not run in it, as that of asyncio.run()."""
            if not self.ended and GLib.main_depth() == 0:
                self.context.iteration(False)
                self.get_loop().call_later(pause, self.iterate, min(2 * pause, LONGEST_PAUSE))

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

    return Operation


def operate(start, finish, as_error, cancellable, release):
    """Starts at once, and returns the operation."""
    import threading

    operation = operation_class()(cancellable or Gio.Cancellable(), release)

    def end(result):
        try:
            operation.settle(finish(result))
        except BaseException as error:
            # An audit hook may have raised anything.
            if not operation.done():
                operation.set_exception(as_error(error) if isinstance(error, GLib.Error) else error)

    def on_done(source, result):
        operation.ended = True
        # The main context may be that of another thread, to which the loop does not belong.
        if threading.get_ident() == operation.thread:
            end(result)
        else:
            operation.get_loop().call_soon_threadsafe(end, result)

    start(operation.cancellable, on_done)
    return operation


def call_async(start, finish, as_error, arguments, io_priority, cancellable, callback, user_data, release=None):
    """Without a callback, returns what can be awaited: PyGObject by itself awaits methods alone."""
    if callback is not None:
        return start(*arguments, io_priority, cancellable, callback, *user_data)
    return operate(functools.partial(start, *arguments, io_priority), finish, as_error, cancellable, release)


def argument_converter(argument):
    """Returns what converts a value for an argument of a function of C; None if that takes it as it is."""
    if argument.get_name() in CONVERTERS_BY_NAME:
        return CONVERTERS_BY_NAME[argument.get_name()]
    type_info = argument.get_type_info() if hasattr(argument, 'get_type_info') else argument.get_type()
    interface = type_info.get_interface()
    return CONVERTERS.get(type_info.get_tag_as_string() if interface is None else interface.get_name())


REQUIRED = object()


def parameters_of(function, defaults):
    """Returns the names of the arguments of a function of C, with the defaults of those at the end that have one."""
    arguments = [argument for argument in function.get_arguments() if argument.get_direction() != Direction.OUT]
    hidden = {'length', 'user_data', *HIDDEN, *(f'n_{argument.get_name()}' for argument in arguments)}
    arguments = [argument for argument in arguments if argument.get_name() not in hidden]
    parameters = {'self': REQUIRED} if function.is_method() else {}
    parameters.update((argument.get_name(), REQUIRED) for argument in arguments)
    for argument in reversed(arguments):
        name = argument.get_name()
        if name not in defaults and not argument.may_be_null():
            break
        parameters[name] = defaults.get(name)
    return parameters


def signature_of(parameters, has_user_data):
    """Returns the same for inspect, which is much to load."""
    from inspect import Parameter, Signature

    result = [Parameter(name, Parameter.POSITIONAL_ONLY if name == 'self' else Parameter.POSITIONAL_OR_KEYWORD,
                        default=Parameter.empty if default is REQUIRED else default)
              for name, default in parameters.items()]
    if has_user_data:
        result.append(Parameter('user_data', Parameter.VAR_POSITIONAL))
    return Signature(result)


class Completed:
    """What a function of C is with all that it needs to be called."""

    def __init__(self, owner, klass, name, as_error):
        self.function = getattr(owner, name)
        self.is_method = self.function.is_method()
        self.finish = getattr(klass, name[:-len('async')] + 'finish', None) if name.endswith('_async') else None
        self.name = name
        self.parameters = parameters_of(self.function, {**DEFAULTS, **DEFAULTS_OF_CLASSES.get(klass.__name__, {})})
        self.has_user_data = any(argument.get_name() == 'user_data' for argument in self.function.get_arguments())
        self.converters = {argument.get_name(): argument_converter(argument)
                           for argument in self.function.get_arguments()}
        self.as_error = as_error

    @property
    def signature(self):
        return signature_of(self.parameters, self.has_user_data)

    def bind(self, args, kwargs):
        """Returns the arguments by their names, as converted, and the user data."""
        n_named = len(self.parameters)
        if len(args) > n_named and not self.has_user_data:
            raise TypeError(f'{self.name}() takes at most {n_named} arguments ({len(args)} given)')
        values = dict(self.parameters)
        given = dict(zip(values, args))
        for name in kwargs:
            if name not in values or name == 'self':
                raise TypeError(f'{self.name}() got an unexpected keyword argument {name!r}')
            if name in given:
                raise TypeError(f'{self.name}() got multiple values for argument {name!r}')
        values.update(given)
        values.update(kwargs)
        for name, value in values.items():
            if value is REQUIRED:
                raise TypeError(f'{self.name}() is missing the argument {name!r}')
            if self.converters.get(name):
                values[name] = self.converters[name](value)
        return values, args[n_named:]

    def insert_progress(self, progress, index):
        """Returns the function without the arguments for progress, which are behind the cancellable."""
        # PyGObject takes the data of all callbacks for as variable as the last one's.
        return lambda *args: self.function(*args[:index], progress, (), *args[index:])

    def call(self, *args, **kwargs):
        values, user_data = self.bind(args, kwargs)
        if self.finish is None:
            return self.function(*values.values(), *user_data)

        callback, cancellable, io_priority = \
            [values.pop(name) for name in ('callback', 'cancellable', 'io_priority')]
        function = self.function
        if 'progress_callback' in values:
            function = self.insert_progress(values.pop('progress_callback'), len(values) + 2)
        end = functools.partial(self.finish, values['self']) if self.is_method else self.finish
        return call_async(function, end, self.as_error, values.values(), io_priority,
                          cancellable, callback, user_data, RELEASES.get(self.function.get_symbol()))
