"""What operators do in the admin, and what traders then see: on a whole exchange."""

import re
import uuid
from typing import Any

import httpx
import pytest

from exchange_site.tests.processes import wait_until
from exchange_site.tests.running import RunningExchange
from markets.tests.native import NativeClient, order

FUNDS = {"BTC": "10", "ETH": "100"}
MARKET = "OFFICE"
PASSWORD = "correct-horse-battery"

_MAKE_OPERATORS = """
from accounts.models import User
for name in ("operator", "second-operator"):
    User.objects.create_superuser(name, password={password!r})
"""


class Operator:
    """Signed in to the admin."""

    def __init__(self, url: str, name: str) -> None:
        self._http = httpx.Client(base_url=f"{url}/admin", timeout=20)
        signed_in = self.post("/login/", username=name, password=PASSWORD)
        assert signed_in.status_code == 302, signed_in.text

    def post(self, path: str, **fields: object) -> httpx.Response:
        self._http.get(path)
        token = self._http.cookies["csrftoken"]
        return self._http.post(path, data={**fields, "csrfmiddlewaretoken": token})

    def save(self, path: str, **fields: object) -> None:
        """What the form is sent with is accepted."""
        answer = self.post(path, **fields)
        errors = re.findall(r"errorlist[^>]*>(.*?)</ul>", answer.text, re.DOTALL)
        assert answer.status_code == 302, errors
        assert answer.headers["location"] != "/admin/", "there is such a row"

    def errors(self, path: str, **fields: object) -> str:
        answer = self.post(path, **fields)
        assert answer.status_code == 200
        return " ".join(re.findall(r"errorlist[^>]*>(.*?)</ul>", answer.text, re.DOTALL))

    def act(self, path: str, action: str, row: str) -> str:
        """The list's action on one row; the list as it is then."""
        self.post(path, action=action, _selected_action=row)
        return self._http.get(path).text

    def row_of(self, path: str, words: str) -> str:
        """The id of the newest row in a list, found by searching for `words`."""
        text = self._http.get(path, params={"q": words}).text
        found = re.search(r'name="_selected_action" value="(\d+)"', text)
        assert found, text
        return found[1]


@pytest.fixture(scope="module")
def office(exchange: RunningExchange) -> RunningExchange:
    exchange.manage("shell", "-c", _MAKE_OPERATORS.format(password=PASSWORD))
    exchange.define_market(MARKET, base="ETH", quote="BTC", tick="0.00001", step="0.001")
    return exchange


@pytest.fixture(scope="module")
def operator(office: RunningExchange) -> Operator:
    return Operator(office.url, "operator")


@pytest.fixture
def trader(office: RunningExchange) -> NativeClient:
    """A user of no tier, and whom nobody configured."""
    return new_trader(office)


def new_trader(office: RunningExchange) -> NativeClient:
    name = f"office-{uuid.uuid4().hex[:12]}"
    return NativeClient(office.url, office.create_user(name, fund=FUNDS, tier="default"))


def code_of(answer: httpx.Response) -> str:
    return str(answer.json().get("code") or answer.json()["status"])


def set_phase(operator: Operator, trader: NativeClient, phase: str) -> None:
    operator.save(f"/markets/marketphase/{MARKET}/change/", phase=phase)
    wait_until(
        lambda: trader.get("/markets", symbol=MARKET).json()["phase"] == phase,
        "the phase is known",
    )


@pytest.mark.parametrize(
    ("phase", "placing", "canceling"),
    [
        ("pre_open", "new", "canceled"),
        ("post_only", "new", "canceled"),
        ("cancel_only", "PHASE_FORBIDS", "canceled"),
        ("halted", "PHASE_FORBIDS", "PHASE_FORBIDS"),
        ("closed", "PHASE_FORBIDS", "canceled"),
    ],
)
def test_a_market_moves_between_its_phases(
    operator: Operator, trader: NativeClient, phase: str, placing: str, canceling: str
) -> None:
    standing = trader.post("/order", order(symbol=MARKET)).json()
    set_phase(operator, trader, phase)
    placed = trader.post("/order", order(symbol=MARKET))
    canceled = trader.delete("/order", symbol=MARKET, order_id=standing["order_id"])
    set_phase(operator, trader, "open")
    assert (code_of(placed), code_of(canceled)) == (placing, canceling)


def test_a_phase_that_cannot_be(operator: Operator) -> None:
    path = f"/markets/marketphase/{MARKET}/change/"
    until = {"phase_until_0": "2020-01-01", "phase_until_1": "00:00:00"}
    assert "INVALID_PHASE" in operator.errors(path, phase="pre_open", **until)


def rules(**changes: object) -> dict[str, object]:
    rules = {
        "tick": "0.00001",
        "step": "0.001",
        "min_quantity": "0.001",
        "max_quantity": "10000",
        "min_notional": "0",
        "max_notional": "",
        "band_down_ppm": 200_000,
        "band_up_ppm": 5_000_000,
        "trigger_band_ppm": 50_000,
        "maker_fee_ppm": 1_000,
        "taker_fee_ppm": 1_000,
        "max_open_orders": "",
        "max_conditional_orders": "",
        "guard_ppm": "",
        "guard_window_ms": 10_000,
        "guard_pause_ms": 60_000,
    }
    return {**rules, **changes}


