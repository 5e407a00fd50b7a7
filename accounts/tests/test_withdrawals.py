"""Withdrawals and transfers: the right people, each once, and whatever the engine answers."""

from collections.abc import Callable
from typing import Any

import pytest
from pytest_django import Settings

from accounts import transfers, withdrawals
from accounts.approvals import FundsRefused
from accounts.models import TransferRequest, User, WithdrawalRequest
from accounts.transfers import transfer_approve, transfer_reject, transfer_request
from accounts.withdrawals import (
    withdrawal_release,
    withdrawal_request,
    withdrawal_reserve,
    withdrawal_settle,
)
from engine.client import Answer, EngineUnavailable, StatusUnknown
from engine.core.commands import Command
from engine.core.rejections import Code
from engine.core.replies import Done, WithdrawalReply
from engine.submit import CommandRefused
from exchange_site.errors import FieldInvalid
from markets.models import Asset

pytestmark = pytest.mark.django_db

Answering = Callable[[Any], None]


@pytest.fixture
def people(settings: Settings) -> list[User]:
    settings.WITHDRAWAL_SECOND_APPROVAL_ABOVE = {"BTC": "5"}
    Asset.objects.create(symbol="BTC", scale=8)
    return [User.objects.create_user(name) for name in ("trader", "first", "second")]


class Engine:
    """Answers what it is told to; a reservation else has the number 9."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.next: Exception | None = None

    def submit(self, command: Command) -> Answer:
        self.seen.append(type(command).__name__)
        if self.next is not None:
            failure, self.next = self.next, None
            raise failure
        return Answer(7, WithdrawalReply(9) if self.seen[-1] == "ReserveWithdrawal" else Done())


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Engine:
    engine = Engine()
    for module in (withdrawals, transfers):
        monkeypatch.setattr(module, "submit", engine.submit)
    return engine


def ask(people: list[User], amount: str = "1", **changes: str) -> WithdrawalRequest:
    fields = {"destination": "there", "idempotency_key": "k", "asset": "BTC", **changes}
    row = withdrawal_request(
        user=people[0], amount=amount, reason="test", actor=people[1], **fields
    )
    return withdrawal_reserve(withdrawal=row) if row.status == "requested" else row


def test_the_same_key_is_the_same_request(people: list[User], engine: Engine) -> None:
    row = ask(people)
    assert (row.status, row.withdrawal_id, row.sequence) == ("reserved", 9, 7)
    assert ask(people) == row
    assert engine.seen == ["ReserveWithdrawal"]
    for changes in ({"amount": "2"}, {"destination": "elsewhere"}):
        with pytest.raises(FundsRefused, match="another request"):
            ask(people, **changes)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"asset": "NONE"}, "UNKNOWN_ASSET"),
        ({"amount": "0"}, "AMOUNT_OUT_OF_RANGE"),
        ({"amount": "1e5"}, "INVALID_DECIMAL"),
        ({"amount": "0.000000001"}, "TOO_MANY_DECIMALS"),
    ],
)
def test_what_cannot_be_asked(
    people: list[User], engine: Engine, changes: dict[str, str], code: str
) -> None:
    with pytest.raises(FieldInvalid) as error:
        ask(people, **changes)
    assert error.value.code == code
    assert engine.seen == []


def test_the_engine_rejects(people: list[User], engine: Engine) -> None:
    engine.next = CommandRefused(Code.INSUFFICIENT_BALANCE, "not enough")
    row = ask(people)
    assert (row.status, row.rejection) == ("rejected", "engine: INSUFFICIENT_BALANCE")
    assert row.decided_at is not None
    with pytest.raises(FundsRefused, match="rejected"):
        withdrawal_settle(withdrawal=row, actor=people[1])


@pytest.mark.parametrize("failure", [EngineUnavailable(), StatusUnknown()])
def test_a_reservation_without_an_answer_goes_on(
    people: list[User], engine: Engine, failure: Exception
) -> None:
    engine.next = failure
    with pytest.raises(type(failure)):
        ask(people)
    row = WithdrawalRequest.objects.get()
    assert row.status == "requested"
    assert withdrawal_reserve(withdrawal=row).status == "reserved"


def test_above_the_limit_two_must_settle(people: list[User], engine: Engine) -> None:
    _, first, second = people
    row = ask(people, amount="5.00000001")
    assert withdrawal_settle(withdrawal=row, actor=first).status == "reserved"
    with pytest.raises(FundsRefused, match="second person"):
        withdrawal_settle(withdrawal=row, actor=first)
    done = withdrawal_settle(withdrawal=row, actor=second)
    assert (done.status, done.approved_by, done.second_approved_by) == ("settled", first, second)
    assert engine.seen == ["ReserveWithdrawal", "SettleWithdrawal"]


@pytest.mark.parametrize("known", [True, False])
def test_a_settlement_without_an_answer_is_never_released(
    people: list[User], engine: Engine, known: bool
) -> None:
    row = ask(people)
    engine.next = StatusUnknown()
    with pytest.raises(StatusUnknown):
        withdrawal_settle(withdrawal=row, actor=people[1])
    with pytest.raises(FundsRefused, match="settling"):
        withdrawal_release(withdrawal=row, actor=people[1], rejection="no")
    # The engine may have carried it out: then it knows the reservation no more.
    engine.next = None if known else CommandRefused(Code.UNKNOWN_WITHDRAWAL, "")
    assert withdrawal_settle(withdrawal=row, actor=people[1]).status == "settled"


def test_a_release_says_who_and_why(people: list[User], engine: Engine) -> None:
    row = withdrawal_release(withdrawal=ask(people), actor=people[2], rejection="wrong address")
    assert (row.status, row.released_by, row.rejection) == ("released", people[2], "wrong address")
    with pytest.raises(FundsRefused, match="released"):
        withdrawal_release(withdrawal=row, actor=people[2], rejection="again")


def transfer(people: list[User], amount: str = "1") -> TransferRequest:
    trader, first, second = people
    return transfer_request(
        user=trader, to=second, asset="BTC", amount=amount, reason="r", idempotency_key="k",
        actor=first,
    )  # fmt: skip


def test_a_transfer_needs_its_approvals(people: list[User], engine: Engine) -> None:
    _, first, second = people
    row = transfer(people, amount="6")
    assert transfer(people, amount="6") == row
    assert transfer_approve(transfer=row, actor=first).status == "requested"
    assert engine.seen == []
    engine.next = StatusUnknown()
    with pytest.raises(StatusUnknown):
        transfer_approve(transfer=row, actor=second)
    with pytest.raises(FundsRefused, match="on its way"):
        transfer_reject(transfer=row, actor=first, rejection="no")
    done = transfer_approve(transfer=row, actor=first)
    assert (done.status, done.sequence) == ("moved", 7)


def test_a_transfer_is_rejected(people: list[User], engine: Engine) -> None:
    row = transfer(people)
    assert transfer_reject(transfer=row, actor=people[1], rejection="no").status == "rejected"
    with pytest.raises(FundsRefused, match="rejected"):
        transfer_approve(transfer=row, actor=people[1])
    with pytest.raises(FundsRefused, match="itself"):
        transfer_request(
            user=people[0], to=people[0], asset="BTC", amount="1", reason="r",
            idempotency_key="self", actor=people[1],
        )  # fmt: skip
