"""Parts of the exchange are killed again and again while orders flow; an auditor compares.

`make crash KILLS=200` is the same at length.
"""

import asyncio

import httpx

from crash.audit import Journal, audit, read_journal, wait_for_projection
from crash.campaign import Campaign
from crash.record import ACKNOWLEDGED, SENT, Record
from engine.connections import connect
from engine.core.snapshot import state_hash
from engine.journal import JOURNAL_KEY, tail_sequence
from exchange_site.tests.processes import wait_until
from exchange_site.tests.running import RunningExchange
from exchange_site.tests.settings import TEST_CONTROLLER
from markets.tests.native import NativeClient, order

KILLS = 12
RATE = 200
"""Orders a second: other tests run beside this one."""


def test_no_acknowledged_order_is_lost_or_doubled(fragile: RunningExchange) -> None:
    campaign = Campaign(fragile, rate=RATE, seed=7, say=print)
    result = asyncio.run(campaign.run(KILLS, database_away_s=3.0))
    assert result.findings.acknowledged > KILLS * RATE / 2
    assert result.findings.epochs > result.kills["engine"], "the kills hit engines that led"
    assert result.books_compared > 0
    assert result.clean, result


def test_a_second_start_goes_on_where_the_first_ended(fragile: RunningExchange) -> None:
    before = fragile.state()
    fragile.stop()
    fragile.start(while_running=TEST_CONTROLLER)
    after = fragile.state()
    assert after["state_hash"] == before["state_hash"]
    assert after["assets"] == before["assets"]


def test_the_auditor_reads_what_was_trimmed(fragile: RunningExchange) -> None:
    def is_published() -> bool:
        publisher = httpx.get(f"{fragile.url}/health").json()["publisher"]
        return bool(publisher["ok"] and publisher["lag"] == 0)

    wait_for_projection(fragile)
    wait_until(is_published, "everything is published")
    with connect(fragile.engine_redis_url) as stream:
        tail = tail_sequence(stream)
        stream.xtrim(JOURNAL_KEY, maxlen=1, approximate=False)
    journal = Journal()
    journal.read(read_journal(fragile))
    assert journal.replica.sequence == tail
    assert state_hash(journal.replica.engine) == fragile.state()["state_hash"]


def test_the_auditor_notices(fragile: RunningExchange) -> None:
    """Whoever was told more, less or something else than what happened."""
    funds = {"BTC": "10"}
    trader = NativeClient(fragile.url, fragile.create_user("audited", fund=funds))
    truth = trader.post("/order", order(client_order_id="audited-1")).json()["order_id"]
    everything = audit(fragile, Record())
    assert not everything.clean
    assert everything.invented > 0, "orders that nobody sent"
    record = Record()
    record.note(SENT, "audited-1")
    record.note(ACKNOWLEDGED, "audited-1", truth)
    honest = audit(fragile, record)
    assert (honest.lost, honest.doubled, honest.invented) == (0, 0, everything.invented - 1)
    record.note(ACKNOWLEDGED, "audited-1", truth + 1)
    record.note(ACKNOWLEDGED, "audited-2", 5)
    cheated = audit(fragile, record)
    assert (cheated.lost, cheated.doubled) == (1, 1)
