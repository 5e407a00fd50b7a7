"""Users and their keys."""

from typing import Any, Final

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.forms import AdminSignInForm
from accounts.models import ApiKey, BearerToken, Scope, Tier, User
from accounts.models.api_key import validate_network
from accounts.services import api_key_create, api_key_revoke
from accounts.trading_accounts import orders_unlimit
from engine.client import EngineUnavailable, StatusUnknown
from exchange_site.errors import CodedError
from exchange_site.generic import ModelAdmin, ModelForm

admin.site.login_form = AdminSignInForm
admin.site.site_header = admin.site.site_title = "Exchange"

admin.site.register(User, UserAdmin)


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
        if data["tier"] == Tier.MAKER:
            self._unlimit(request, data["user"])

    def _unlimit(self, request: HttpRequest, user: User) -> None:
        """What the tier promises is the engine's to keep."""
        try:
            orders_unlimit(account=user.pk)
        except (CodedError, EngineUnavailable, StatusUnknown):
            messages.error(
                request,
                "That did not reach the engine: lift the limits in the trading account.",
            )

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
