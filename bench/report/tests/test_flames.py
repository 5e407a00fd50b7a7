"""Flame graphs as text, of what py-spy draws."""

from bench.flames import outline


def frame(name: str, depth: int, start: int, width: int) -> str:
    return (
        f"<g><title>{name} ({width} samples, 1.0%)</title>"
        f'<rect x="0" y="{depth * 16}" width="1%" height="15" fill="rgb(1,2,3)" '
        f'fg:x="{start}" fg:w="{width}"/><text x="1" y="2"></text></g>'
    )


def test_calls_stand_under_their_callers() -> None:
    graph = "".join(
        [
            frame("all", 0, 0, 1_000),
            frame("main", 1, 0, 1_000),
            frame("read", 2, 0, 300),
            frame("write &lt;all&gt;", 2, 300, 600),
            frame("encode", 3, 300, 200),
            frame("seldom", 2, 900, 10),
        ]
    )
    assert list(outline(graph, whole_us=50)) == [
        "    50.0 100.0%  all > main",
        "    15.0  30.0%    read",
        "    30.0  60.0%    write <all>",
        "    10.0  20.0%      encode",
    ]
