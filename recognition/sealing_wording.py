"""What is wrong with the sealed log, and how it is anchored, in sentences."""

from __future__ import annotations

import datetime as dt

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from recognition.models import AnchorPlace
from recognition.sealing.chain import Broken, Fault
from recognition.selectors.anchoring import Anchoring

_FAULTS = {
    Fault.ROW_MISSING: _("Row %(position)s of the chain is missing."),
    Fault.PREVIOUS_DIFFERS: _(
        "Row %(position)s of the chain (%(what)s) does not follow the row before it: one of the two was changed, "
        "removed, added or moved."
    ),
    Fault.HASH_DIFFERS: _("Row %(position)s of the chain (%(what)s) was changed or added."),
    Fault.CONTENT_CHANGED: _("Row %(position)s: %(what)s was changed after it was sealed."),
    Fault.CONTENT_GONE: _(
        "Row %(position)s: %(what)s was removed, and no later entry of an erasure or of retention says so."
    ),
    Fault.SALT_GONE: _("Row %(position)s: %(what)s cannot be proved: its salt was removed though it is still there."),
    Fault.LINK_EMPTIED: _("Row %(position)s: a link of %(what)s was emptied, and what it pointed to is still there."),
    Fault.NOT_SEALED: _("%(what)s is not in the chain: it was stored past it, or its row at the end was cut off."),
    Fault.NOT_AS_ANCHORED: _(
        "Row %(position)s of the chain (%(what)s) is another one than was anchored: the chain was computed anew."
    ),
    Fault.SHORTER_THAN_ANCHORED: _(
        "Row %(position)s of the chain is missing, and a later one was anchored: the end was cut off."
    ),
}

_SEALED = {
    "event": _("event %(number)s"),
    "claim": _("the claimed id of event %(number)s"),
    "crop": _("the picture of event %(number)s"),
    "override": _("override %(number)s"),
    "verdict": _("verdict %(number)s"),
    "audit": _("audit entry %(number)s"),
    "hold": _("legal hold %(number)s"),
    "event_hold": _("hold %(number)s on an event"),
}


def broken_seal(broken: Broken) -> str:
    """What is wrong with a row of the sealed log, and which one it is."""
    what = _SEALED.get(broken.kind)
    named = str(what) % {"number": broken.row_id} if what is not None else f"{broken.kind} {broken.row_id}"
    text = str(_FAULTS[broken.fault]) % {"position": broken.position, "what": named}
    return text[:1].upper() + text[1:]


_ANCHOR_PLACES = {
    AnchorPlace.Code.FILE: _("The file of anchors of the sealed log takes none since %(since)s: %(reason)s."),
    AnchorPlace.Code.ADDRESS: _("The address for anchors of the sealed log takes none since %(since)s: %(reason)s."),
}


def anchoring(found: Anchoring) -> str:
    """Whether heads of the sealed log are kept outside of the database, and what to do where they are not."""
    if found.failing:
        return " ".join(
            str(_ANCHOR_PLACES[each.place]) % {"since": _moment(each.since), "reason": each.reason}
            for each in found.failing
        )
    if found.kept_at is None:
        text = _("No head of the sealed log was ever kept outside of the database. A jobs process does so every hour.")
        return str(text) if found.is_late else gettext("Nothing of the sealed log is to be anchored yet.")
    text = (
        _("No head of the sealed log was kept outside of the database since %(at)s. A jobs process does so every hour.")
        if found.is_late
        else _("The sealed log was anchored %(at)s.")
    )
    return str(text) % {"at": _moment(found.kept_at)}


def _moment(moment: dt.datetime) -> str:
    return date_format(timezone.localtime(moment), "SHORT_DATETIME_FORMAT")
