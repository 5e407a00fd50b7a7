"""The server's side of a page's socket, in the test's hands."""

import json
import re
from typing import Any

from playwright.sync_api import Page, WebSocketRoute


class Stream:
    """Answers subscriptions as the real one does; `send` gives the page an event."""

    def __init__(self, page: Page) -> None:
        self.subscribed: set[str] = set()
        self.connections = 0
        self.refuses = False
        self.user_error: int | None = None
        """The code by which subscriptions of `user` are refused."""
        self._route: WebSocketRoute | None = None
        page.route_web_socket(re.compile("/stream$"), self._connected)

    def _connected(self, route: WebSocketRoute) -> None:
        if self.refuses:
            route.close(code=1012)
            return
        self.connections += 1
        self._route = route
        route.on_message(lambda message: self._asked(route, json.loads(message)))

    def _asked(self, route: WebSocketRoute, request: Any) -> None:
        if self.user_error is not None and request["params"] == ["user"]:
            error = {"code": self.user_error, "msg": "refused"}
            route.send(json.dumps({"error": error, "id": request["id"]}))
            return
        change = self.subscribed.update
        if request["method"] == "UNSUBSCRIBE":
            change = self.subscribed.difference_update
        change(request["params"])
        route.send(json.dumps({"result": None, "id": request["id"]}))

    def send(self, stream: str, data: dict[str, Any]) -> None:
        assert self._route is not None
        self._route.send(json.dumps({"stream": stream, "data": data}))

    def drop(self, *, refuse: bool = False) -> None:
        """Break the connection; the page comes back unless it is refused."""
        assert self._route is not None
        self.refuses = refuse
        self._route.close(code=1012)


def depth_event(
    first: int, last: int, bids: list[list[str]] | None = None, asks: list[list[str]] | None = None
) -> dict[str, Any]:
    return {
        "e": "depthUpdate",
        "E": 1,
        "s": "ETHUSDT",
        "U": first,
        "u": last,
        "b": bids or [],
        "a": asks or [],
    }
