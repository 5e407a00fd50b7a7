"""Users, their keys, and funds: what changes anything goes through the services."""

import secrets
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.forms import AdminSignInForm
from accounts.models import (
    ApiKey,
    BearerToken,
    OnrampChannel,
    OnrampRequest,
    OnrampStatus,
    Scope,
    User,
)
from accounts.models.api_key import validate_network
from accounts.onramp import (
    OnrampRefused,
    onramp_credit,
    onramp_needs_second_approval,
    onramp_reject,
    onramp_request,
)
from accounts.services import api_key_create, api_key_revoke
from engine.client import EngineUnavailable, StatusUnknown
from exchange_site.errors import CodedError
from exchange_site.generic import ModelAdmin, ModelForm

admin.site.login_form = AdminSignInForm
admin.site.site_header = admin.site.site_title = "Exchange"

admin.site.register(User, UserAdmin)


def actor_of(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user


class ApiKeyForm(ModelForm[ApiKey]):
    scopes = forms.MultipleChoiceField(
        choices=Scope.choices, initial=Scope.values, widget=forms.CheckboxSelectMultiple
    )
    allowed_networks = forms.CharField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Addresses or networks, one a line; any address where empty.",
    )

    class Meta:
        model = ApiKey
        fields = ("user", "label", "scopes", "tier", "allowed_networks")

    def clean_allowed_networks(self) -> list[str]:
        networks: list[str] = self.cleaned_data["allowed_networks"].split()
        for network in networks:
            validate_network(network)
        return networks


@admin.register(ApiKey)
class ApiKeyAdmin(ModelAdmin[ApiKey]):
    """The secret is shown once, to who creates the key, and never stands in a form."""

    form = ApiKeyForm
    list_display = ("key", "user", "label", "scopes", "tier", "last_used_at", "revoked_at")
    list_filter = ("tier",)
    list_select_related = ("user",)
    search_fields = ("=key", "user__username", "label")
    autocomplete_fields = ("user",)
    actions = ("revoke",)

    def has_change_permission(self, request: HttpRequest, obj: ApiKey | None = None) -> bool:
        # The list needs it for its action; a single key is only looked at.
        return obj is None and super().has_change_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: ApiKey | None = None) -> bool:
        return False

    def get_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> Any:
        if obj is None:
            return self.form.Meta.fields
        return ("user", "label", "key", "scopes", "tier", "allowed_networks", *_KEY_TIMES)

    def save_model(
        self, request: HttpRequest, obj: ApiKey, form: ModelForm[ApiKey], change: bool
    ) -> None:
        data = form.cleaned_data
        created = api_key_create(
            user=data["user"],
            scopes=data["scopes"],
            tier=data["tier"],
            allowed_networks=data["allowed_networks"],
            label=data["label"],
        )
        obj.pk, obj.key = created.api_key.pk, created.api_key.key
        messages.success(request, f"The secret, shown this once: {created.secret} (key {obj.key})")

    @admin.action(description="Revoke the selected keys", permissions=["change"])
    def revoke(self, request: HttpRequest, keys: QuerySet[ApiKey]) -> None:
        for key in keys:
            api_key_revoke(api_key=key)
            self.log_change(request, key, "Revoked.")
        messages.success(request, f"{len(keys)} revoked.")


_KEY_TIMES: Final = ("created_at", "last_used_at", "revoked_at")


@admin.register(BearerToken)
class BearerTokenAdmin(ModelAdmin[BearerToken]):
    """Deleting one signs its client out."""

    list_display = ("user", "created_at", "expires_at")
    list_select_related = ("user",)
    fields = ("user", "created_at", "expires_at")
    search_fields = ("user__username",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: BearerToken | None = None) -> bool:
        return False


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
        self._try(request, obj, partial(onramp_credit, onramp=obj, actor=actor_of(request)))

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
