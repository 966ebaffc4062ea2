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


class PhotosForm(forms.Form):
    """Two photos to compare."""

    first = forms.FileField(
        label=_("First photo"),
        error_messages={"required": _("Choose the first photo."), "empty": _("The file is empty.")},
    )
    second = forms.FileField(
        label=_("Second photo"),
        error_messages={"required": _("Choose the second photo."), "empty": _("The file is empty.")},
    )


class PairingForm(forms.Form):
    """The code that an operator made for this device, and what to call the device."""

    code = forms.CharField(
        label=_("Pairing code"),
        # Longer than a code with its dash, for whoever types blanks between the letters.
        max_length=20,
        error_messages={"required": _("Type in the code that the operator was shown.")},
    )
    label = forms.CharField(
        label=_("Name of this device"),
        max_length=100,
        error_messages={
            "required": _("Give the device a name by which operators find it, such as “Tablet at gate 2”.")
        },
    )
