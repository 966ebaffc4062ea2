"""Sentences for what speaks against an import, or against one of its files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

from recognition import wording
from recognition.decision.verdict import Reason
from recognition.importing.entries import FORMULA_STARTS, ImportRefused, Refusal, Skip

_REFUSALS = {
    Refusal.NOT_AN_ARCHIVE: _("This is not a ZIP archive that can be read, or it is damaged. Pack it again."),
    Refusal.DAMAGED_FILE: _("The file “%(path)s” in the archive is damaged. Pack it again."),
    Refusal.TOO_MANY_FILES: _("There are more than %(most)d files. Import them in parts."),
    Refusal.TOO_LARGE_UNPACKED: _(
        "Unpacked it would have more than %(most_mb)d MB. Import it in parts, or have whoever runs the system raise "
        "FACEWEB_IMPORT_MAX_MB."
    ),
    Refusal.PACKED_TOO_TIGHTLY: _(
        "The file “%(path)s” is packed so tightly that it cannot be a photo. Nothing was unpacked; do not trust the "
        "archive."
    ),
    Refusal.UNSAFE_PATH: _(
        "The path “%(path)s” leads out of the archive. Nothing was unpacked; do not trust the archive."
    ),
    Refusal.LINK_INSIDE: _("“%(path)s” is a link and not a file. Pack the photos themselves."),
    Refusal.ENCRYPTED: _("“%(path)s” is encrypted. Pack it without a password."),
    Refusal.TWICE_THE_SAME_PATH: _("“%(path)s” is in the archive twice. Pack it again."),
    Refusal.UNKNOWN_COMPRESSION: _("“%(path)s” is packed in a way that is not read here. Use plain ZIP (deflate)."),
    Refusal.LIST_NOT_TEXT: _("people.csv is no text in UTF-8, or larger than 50 MB. Save it as CSV UTF-8."),
    Refusal.LIST_WITHOUT_COLUMN: _("people.csv has no column “%(column)s”. Its first line must name the columns."),
    Refusal.LIST_UNKNOWN_COLUMN: _(
        "people.csv has a column “%(column)s” that is not known, or has it twice. Known are file, name, external_id, "
        "groups, notes, valid_from and valid_until."
    ),
    Refusal.LIST_BROKEN_LINE: _(
        "Line %(line)d of people.csv has more or fewer cells than the first line, a quote that is not closed, or a "
        "character that is no text. Save it as CSV anew."
    ),
    Refusal.LIST_BAD_VALUE: _("Line %(line)d of people.csv: the column “%(column)s” must hold %(expected)s."),
    Refusal.LIST_CONTRADICTS_ITSELF: _(
        "Line %(line)d of people.csv contradicts an earlier one about the same file or person, in the column "
        "“%(column)s”."
    ),
    Refusal.NO_IMAGES: _(
        "No photo was found of which it is clear whom it shows. Use a folder for each person, names in the names of "
        "files, or a people.csv."
    ),
}

_EXPECTED = {
    "file": _("the path of a file"),
    "name": _("a name of at most 200 characters; it may be empty only beside an external_id"),
    "external_id": _("at most 100 characters"),
    "notes": _("at most 10,000 characters"),
    "valid_from": _("a day or moment such as 2026-05-31 or 2026-05-31T08:00+02:00, or nothing"),
    "valid_until": _("a day or moment such as 2026-05-31 or 2026-05-31T08:00+02:00, later than valid_from, or nothing"),
}
"""What a column of the list may hold."""

_SKIPS = {
    Skip.NOT_AN_IMAGE: _("It is not named like a photo that is read here: JPEG, PNG, WebP, BMP or TIFF."),
    Skip.NO_NAME: _("It is not clear whom it shows: nobody has that name or id."),
    Skip.NAME_TOO_LONG: _("The name has more than 200 characters."),
    Skip.NOT_LISTED: _("people.csv does not list it."),
    Skip.MISSING: _("people.csv lists it, and it is not there."),
    Skip.NOT_LOOKED_AT: _(
        "The import ended before it was looked at and did not go on within a day, so the photo is deleted. Upload it "
        "again."
    ),
    Skip.UNKNOWN_GROUP: _("One of its groups does not exist. An administrator makes groups in the admin."),
}


def refusal_sentence(refused: ImportRefused) -> str:
    """Why nothing of an import is taken, and what to do."""
    expected = _EXPECTED.get(str(refused.parameters.get("column")), "")
    return str(_REFUSALS[refused.refusal]) % {**refused.parameters, "expected": expected}


def skip_sentence(skip: Skip) -> str:
    """Why a file is left out."""
    return str(_SKIPS[skip])


def stored_sentence(stored: Mapping[str, Any]) -> str:
    """Why a file was not used, as it was stored with it: left out, or refused by a gate."""
    if "skip" in stored:
        return skip_sentence(Skip(stored["skip"]))
    return wording.reason_sentence(Reason.from_json(stored))


def stored_code(stored: Mapping[str, Any]) -> str:
    """The permanent code of what `stored_sentence` says, for programs."""
    return str(stored.get("skip") or stored["reason"])


def spreadsheet_cell(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text
