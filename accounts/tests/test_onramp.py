"""Funds are let in once, by the right people, and only the engine's reply credits them."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import transaction
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from accounts import onramp as service
from accounts.models import OnrampChannel, OnrampRequest, OnrampStatus, User
from accounts.onramp import OnrampRefused, onramp_credit, onramp_reject, onramp_request
from engine.client import Answer, EngineUnavailable, StatusUnknown
from engine.core.commands import Deposit
from engine.core.rejections import Code
from engine.core.replies import Done
from engine.submit import CommandRefused
from exchange_site.errors import FieldInvalid
from markets.models import Asset

pytestmark = pytest.mark.django_db

Submit = Callable[[Deposit], Answer]


@pytest.fixture
def people() -> list[User]:
    Asset.objects.create(symbol="BTC", scale=8)
    return [User.objects.create_user(name) for name in ("trader", "first", "second")]


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[Deposit]:
    deposits: list[Deposit] = []

    def submit(command: Deposit) -> Answer:
        deposits.append(command)
        return Answer(7, Done())

    monkeypatch.setattr(service, "submit", submit)
    return deposits


def fail_with(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def submit(command: Deposit) -> Answer:
        raise error

    monkeypatch.setattr(service, "submit", submit)


def request_of(
    user: User, *, actor: User | None, amount: str = "1.5", key: str = "k"
) -> OnrampRequest:
    channel = OnrampChannel.ADMIN if actor else OnrampChannel.COMMAND
    return onramp_request(
        user=user,
        asset="BTC",
        amount=amount,
        reason="test",
        idempotency_key=key,
        channel=channel,
        actor=actor,
    )


def test_works(people: list[User], sent: list[Deposit]) -> None:
    user, actor, _ = people
    row = onramp_credit(onramp=request_of(user, actor=actor), actor=actor)
    assert sent == [Deposit(user.pk, "BTC", 150_000_000, f"onramp-{row.pk}")]
    assert (row.status, row.sequence, row.approved_by) == (OnrampStatus.CREDITED, 7, actor)
    assert row.decided_at is not None


def test_twice(people: list[User], sent: list[Deposit]) -> None:
    user, actor, _ = people
    row = request_of(user, actor=actor)
    assert request_of(user, actor=actor) == row
    onramp_credit(onramp=row, actor=actor)
    with pytest.raises(OnrampRefused):
        onramp_credit(onramp=row, actor=actor)
    assert len(sent) == 1


def test_a_key_is_one_request(people: list[User]) -> None:
    user, actor, _ = people
    request_of(user, actor=actor)
    with pytest.raises(OnrampRefused):
        request_of(user, actor=actor, amount="2")


@pytest.mark.parametrize("error", [EngineUnavailable(), StatusUnknown()])
def test_credited_only_on_the_reply_and_safe_to_repeat(
    people: list[User], monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    user, actor, other = people
    row = request_of(user, actor=actor)
    fail_with(monkeypatch, error)
    with pytest.raises(type(error)):
        onramp_credit(onramp=row, actor=actor)
    row.refresh_from_db()
    assert row.status == OnrampStatus.REQUESTED
    with pytest.raises(OnrampRefused):  # it may be on its way
        onramp_reject(onramp=row, actor=other, rejection="no")
    monkeypatch.setattr(service, "submit", lambda command: Answer(9, Done()))
    assert onramp_credit(onramp=row, actor=actor).status == OnrampStatus.CREDITED


def test_an_old_submission_is_not_repeated(people: list[User], sent: list[Deposit]) -> None:
    user, actor, _ = people
    row = request_of(user, actor=actor)
    OnrampRequest.objects.update(submitted_at=timezone.now() - timedelta(hours=24))
    with pytest.raises(OnrampRefused):
        onramp_credit(onramp=row, actor=actor)
    assert sent == []


def test_refused_by_the_engine(people: list[User], monkeypatch: pytest.MonkeyPatch) -> None:
    user, actor, _ = people
    fail_with(monkeypatch, CommandRefused(Code.AMOUNT_OUT_OF_RANGE, "too much"))
    row = onramp_credit(onramp=request_of(user, actor=actor), actor=actor)
    assert (row.status, row.rejection) == (OnrampStatus.REJECTED, "engine: AMOUNT_OUT_OF_RANGE")


def test_rejected_by_a_person(people: list[User], sent: list[Deposit]) -> None:
    user, actor, _ = people
    row = onramp_reject(onramp=request_of(user, actor=user), actor=actor, rejection="who is it?")
    assert (row.status, row.rejected_by) == (OnrampStatus.REJECTED, actor)
    with pytest.raises(OnrampRefused):
        onramp_credit(onramp=row, actor=actor)
    assert sent == []


def test_the_admin_credits_once_the_request_is_committed(
    people: list[User],
    sent: list[Deposit],
    admin_client: Client,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    """Whatever rolls the form's transaction back, nothing was deposited for it."""
    fields = {"user": people[0].pk, "asset": "BTC", "amount": "1.5", "reason": "test"}
    with django_capture_on_commit_callbacks() as committed:
        answer = admin_client.post(
            "/admin/accounts/onramprequest/add/", {**fields, "idempotency_key": "k"}
        )
    assert answer.status_code == 302
    row = OnrampRequest.objects.get()
    assert (row.status, row.submitted_at, sent) == (OnrampStatus.REQUESTED, None, [])
    for callback in committed:
        callback()
    row.refresh_from_db()
    assert (row.status, len(sent)) == (OnrampStatus.CREDITED, 1)


