"""What visitors send in."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _


class PhotoForm(forms.Form):
    """One photo to search the gallery with; its size and kind are judged where it is decoded."""

    photo = forms.FileField(
        label=_("Photo"),
        error_messages={
            "required": _("Choose a photo first."),
            "empty": _("The file is empty."),
        },
    )
