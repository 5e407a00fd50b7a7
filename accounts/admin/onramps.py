"""Funds that are let in: what changes anything goes through the services."""

import secrets
from collections.abc import Callable
from functools import partial
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.admin.actors import actor_of
from accounts.models import OnrampChannel, OnrampRequest, OnrampStatus, User
from accounts.onramp import (
    OnrampRefused,
    onramp_credit,
    onramp_needs_second_approval,
    onramp_reject,
    onramp_request,
)
from engine.client import EngineUnavailable, StatusUnknown
from exchange_site.errors import CodedError
from exchange_site.generic import ModelAdmin, ModelForm


class OnrampForm(ModelForm[OnrampRequest]):
    """Requests funds for a user. What the service refuses becomes a form error."""

    amount = forms.CharField(max_length=40, help_text="In whole units of the asset, such as 1.5.")
    reason = forms.CharField(max_length=500)
    # Sending the form twice asks once.
    idempotency_key = forms.CharField(max_length=100, widget=forms.HiddenInput)

    actor: User

    class Meta:
        model = OnrampRequest
        fields = ("user", "asset", "amount", "reason", "idempotency_key")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["idempotency_key"].initial = lambda: f"admin-{secrets.token_hex(12)}"

    def clean(self) -> dict[str, Any]:
        data = self.cleaned_data
        if self.errors:
            return data
        try:
            row = onramp_request(
                user=data["user"],
                asset=data["asset"],
                amount=data["amount"],
                reason=data["reason"],
                idempotency_key=data["idempotency_key"],
                channel=OnrampChannel.ADMIN,
                actor=self.actor,
            )
        except CodedError as error:
            raise ValidationError({error.field or "__all__": error.detail}) from None
        except OnrampRefused as refused:
            raise ValidationError(str(refused)) from None
        self.instance = row
        return data

    def _post_clean(self) -> None:
        """The service has written the row; nothing of the form goes into it."""

    def save(self, commit: bool = True) -> OnrampRequest:
        return self.instance

    def save_m2m(self) -> None:
        """There is none."""


@admin.register(OnrampRequest)
class OnrampAdmin(ModelAdmin[OnrampRequest]):
    """Adding a request also approves it; crediting and rejecting are actions of the list."""

    form = OnrampForm
    list_display = ("id", "user", "asset", "amount", "status", "waits", "created_at", "decided_at")
    list_filter = ("status", "asset", "channel")
    list_select_related = ("user",)
    search_fields = ("user__username", "reason")
    autocomplete_fields = ("user",)
    actions = ("credit", "reject")

    def has_change_permission(self, request: HttpRequest, obj: OnrampRequest | None = None) -> bool:
        return obj is None and super().has_change_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: OnrampRequest | None = None) -> bool:
        return False

    def get_fields(self, request: HttpRequest, obj: OnrampRequest | None = None) -> Any:
        if obj is None:
            return self.form.Meta.fields
        return [field.name for field in OnrampRequest._meta.fields]

    def get_form(
        self,
        request: HttpRequest,
        obj: OnrampRequest | None = None,
        change: bool = False,
        **kwargs: Any,
    ) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        form.actor = actor_of(request)  # type: ignore[attr-defined]
        return form

    def save_model(
        self,
        request: HttpRequest,
        obj: OnrampRequest,
        form: ModelForm[OnrampRequest],
        change: bool,
    ) -> None:
        # Not before the request is committed: nothing must be credited for one that never was.
        credit = partial(onramp_credit, onramp=obj, actor=actor_of(request))
        transaction.on_commit(lambda: self._try(request, obj, credit))

    @admin.action(description="Approve and credit", permissions=["change"])
    def credit(self, request: HttpRequest, requests: QuerySet[OnrampRequest]) -> None:
        actor = actor_of(request)
        for row in requests:
            self._try(request, row, partial(onramp_credit, onramp=row, actor=actor))

    @admin.action(description="Reject", permissions=["change"])
    def reject(self, request: HttpRequest, requests: QuerySet[OnrampRequest]) -> None:
        actor = actor_of(request)
        for row in requests:
            rejection = f"by {actor.username}"
            self._try(
                request, row, partial(onramp_reject, onramp=row, actor=actor, rejection=rejection)
            )

    @admin.display(description="Waits for")
    def waits(self, row: OnrampRequest) -> str:
        if row.status != OnrampStatus.REQUESTED:
            return ""
        if row.submitted_at is not None:
            return "the engine's answer: credit again"
        if row.approved_by_id is not None and onramp_needs_second_approval(onramp=row):
            return "a second person"
        return "approval"

    def _try(
        self, request: HttpRequest, row: OnrampRequest, service: Callable[[], OnrampRequest]
    ) -> None:
        try:
            done = service()
        except OnrampRefused as refused:
            messages.error(request, f"{row}: {refused}")
        except EngineUnavailable:
            messages.error(request, f"{row}: the engine does not answer; credit it again later")
        except StatusUnknown:
            messages.warning(request, f"{row}: no answer in time; credit it again to find out")
        else:
            level = messages.ERROR if done.rejection else messages.SUCCESS
            waits = self.waits(done)
            text = f"waits for {waits}" if waits else f"{done.status} {done.rejection}"
            messages.add_message(request, level, f"{done}: {text}")
            self.log_change(request, done, text)