def test_nothing_is_credited_within_a_transaction(people: list[User], sent: list[Deposit]) -> None:
    user, actor, _ = people
    row = request_of(user, actor=actor)
    with transaction.atomic(), pytest.raises(RuntimeError, match="durable"):
        onramp_credit(onramp=row, actor=actor)
    assert sent == []


def test_above_the_limit_a_second_person_approves(
    people: list[User], sent: list[Deposit], settings: Settings
) -> None:
    settings.ONRAMP_SECOND_APPROVAL_ABOVE = {"BTC": "1.5"}
    user, first, second = people
    at_limit = onramp_credit(onramp=request_of(user, actor=first, key="at"), actor=first)
    assert at_limit.status == OnrampStatus.CREDITED
    row = request_of(user, actor=first, amount="1.50000001")
    assert onramp_credit(onramp=row, actor=first).status == OnrampStatus.REQUESTED
    with pytest.raises(OnrampRefused):
        onramp_credit(onramp=row, actor=first)
    assert len(sent) == 1
    row = onramp_credit(onramp=row, actor=second)
    assert (row.status, row.second_approved_by) == (OnrampStatus.CREDITED, second)


def test_commands_need_no_actor_and_people_do(people: list[User], sent: list[Deposit]) -> None:
    user, _, _ = people
    row = onramp_credit(onramp=request_of(user, actor=None), actor=None)
    assert (row.status, row.amount) == (OnrampStatus.CREDITED, Decimal("1.5"))
    asked_by_a_person = request_of(user, actor=user, key="other")
    with pytest.raises(OnrampRefused):
        onramp_credit(onramp=asked_by_a_person, actor=None)


@pytest.mark.parametrize(
    ("amount", "code"),
    [
        ("0", "AMOUNT_OUT_OF_RANGE"),
        ("-1", "INVALID_DECIMAL"),
        ("NaN", "INVALID_DECIMAL"),
        ("1e3", "INVALID_DECIMAL"),
        ("0.000000001", "TOO_MANY_DECIMALS"),
        ("99999999999999", "AMOUNT_OUT_OF_RANGE"),
    ],
)
def test_malformed(people: list[User], amount: str, code: str) -> None:
    user, actor, _ = people
    with pytest.raises(FieldInvalid) as caught:
        request_of(user, actor=actor, amount=amount)
    assert (caught.value.field, caught.value.code) == ("amount", code)
