"""A wire that tests can cut: a TCP proxy in front of a server on a Unix socket."""

import socket
import threading
from collections.abc import Callable
from contextlib import suppress

CHUNK_BYTES = 65_536


class CuttableWire:
    """Listens on `url`. Tests say what becomes of what the server answers.

    `lose_answer` is asked of every piece that the server sends; where it says True the piece is
    lost and the connection ends, as it does when a network fails after the request went through.
    """

    def __init__(self, server_socket: str) -> None:
        self._server_socket = server_socket
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self.lose_answer: Callable[[bytes], bool] = lambda _piece: False
        self.lost = 0
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self._listener.getsockname()[1]}/0"

    def close(self) -> None:
        self._listener.close()
        with self._lock:
            for end in self._open:
                _end(end)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX)
            server.connect(self._server_socket)
            with self._lock:
                self._open |= {client, server}
            for source, sink, judged in ((client, server, False), (server, client, True)):
                threading.Thread(
                    target=self._pump, args=(source, sink, judged), daemon=True
                ).start()

    def _pump(self, source: socket.socket, sink: socket.socket, judged: bool) -> None:
        with suppress(OSError):
            while piece := source.recv(CHUNK_BYTES):
                if judged and self.lose_answer(piece):
                    self.lost += 1
                    break
                sink.sendall(piece)
        _end(source)
        _end(sink)
        with self._lock:
            self._open -= {source, sink}


def _end(end: socket.socket) -> None:
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()
