"""The image and its parts run what `make run` does, and are told what operators set."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from exchange_site.servers.home import ExchangeHome
from exchange_site.supervisor.parts import PROJECT, exchange_parts

INSTRUCTIONS = {
    *("FROM", "ARG", "ENV", "LABEL", "WORKDIR", "USER", "COPY", "ADD", "RUN", "EXPOSE", "VOLUME"),
    *("HEALTHCHECK", "ENTRYPOINT", "CMD", "SHELL", "STOPSIGNAL"),
}


def instructions_of(dockerfile: Path) -> list[tuple[str, str]]:
    """Each with its arguments, as Docker reads them: comments out, continued lines joined."""
    lines = [line for line in dockerfile.read_text().splitlines() if not line.startswith("#")]
    joined = re.sub(r"\\\s*\n", " ", "\n".join(lines))
    words = [line.partition(" ") for line in joined.splitlines() if line.strip()]
    return [(name, arguments.strip()) for name, _, arguments in words]


def options_of(command: list[str]) -> dict[str, str]:
    """By name; those without a value have an empty one."""
    pairs = zip(command, [*command[1:], "--"], strict=True)
    return {
        word: "" if value.startswith("--") else value
        for word, value in pairs
        if word.startswith("--")
    }


def test_the_dockerfile_has_instructions_only() -> None:
    """A line that should have been continued begins with something else."""
    names = {name for name, _ in instructions_of(PROJECT / "Dockerfile")}
    assert names <= INSTRUCTIONS


def test_the_image_serves_as_make_run_does() -> None:
    [argv] = [
        list(part.argv)
        for part in exchange_parts(ExchangeHome(Path("/nowhere")), {}).parts
        if part.name == "web"
    ]
    [command] = [
        json.loads(text) for name, text in instructions_of(PROJECT / "Dockerfile") if name == "CMD"
    ]
    assert command[:2] == argv[2:4] == ["uvicorn", "exchange_site.asgi:application"]
    here, there = options_of(argv), options_of(command)
    # A container's addresses are all its own, and its clients have longer to leave.
    assert (here.pop("--host"), there.pop("--host")) == ("127.0.0.1", "0.0.0.0")  # noqa: S104
    leave_s, leave_there_s = (
        int(options.pop("--timeout-graceful-shutdown")) for options in (here, there)
    )
    assert leave_there_s >= leave_s
    assert there == here


def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((PROJECT / "docker-compose.yml").read_text())
    return loaded


def default_of(value: str) -> str:
    """What `${NAME:-default}` comes to where nothing is set."""
    found = re.fullmatch(r"\$\{\w+:-(.*)\}", value)
    assert found, value
    return found[1]


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("172.18.0.1", "203.0.113.7", "203.0.113.7"),
        ("192.168.16.1", "203.0.113.7", "203.0.113.7"),
        ("172.18.0.1", "198.51.100.1, 203.0.113.7", "203.0.113.7"),  # the first one is made up
        ("203.0.113.9", "198.51.100.1", "203.0.113.9"),  # no proxy of ours
    ],
)
async def test_clients_keep_their_addresses_behind_a_proxy(
    peer: str, forwarded: str, client: str
) -> None:
    seen: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope["client"][0])

    trusted = default_of(compose()["services"]["web"]["environment"]["FORWARDED_ALLOW_IPS"])
    headers = [(b"x-forwarded-for", forwarded.encode())]
    scope: Any = {"type": "http", "client": (peer, 40_000), "headers": headers}
    unused: Any = None
    await ProxyHeadersMiddleware(app, trusted_hosts=trusted)(scope, unused, unused)
    assert seen == [client]
