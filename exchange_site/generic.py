"""Django's admin and form classes, which are generic to the type checker alone."""

from typing import TYPE_CHECKING, Any, Self

from django.contrib import admin
from django.forms import models as form_models

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin
    ModelForm = form_models.ModelForm
else:

    class _Subscriptable:
        def __class_getitem__(cls, _: Any) -> type[Self]:
            return cls

    class ModelAdmin(_Subscriptable, admin.ModelAdmin):
        pass

    class ModelForm(_Subscriptable, form_models.ModelForm):
        pass
