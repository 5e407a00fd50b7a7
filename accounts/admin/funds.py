"""Funds that leave, and that move between accounts: what changes anything is a service."""

import secrets
from abc import abstractmethod
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, ClassVar, TypeVar

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.admin.actors import actor_of
from accounts.approvals import FundsRefused, needs_second_approval
from accounts.models import (
    TransferRequest,
    TransferState,
    User,
    WithdrawalRequest,
    WithdrawalState,
)
from accounts.models.funds_request import FundsRequest
from accounts.transfers import transfer_approve, transfer_reject, transfer_request
from accounts.withdrawals import (
    withdrawal_release,
    withdrawal_request,
    withdrawal_reserve,
    withdrawal_settle,
)
from engine.client import EngineUnavailable, StatusUnknown
from exchange_site.errors import CodedError
from exchange_site.generic import ModelAdmin, ModelForm

_Row = TypeVar("_Row", bound=FundsRequest)


class FundsForm(ModelForm[_Row]):
    """Asks a service for a request. What it refuses becomes a form error."""

    amount = forms.CharField(max_length=40, help_text="In whole units of the asset, such as 1.5.")
    # Sending the form twice asks once.
    idempotency_key = forms.CharField(max_length=100, widget=forms.HiddenInput)

    actor: User

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["idempotency_key"].initial = lambda: f"admin-{secrets.token_hex(12)}"

    @abstractmethod
    def ask(self, **fields: Any) -> _Row: ...

    def clean(self) -> dict[str, Any]:
        data = self.cleaned_data
        if self.errors:
            return data
        try:
            self.instance = self.ask(**data, actor=self.actor)
        except CodedError as error:
            raise ValidationError({error.field or "__all__": error.detail}) from None
        except FundsRefused as refused:
            raise ValidationError(str(refused)) from None
        return data

    def _post_clean(self) -> None:
        """The service has written the row; nothing of the form goes into it."""

    def save(self, commit: bool = True) -> _Row:
        return self.instance

    def save_m2m(self) -> None:
        """There is none."""


class FundsAdmin(ModelAdmin[_Row]):
    """Requests are added by the form and moved on by the actions of the list."""

    list_filter = ("status", "asset")
    list_select_related: ClassVar[tuple[str, ...]] = ("user",)
    search_fields = ("user__username", "reason")
    autocomplete_fields: ClassVar[tuple[str, ...]] = ("user",)

    def has_change_permission(self, request: HttpRequest, obj: _Row | None = None) -> bool:
        return obj is None and super().has_change_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: _Row | None = None) -> bool:
        return False

    def get_fields(self, request: HttpRequest, obj: _Row | None = None) -> Any:
        if obj is None:
            return self.form.Meta.fields  # type: ignore[attr-defined]
        return [field.name for field in self.model._meta.fields]

    def get_form(
        self, request: HttpRequest, obj: _Row | None = None, change: bool = False, **kwargs: Any
    ) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        form.actor = actor_of(request)  # type: ignore[attr-defined]
        return form

    def save_model(
        self, request: HttpRequest, obj: _Row, form: ModelForm[_Row], change: bool
    ) -> None:
        """The service has."""

    def attempt(
        self, request: HttpRequest, rows: Iterable[_Row], service: Callable[[_Row], _Row]
    ) -> None:
        for row in rows:
            try:
                done = service(row)
            except FundsRefused as refused:
                messages.error(request, f"{row}: {refused}")
            except EngineUnavailable:
                messages.error(request, f"{row}: the engine does not answer; do it again later")
            except StatusUnknown:
                messages.warning(request, f"{row}: no answer in time; do it again to find out")
            else:
                text = f"{done.status} {done.rejection}"  # type: ignore[attr-defined]
                messages.success(request, f"{done}: {text}")
                self.log_change(request, done, text)


class WithdrawalForm(FundsForm[WithdrawalRequest]):
    class Meta:
        model = WithdrawalRequest
        fields = ("user", "asset", "amount", "destination", "reason", "idempotency_key")

    def ask(self, **fields: Any) -> WithdrawalRequest:
        return withdrawal_request(**fields)


