"""The admin's pages over rows that follow the journal: who saves a form sends a command."""

from collections.abc import Callable
from typing import TypeVar

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Model
from django.forms.models import construct_instance
from django.http import HttpRequest

from engine.client import EngineUnavailable, StatusUnknown
from engine.submit import CommandRefused
from exchange_site.errors import CodedError
from exchange_site.generic import ModelAdmin, ModelForm
from markets.selectors import wait_for_projection

_Row = TypeVar("_Row", bound=Model)


class CommandForm(ModelForm[_Row]):
    """Sends a command where other forms write a row. The engine's refusal is a form error."""

    sequence: int

    def send(self, command: Callable[[], int]) -> None:
        """Last in `clean`: the form is only valid if the engine agreed."""
        if self.errors:
            return
        try:
            self.sequence = command()
        except CommandRefused as refusal:
            raise ValidationError(f"{refusal.detail} ({refusal.code.value})") from None
        except CodedError as error:
            raise ValidationError({error.field or "__all__": error.detail}) from None
        except EngineUnavailable:
            raise ValidationError("The engine does not answer; nothing was changed.") from None
        except StatusUnknown:
            raise ValidationError("No answer came in time. Look before you try again.") from None

    def _post_clean(self) -> None:
        """The engine validates, not the model; the instance is only there to be named."""
        if not self.errors:
            self.instance = construct_instance(self, self.instance)


class ProjectionAdmin(ModelAdmin[_Row]):
    """Rows that only the projector writes: nobody deletes them."""

    def has_delete_permission(self, request: HttpRequest, obj: _Row | None = None) -> bool:
        return False


class ReadOnlyAdmin(ProjectionAdmin[_Row]):
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: _Row | None = None) -> bool:
        return False


class CommandAdmin(ProjectionAdmin[_Row]):
    """Saving waits for the row to appear, so that the list shows it."""

    def save_model(
        self, request: HttpRequest, obj: _Row, form: CommandForm[_Row], change: bool
    ) -> None:
        if not wait_for_projection(sequence=form.sequence, timeout=settings.HISTORY_WAIT_S):
            messages.warning(request, "Done, but the tables are behind: it will show in a moment.")
        if obj.pk is None:  # the row was made by the projector: it is named by what is unique in it
            names = obj._meta.total_unique_constraints[0].fields
            row = type(obj)._default_manager.filter(**{n: getattr(obj, n) for n in names}).first()
            obj.pk = row.pk if row else 0
