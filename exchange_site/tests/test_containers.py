"""The image and its parts run what `make run` does, and are told what operators set."""

import json
import re
import subprocess
import sys
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

SET_BY_COMPOSE = {
    *("PRODUCTION", "ENGINE_REDIS_URL", "REDIS_URL", "DATABASE_URL", "DATABASE_OWNER_URL")
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


def documented() -> tuple[set[str], set[str]]:
    """The variables of both tables: for everybody, and those of `make run` alone."""
    text = (PROJECT / "docs" / "OPERATIONS.md").read_text()
    section = text.partition("## Variables\n")[2].partition("\n## ")[0]
    everybody, make_run = section.split("Of `make run` alone:")
    return names_in(everybody), names_in(make_run)


def names_in(table: str) -> set[str]:
    cells = [line.split(" | ")[0] for line in table.splitlines() if line.startswith("| `")]
    return {name for cell in cells for name in re.findall(r"`(\w+)`", cell)}


def parts_environments() -> dict[str, dict[str, str]]:
    return {
        name: service["environment"]
        for name, service in compose()["services"].items()
        if service["image"] == "exchange"
    }


def test_what_operators_set_reaches_the_parts() -> None:
    everybody, make_run = documented()
    handed = {
        name
        for environment in parts_environments().values()
        for name, value in environment.items()
        if value.startswith((f"${{{name}:-", f"${{{name}:?", f"${{{name}:+"))
    }
    assert handed == everybody - SET_BY_COMPOSE - {"PORT"}
    assert not handed & make_run
    assert "${PORT:-8000}" in compose()["services"]["web"]["ports"][0]


def test_every_part_is_told_the_same() -> None:
    """But for the size of pools, a proxy's address, an engine's own, and the tables' owner."""
    parts = parts_environments()
    own = {
        *("DATABASE_POOL_SIZE", "FORWARDED_ALLOW_IPS", "DATABASE_OWNER_URL"),
        *("ENGINE_INSTANCE", "EXCHANGE_COMPILED_CORE"),
    }
    shared = [{k: v for k, v in each.items() if k not in own} for each in parts.values()]
    assert all(each == shared[0] for each in shared)
    assert [name for name, each in parts.items() if "DATABASE_OWNER_URL" in each] == ["migrate"]


_TELL_SETTINGS = """
import json
from exchange_site import settings
print(json.dumps({k: v for k, v in vars(settings).items() if k.isupper()}, default=str))
"""


def settings_with(home: Path, environment: dict[str, str]) -> Any:
    told = subprocess.run(
        [sys.executable, "-c", _TELL_SETTINGS],
        env={"PYTHONHASHSEED": "0", "EXCHANGE_HOME": str(home), **environment},
        cwd=PROJECT,
        capture_output=True,
        check=True,
    )
    return json.loads(told.stdout)


def test_an_empty_variable_is_one_that_is_not_set(tmp_path: Path) -> None:
    everybody, make_run = documented()
    empty = dict.fromkeys((everybody | make_run) - {"EXCHANGE_HOME"}, "")
    assert settings_with(tmp_path, empty) == settings_with(tmp_path, {})