@admin.register(WithdrawalRequest)
class WithdrawalAdmin(FundsAdmin[WithdrawalRequest]):
    """Adding one locks its funds; settle it once they have left, or release them."""

    form = WithdrawalForm
    list_display = ("id", "user", "asset", "amount", "destination", "status", "waits", "created_at")
    actions = ("settle", "release", "reserve")

    def save_model(
        self,
        request: HttpRequest,
        obj: WithdrawalRequest,
        form: ModelForm[WithdrawalRequest],
        change: bool,
    ) -> None:
        if obj.status == WithdrawalState.REQUESTED:
            # Not before the request is committed: funds must never be locked for none.
            transaction.on_commit(
                lambda: self.attempt(request, [obj], lambda row: withdrawal_reserve(withdrawal=row))
            )

    @admin.action(description="Approve and settle: the funds have left", permissions=["change"])
    def settle(self, request: HttpRequest, rows: QuerySet[WithdrawalRequest]) -> None:
        actor = actor_of(request)
        self.attempt(request, rows, lambda row: withdrawal_settle(withdrawal=row, actor=actor))

    @admin.action(description="Release: the funds stay", permissions=["change"])
    def release(self, request: HttpRequest, rows: QuerySet[WithdrawalRequest]) -> None:
        actor = actor_of(request)
        service = partial(withdrawal_release, actor=actor, rejection=f"by {actor.username}")
        self.attempt(request, rows, lambda row: service(withdrawal=row))

    @admin.action(description="Reserve again, where no answer came", permissions=["change"])
    def reserve(self, request: HttpRequest, rows: QuerySet[WithdrawalRequest]) -> None:
        self.attempt(request, rows, lambda row: withdrawal_reserve(withdrawal=row))

    @admin.display(description="Waits for")
    def waits(self, row: WithdrawalRequest) -> str:
        if row.status == WithdrawalState.RESERVED:
            second = row.approved_by_id is not None and needs_second_approval(row)
            return "a second person" if second else "approval"
        unanswered = (
            WithdrawalState.REQUESTED,
            WithdrawalState.SETTLING,
            WithdrawalState.RELEASING,
        )
        return "the engine's answer: do it again" if row.status in unanswered else ""


class TransferForm(FundsForm[TransferRequest]):
    class Meta:
        model = TransferRequest
        fields = ("user", "to", "asset", "amount", "reason", "idempotency_key")

    def ask(self, **fields: Any) -> TransferRequest:
        return transfer_request(**fields)


@admin.register(TransferRequest)
class TransferAdmin(FundsAdmin[TransferRequest]):
    """A transfer that was added waits for the action that approves it."""

    form = TransferForm
    list_display = ("id", "user", "to", "asset", "amount", "status", "waits", "created_at")
    list_select_related: ClassVar[tuple[str, ...]] = ("user", "to")
    autocomplete_fields: ClassVar[tuple[str, ...]] = ("user", "to")
    actions = ("approve", "reject")

    @admin.action(description="Approve and move", permissions=["change"])
    def approve(self, request: HttpRequest, rows: QuerySet[TransferRequest]) -> None:
        actor = actor_of(request)
        self.attempt(request, rows, lambda row: transfer_approve(transfer=row, actor=actor))

    @admin.action(description="Reject", permissions=["change"])
    def reject(self, request: HttpRequest, rows: QuerySet[TransferRequest]) -> None:
        actor = actor_of(request)
        service = partial(transfer_reject, actor=actor, rejection="rejected")
        self.attempt(request, rows, lambda row: service(transfer=row))

    @admin.display(description="Waits for")
    def waits(self, row: TransferRequest) -> str:
        if row.status != TransferState.REQUESTED:
            return ""
        if row.submitted_at is not None:
            return "the engine's answer: approve again"
        second = row.approved_by_id is not None and needs_second_approval(row)
        return "a second person" if second else "approval"
