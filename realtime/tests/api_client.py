"""A client of `/ws-api/v3` that signs as Binance documents it, for tests."""

import asyncio
import hashlib
import hmac
import itertools
import json
import time
from typing import Any

from websockets.asyncio.client import ClientConnection

PATIENCE_S = 30.0


class ApiClient:
    """`credentials` is what `create_api_key` prints. `events` has what is no answer."""

    def __init__(self, socket: ClientConnection, credentials: Any = None) -> None:
        self.socket = socket
        self._key = credentials and credentials["api_key"]
        self._secret = credentials["secret_key"].encode() if credentials else b""
        self._ids = itertools.count(1)
        self._answers: dict[Any, Any] = {}
        self._methods: dict[Any, str] = {}
        self.events: list[Any] = []

    async def ask(self, method: str, **params: object) -> Any:
        """The whole answer."""
        return await self.answer(await self.send(method, params))

    async def result(self, method: str, **params: object) -> Any:
        """The result of a request with a timestamp, as a session needs it."""
        answer = await self.ask(method, **stamped(params))
        assert answer["status"] == 200, answer
        return answer["result"]

    async def error(self, method: str, **params: object) -> tuple[int, str]:
        """Code and text of the refusal."""
        answer = await self.ask(method, **stamped(params))
        assert answer["status"] >= 400, answer
        return answer["error"]["code"], answer["error"]["msg"]

    async def signed(self, method: str, **params: object) -> Any:
        return await self.ask(method, **self.sign(stamped(params)))

    def sign(self, params: dict[str, object]) -> dict[str, object]:
        params = {**params, "apiKey": self._key}
        payload = "&".join(f"{name}={value}" for name, value in sorted(params.items()))
        signature = hmac.new(self._secret, payload.encode(), hashlib.sha256).hexdigest()
        return {**params, "signature": signature}

    async def log_on(self) -> Any:
        return await self.signed("session.logon")

    async def send(self, method: str, params: dict[str, object]) -> int:
        number = next(self._ids)
        self._methods[number] = method
        await self.socket.send(json.dumps({"id": number, "method": method, "params": params}))
        return number

    async def answer(self, number: Any) -> Any:
        while number not in self._answers:
            await self._receive()
        return self._answers.pop(number)

    async def event(self) -> Any:
        """The oldest event that was not asked for yet: `{"subscriptionId", "event"}`."""
        while not self.events:
            await self._receive()
        return self.events.pop(0)

    async def _receive(self) -> None:
        message = await self.next()
        if "subscriptionId" in message:
            self.events.append(message)
        else:
            self._answers[message["id"]] = message

    async def next(self) -> Any:
        message = json.loads(await asyncio.wait_for(self.socket.recv(), PATIENCE_S))
        self.judge(message, self._methods.get(message.get("id")))
        return message

    def judge(self, message: Any, method: str | None) -> None:
        """Of every message; `method` is what it answers."""


def stamped(params: dict[str, object]) -> dict[str, object]:
    return {"timestamp": time.time_ns() // 1_000_000, **params}
