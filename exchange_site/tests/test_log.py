"""The logs of the parts."""

from pathlib import Path

from exchange_site.supervisor.log import PartLog


def test_a_log_is_continued_and_its_end_can_be_read(tmp_path: Path) -> None:
    for line in (b"one\n", b"two\n"):
        log = PartLog(tmp_path / "logs" / "part.log")
        log.write(line)
        log.close()
    assert (tmp_path / "logs" / "part.log").read_bytes() == b"one\ntwo\n"
    assert log.tail(4) == "two\n"


def test_a_log_keeps_its_newest_output_within_its_bounds(tmp_path: Path) -> None:
    log = PartLog(tmp_path / "part.log", limit_bytes=100)
    for number in range(1000):
        log.write(f"{number:9}\n".encode())
    log.close()
    files = sorted(tmp_path.iterdir())
    assert [path.name for path in files] == ["part.log", "part.log.1"]
    assert all(path.stat().st_size <= 100 for path in files)
    assert log.tail().split()[-1] == "999"
