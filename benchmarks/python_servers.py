# SPDX-FileCopyrightText: 2026 The tempfile-glib authors
# SPDX-License-Identifier: LGPL-2.1-or-later

"""Web servers that receive files, with those of Tf and with those of tempfile: CPU time of the server for a request.

Usage: python_servers.py SERVER MODULE: prints the port and serves, until it is ended
"""

import http.client
import importlib.util
import itertools
import os
import subprocess
import sys
import tempfile
import threading
from time import process_time_ns

KIB, MIB = 1 << 10, 1 << 20
CLIENTS = 8
ROUNDS = 5
BOUND = 1.05
PIECE = 64 * KIB
BOUNDARY = 'boundary-of-the-parts'
TITLES = {10 * KIB: '10 KiB', MIB: '1 MiB', 50 * MIB: '50 MiB'}
REQUESTS = {10 * KIB: 50, MIB: 10, 50 * MIB: 1}  # of each client, in a round
# A process is some percent faster or slower than the next one, as its memory happens to lie: what the fastest of each kind
# take says less than what they take on average.
PROCESSES = {10 * KIB: 12, MIB: 4, 50 * MIB: 1}  # of each kind, one after the other


# --- The servers -------------------------------------------------------------------------------

def files_of(name):
    """Returns the SpooledTemporaryFile of a module."""
    if name == 'tempfile':
        return tempfile.SpooledTemporaryFile
    import gi
    gi.require_version('Tf', '1')
    from gi.repository import Tf
    return Tf.SpooledTemporaryFile


def serve_werkzeug(spooled):
    import werkzeug.formparser
    from werkzeug.serving import WSGIRequestHandler, make_server
    from werkzeug.wrappers import Request, Response

    class Handler(WSGIRequestHandler):
        def log(self, *args):
            pass

    @Request.application
    def receive(request):
        if request.method == 'GET':
            return Response(str(process_time_ns()))
        file = request.files['file']
        size = sum(map(len, iter(lambda: file.read(PIECE), b'')))
        file.close()
        return Response(str(size))

    werkzeug.formparser.SpooledTemporaryFile = spooled
    server = make_server('127.0.0.1', 0, receive, threaded=True, request_handler=Handler)
    print(server.port, flush=True)
    server.serve_forever()


def serve_starlette(spooled):
    import socket

    import starlette.formparsers
    import uvicorn
    from starlette.applications import Starlette
    from starlette.responses import PlainTextResponse
    from starlette.routing import Route

    async def receive(request):
        if request.method == 'GET':
            return PlainTextResponse(str(process_time_ns()))
        form = await request.form()
        file = form['file']
        size = 0
        while piece := await file.read(PIECE):
            size += len(piece)
        await form.close()
        return PlainTextResponse(str(size))

    starlette.formparsers.SpooledTemporaryFile = spooled
    app = Starlette(routes=[Route('/', receive, methods=['GET', 'POST'])])
    listener = socket.create_server(('127.0.0.1', 0))
    print(listener.getsockname()[1], flush=True)
    uvicorn.Server(uvicorn.Config(app, log_level='warning')).run([listener])


SERVERS = {
    'werkzeug': (serve_werkzeug, ('werkzeug',)),
    'starlette': (serve_starlette, ('starlette', 'uvicorn', 'multipart|python_multipart')),
}


# --- The clients -------------------------------------------------------------------------------

class Server:
    """A server in a process of its own."""

    def __init__(self, name, module, folder):
        self.process = subprocess.Popen([sys.executable, __file__, name, module], env={**os.environ, 'TMPDIR': folder},
                                        stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()  # uvicorn would wait for clients that have given up
        self.process.communicate()

    def ask(self, connection, *request):
        connection.request(*request)
        response = connection.getresponse()
        answer = response.read().decode()
        if response.status != 200:
            raise RuntimeError(answer)
        return int(answer)

    def connect(self):
        return http.client.HTTPConnection('127.0.0.1', self.port, timeout=1800)

    def get_time(self):
        """In ns of CPU time."""
        return self.ask(self.connect(), 'GET', '/')

    def send(self, body, size, n, failures):
        try:
            connection = self.connect()
            for _ in range(n):
                headers = {'Content-Type': f'multipart/form-data; boundary={BOUNDARY}'}
                if self.ask(connection, 'POST', '/', body, headers) != size:
                    raise RuntimeError('the server received something else')
            connection.close()
        except Exception as error:
            failures.append(error)

    def receive(self, body, size, n):
        """Returns the time of all requests."""
        failures = []
        clients = [threading.Thread(target=self.send, args=(body, size, n, failures)) for _ in range(CLIENTS)]
        start = self.get_time()
        for client in clients:
            client.start()
        for client in clients:
            client.join()
        if failures:
            raise failures[0]
        return self.get_time() - start


def body_of(size):
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="file"\r\n\r\n'
    line = b'y' * 79 + b'\n'
    return head.encode() + (line * (size // len(line) + 1))[:size] + f'\r\n--{BOUNDARY}--\r\n'.encode()


def measure(name, size):
    """Returns the least time of a server with Tf and of one with tempfile, but for the first round of each."""
    body = body_of(size)
    times = {'Tf': [], 'tempfile': []}
    with tempfile.TemporaryDirectory(dir='/var/tmp') as folder, \
            Server(name, 'Tf', folder) as ours, Server(name, 'tempfile', folder) as theirs:
        for round, (module, server) in itertools.product(range(ROUNDS + 1), (('Tf', ours), ('tempfile', theirs))):
            time = server.receive(body, size, REQUESTS[size])
            if round > 0:
                times[module].append(time)
    return [min(seen) for seen in times.values()]


def compare(name, size):
    """Returns the times of Tf and tempfile, on average of the processes."""
    pairs = [measure(name, size) for _ in range(PROCESSES[size])]
    return [sum(times) / len(pairs) for times in zip(*pairs)]


def items():
    """As in python-files.py: names, functions that measure, the numbers of requests, and the bounds."""
    for name, (_, modules) in SERVERS.items():
        missing = [names for names in modules if not any(map(importlib.util.find_spec, names.split('|')))]
        if missing:
            print(f'{name} is left out: {", ".join(missing)} not installed')
            continue
        for size, title in TITLES.items():
            yield (f'{name} {title}', lambda name=name, size=size: compare(name, size),
                   CLIENTS * REQUESTS[size], BOUND)


if __name__ == '__main__':
    SERVERS[sys.argv[1]][0](files_of(sys.argv[2]))