def test_rules_of_a_market_are_changed_and_kept(
    office: RunningExchange, operator: Operator, trader: NativeClient
) -> None:
    path = f"/markets/market/{MARKET}/change/"
    operator.save(path, **rules(max_open_orders=1, max_notional="0.05"))
    answers = [trader.post("/order", order(symbol=MARKET, quantity=q)) for q in ("1", "1", "5")]
    assert [code_of(answer) for answer in answers] == [
        "new",
        "TOO_MANY_ORDERS",
        "NOTIONAL_TOO_LARGE",
    ]
    maker = NativeClient(office.url, office.create_user(f"m-{uuid.uuid4().hex[:8]}", fund=FUNDS))
    for _ in range(2):
        assert code_of(maker.post("/order", order(symbol=MARKET))) == "new"
    maker.delete("/orders")
    operator.save(path, **rules())
    assert "INVALID_MARKET" in operator.errors(path, **rules(guard_ppm=0))


def test_a_frozen_account_can_cancel_and_nothing_else(
    office: RunningExchange, operator: Operator, trader: NativeClient
) -> None:
    standing = trader.post("/order", order(symbol=MARKET)).json()
    account = office.account_of(trader.username)
    operator.save("/accounts/tradingaccount/add/", account=account, tier=0, frozen="on")
    refused = trader.post("/order", order(symbol=MARKET))
    assert (refused.status_code, code_of(refused)) == (403, "ACCOUNT_FROZEN")
    by_id = {"symbol": MARKET, "order_id": standing["order_id"]}
    assert trader.delete("/order", **by_id).json()["status"] == "canceled"
    operator.save(f"/accounts/tradingaccount/{account}/change/", tier=0)
    assert trader.post("/order", order(symbol=MARKET)).status_code == 200


def test_open_orders_are_limited_by_what_they_are_worth(
    office: RunningExchange, operator: Operator, trader: NativeClient
) -> None:
    account = office.account_of(trader.username)
    operator.save("/accounts/notionallimit/add/", account=account, asset="BTC", amount="0.05")
    answers = [trader.post("/order", order(symbol=MARKET, quantity=q)) for q in ("2", "1")]
    assert [code_of(answer) for answer in answers] == ["new", "NOTIONAL_LIMIT_EXCEEDED"]


def test_tiers_have_fees_of_their_own(
    office: RunningExchange, operator: Operator, trader: NativeClient
) -> None:
    account = office.account_of(trader.username)
    fees = {"market": MARKET, "tier": 3, "maker_fee_ppm": 0}
    operator.save("/markets/marketfees/add/", **fees, taker_fee_ppm=500)
    operator.save("/accounts/tradingaccount/add/", account=account, tier=3)
    other = new_trader(office)
    other.post("/order", order(symbol=MARKET, side="sell", price="0.05"))
    (fill,) = trader.post("/order", order(symbol=MARKET, price="0.05")).json()["fills"]
    assert fill["fee"] == "0.00050000"
    operator.save(
        "/markets/marketfees/add/", market=MARKET, tier=3, maker_fee_ppm=0, taker_fee_ppm=0
    )


def balances(client: NativeClient) -> dict[str, Any]:
    return {b["asset"]: (b["available"], b["locked"]) for b in client.get("/balances").json()}


@pytest.mark.parametrize(
    ("action", "left"),
    [("settle", ("9.00000000", "0.00000000")), ("release", ("10.00000000", "0.00000000"))],
)
def test_a_withdrawal_locks_its_funds_and_then_ends(
    office: RunningExchange, operator: Operator, trader: NativeClient, action: str, left: Any
) -> None:
    path = "/accounts/withdrawalrequest/"
    fields = {
        "user": office.account_of(trader.username),
        "asset": "BTC",
        "destination": "an address",
        "reason": "asked for",
        "idempotency_key": uuid.uuid4().hex,
    }
    operator.save(f"{path}add/", amount="1", **fields)
    operator.save(f"{path}add/", amount="1", **fields)  # sent twice, asked for once
    assert balances(trader)["BTC"] == ("9.00000000", "1.00000000")
    operator.act(path, action, operator.row_of(path, trader.username))
    assert balances(trader)["BTC"] == left
    operator.act(path, action, operator.row_of(path, trader.username))
    assert balances(trader)["BTC"] == left


def test_funds_are_let_in_once(
    office: RunningExchange, operator: Operator, trader: NativeClient
) -> None:
    fields = {
        "user": office.account_of(trader.username),
        "asset": "BTC",
        "amount": "1",
        "reason": "a deposit",
        "idempotency_key": uuid.uuid4().hex,
    }
    for _ in range(2):
        operator.save("/accounts/onramprequest/add/", **fields)
        assert balances(trader)["BTC"][0] == "11.00000000"


def test_a_transfer_moves_funds_once(
    office: RunningExchange, operator: Operator, trader: NativeClient
) -> None:
    path = "/accounts/transferrequest/"
    receiver = new_trader(office)
    operator.save(
        f"{path}add/",
        user=office.account_of(trader.username),
        to=office.account_of(receiver.username),
        asset="BTC",
        amount="4",
        reason="a gift",
        idempotency_key=uuid.uuid4().hex,
    )
    assert balances(trader)["BTC"][0] == "10.00000000"
    row = operator.row_of(path, trader.username)
    for _ in range(2):
        operator.act(path, "approve", row)
    assert balances(trader)["BTC"][0] == "6.00000000"
    assert balances(receiver)["BTC"][0] == "14.00000000"
    assert office.state()["assets"]["BTC"]["sum"] == "0.00000000"
