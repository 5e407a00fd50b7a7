"""The whole generator against a whole exchange: what it counts is what the exchange has."""

import pytest
import redis

from bench.exchanges import rich_users
from bench.load.checks import check, check_followers
from bench.load.origins import MarketPast, latencies
from bench.load.plan import Plan, User, Way, decoded
from bench.load.running import Run, generating
from engine.journal import tail_sequence
from exchange_site.tests.running import RunningExchange


@pytest.fixture(scope="module")
def users(exchange: RunningExchange) -> list[User]:
    return rich_users(exchange, "generator")


def generated(plan: Plan) -> Run:
    with generating(plan) as generator:
        generator.begin()
        report = generator.report()
    return Run(plan, report, {}, {}, {})


@pytest.mark.parametrize(("way", "together"), [("ws", 5), ("rest", 5), ("v3", 1)])
def test_every_order_is_answered_and_the_books_agree(
    exchange: RunningExchange, users: list[User], way: Way, together: int
) -> None:
    market = f"ETHLOAD{way.upper()}"
    exchange.define_market(market, base="ETH", quote="BTC", tick="0.0001", step="0.01")
    plan = Plan(
        url=exchange.url,
        users=users,
        market=market,
        rate=100,
        seconds=0.5,
        way=way,
        connections=2,
        under_way=10 if way == "ws" else 1,
        together=together,
    )

    run = generated(plan)

    assert (run.report.answered, run.report.refused, run.report.unknown) == (50, 0, 0)
    assert decoded(run.report.latencies).get_total_count() == 50 // together
    check(exchange, [run])


def test_followers_get_every_trade_and_change(exchange: RunningExchange, users: list[User]) -> None:
    with redis.Redis.from_url(exchange.engine_redis_url) as journal:
        before = tail_sequence(journal)
    exchange.define_market("ETHTOLD", base="ETH", quote="BTC", tick="0.0001", step="0.01")
    plan = Plan(
        url=exchange.url,
        users=users,
        market="ETHTOLD",
        rate=100,
        seconds=0.5,
        connections=1,
        followers=3,
        streams=["trade", "bookTicker", "depth@100ms"],
    )

    run = generated(plan)

    past = MarketPast(plan.market, after=before)
    with redis.Redis.from_url(exchange.engine_redis_url) as journal:
        past.read(journal)
    check_followers(run, past)
    assert run.report.received("trade") == 3 * past.trades == 3 * 25
    found = latencies(run.report, past)
    assert found["depth@100ms"].get_total_count() == run.report.received("depth@100ms")
    assert found["bookTicker"].get_min_value() > 0
