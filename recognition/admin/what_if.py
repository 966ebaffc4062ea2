"""What other thresholds would have made of the real log, before anybody proposes them."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib.admin import ModelAdmin
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy, ngettext

from recognition.admin import rates
from recognition.admin.base import actor_of
from recognition.decision.replay import Change, Outcome
from recognition.decision.verdict import Decision
from recognition.models import Checkpoint, ModelPack, ThresholdPolicy
from recognition.models.events import DECISION_LABELS
from recognition.selectors import jobs as jobs_read
from recognition.selectors import what_if
from recognition.selectors.what_if import ChangedEvent, Wanted, WhatIf
from recognition.services import policies

NEEDED = ("recognition.view_thresholdpolicy", "recognition.view_person")

SEE_EVENTS = "recognition.view_recognitionevent"
"""Without it the page counts and says nothing of single events: who, when and where are what events hold."""

ROWS_A_PAGE = 50

_STEP = 0.001
"""Of the sliders. A value within half of it from the one in force is the one in force."""

_DAYS = (
    (1, gettext_lazy("the last day")),
    (7, gettext_lazy("the last 7 days")),
    (30, gettext_lazy("the last 30 days")),
    (365, gettext_lazy("the last year")),
)

_USUAL_DAYS = 30

_CHANGES = {
    Change.REFUSED: gettext_lazy("Accepted then, refused now"),
    Change.ACCEPTED: gettext_lazy("Not accepted then, accepted now"),
    Change.OTHER_PERSON: gettext_lazy("Accepted as somebody else"),
    Change.ACCEPT_UNDETERMINED: gettext_lazy("Accepted then, undetermined now"),
    Change.REFUSAL_UNDETERMINED: gettext_lazy("Not accepted then, undetermined now"),
}


@dataclasses.dataclass(frozen=True, slots=True)
class Slider:
    """One threshold as the page moves it.

    Args:
        name: of the field.
        label: of the field.
        help_text: what it does.
        value: where it stands.
        in_force: the value that decides now.
        most: where it ends; it begins at 0.
        step: between two places.
    """

    name: str
    label: str
    help_text: str
    value: str
    in_force: str
    most: str
    step: str


@dataclasses.dataclass(frozen=True, slots=True)
class ChangedRow:
    """An event that would have ended otherwise, in words.

    Args:
        event_id: primary key.
        at: when it ended.
        place: where.
        then: how it ended.
        after: how it would have.
        change: what that means.
    """

    event_id: int
    at: dt.datetime
    place: str
    then: str
    after: str
    change: str


@dataclasses.dataclass(frozen=True, slots=True)
class Tile:
    """How many events change in one way.

    Args:
        code: of the change.
        label: in words.
        count: how many.
        is_shown: whether the table shows these alone.
        address: shows these alone; all again where it does already.
    """

    code: str
    label: str
    count: int
    is_shown: bool
    address: str


class WhatIfForm(forms.Form):
    """Thresholds to try, where, and on how much of the log."""

    identification_threshold = forms.FloatField(min_value=-1.0, max_value=1.0, required=False)
    verification_threshold = forms.FloatField(min_value=-1.0, max_value=1.0, required=False)
    margin = forms.FloatField(min_value=0.0, max_value=2.0, required=False)
    checkpoint = forms.ModelChoiceField(Checkpoint.objects.order_by("name"), required=False)
    days = forms.TypedChoiceField(choices=_DAYS, coerce=int, required=False)
    change = forms.ChoiceField(choices=[(code.value, text) for code, text in _CHANGES.items()], required=False)

    def clean_days(self) -> int:
        """How much of the log: a month where nothing else is asked for."""
        return int(self.cleaned_data["days"] or _USUAL_DAYS)


def address(owner: ModelAdmin[Any]) -> URLPattern:
    """The address of the page."""

    def view(request: HttpRequest) -> HttpResponse:
        if not actor_of(request).has_perms(NEEDED):
            raise PermissionDenied
        site = owner.admin_site.each_context(request)
        context = {**site, "title": gettext("What if"), **_context(request)}
        return TemplateResponse(request, "admin/recognition/thresholdpolicy/what_if.html", context)

    return path("what-if/", owner.admin_site.admin_view(view), name="recognition_thresholdpolicy_what_if")


def _context(request: HttpRequest) -> dict[str, Any]:
    pack = ModelPack.objects.filter(is_active=True).first()
    form = WhatIfForm(request.GET)
    if not form.is_valid():
        problems = [str(error) for errors in form.errors.values() for error in errors]
        form = WhatIfForm({})
        form.is_valid()
        return {**_asked(form, pack), "problems": problems}
    context = _asked(form, pack)
    in_force: ThresholdPolicy | None = context["in_force"]
    if pack is None or in_force is None or not request.GET:
        return context
    wanted = _wanted(form, in_force)
    found = what_if.what_if(
        wanted,
        pack=pack,
        checkpoint=form.cleaned_data["checkpoint"],
        strategy=in_force.strategy,
        since=timezone.now() - dt.timedelta(days=form.cleaned_data["days"]),
    )
    return {**context, **_found(request, form, wanted, found)}


def _asked(form: WhatIfForm, pack: ModelPack | None) -> dict[str, Any]:
    checkpoint, days = form.cleaned_data["checkpoint"], form.cleaned_data["days"]
    in_force = policies.holding(pack=pack, checkpoint=checkpoint) if pack and pack.decides else None
    return {
        "in_force": in_force,
        "sliders": tuple(_sliders(_wanted(form, in_force), in_force)) if in_force else (),
        "checkpoints": [(point, point == checkpoint) for point in Checkpoint.objects.order_by("name")],
        "days": [(number, text, number == days) for number, text in _DAYS],
    }


def _wanted(form: WhatIfForm, in_force: ThresholdPolicy) -> Wanted:
    def value(name: str) -> float:
        asked, now = form.cleaned_data[name], getattr(in_force, name)
        return float(now if asked is None or abs(asked - now) <= _STEP / 2 else asked)

    return Wanted(**{field.name: value(field.name) for field in dataclasses.fields(Wanted)})


def _sliders(wanted: Wanted, in_force: ThresholdPolicy) -> Iterator[Slider]:
    for field in dataclasses.fields(Wanted):
        model_field = ThresholdPolicy._meta.get_field(field.name)
        label = str(model_field.verbose_name)  # type: ignore[union-attr]  # no relation is among them
        yield Slider(
            name=field.name,
            label=label[:1].upper() + label[1:],
            help_text=str(model_field.help_text),  # type: ignore[union-attr]
            value=f"{getattr(wanted, field.name):.3f}",
            in_force=f"{getattr(in_force, field.name):.3f}",
            most="0.5" if field.name == "margin" else "1",
            step=str(_STEP),
        )


def _found(request: HttpRequest, form: WhatIfForm, wanted: Wanted, found: WhatIf) -> dict[str, Any]:
    may_see_events = actor_of(request).has_perm(SEE_EVENTS)
    shown = form.cleaned_data["change"] if may_see_events else ""
    rows = [event for event in found.changed if may_see_events and (not shown or event.change == shown)]
    page = Paginator(rows, ROWS_A_PAGE).get_page(request.GET.get("p"))
    events = list(page.object_list)
    people = {outcome.person_id for event in events for outcome in (event.then, event.after) if outcome.person_id}
    names = jobs_read.names(people)
    checkpoint = form.cleaned_data["checkpoint"]
    values = dataclasses.asdict(wanted) | ({"checkpoint": checkpoint.pk} if checkpoint else {})
    kept = {name: str(value) for name, value in request.GET.items() if name != "p"}
    return {
        "found": found,
        "may_see_events": may_see_events,
        "summary": _summary(found),
        "left_out": tuple(_left_out(found)),
        "tiles": tuple(_tiles(found, kept, shown)),
        "page": page,
        "rows": [_row(event, names) for event in events],
        "query": urlencode(kept),
        "propose": f"{reverse('admin:recognition_thresholdpolicy_add')}?{urlencode(values)}",
    }


def _tiles(found: WhatIf, kept: dict[str, str], shown: str) -> Iterator[Tile]:
    for code, label in _CHANGES.items():
        is_shown = code == shown
        query = {name: value for name, value in kept.items() if name != "change"}
        address = urlencode(query if is_shown else {**query, "change": code.value})
        yield Tile(code.value, str(label), found.counts.get(code, 0), is_shown, f"?{address}")


def _row(event: ChangedEvent, names: Any) -> ChangedRow:
    return ChangedRow(
        event_id=event.event_id,
        at=event.decided_at,
        place=str(event.place),
        then=_outcome(event.then, names),
        after=_outcome(event.after, names),
        change=str(_CHANGES[event.change]),
    )


def _outcome(outcome: Outcome, names: Any) -> str:
    if outcome.decision is None:
        return gettext("Undetermined: more frames would have been taken")
    label = str(DECISION_LABELS[outcome.decision])
    if outcome.decision is not Decision.ACCEPT or outcome.person_id is None:
        return label
    return f"{label}: {names.get(outcome.person_id) or gettext('somebody who was erased since')}"


def _summary(found: WhatIf) -> str:
    text = ngettext("%(count)s event was decided anew.", "%(count)s events were decided anew.", found.replayed)
    if found.older:
        text += " " + gettext(
            "They are the newest: %(most)s of the %(all)s in this time that could be are looked at. Choose a shorter "
            "time or a checkpoint to see all of one."
        )
    looked_at = found.replayed + found.not_replayed
    numbers = {"count": found.replayed, "most": looked_at, "all": looked_at + found.older}
    return text % {name: rates.count(number) for name, number in numbers.items()}


def _left_out(found: WhatIf) -> Iterator[str]:
    told = (
        (found.other_pack, gettext("%(count)s decided by another model pack, whose similarities say nothing here.")),
        (found.other_strategy, gettext("%(count)s compared in another way than the policy in force does.")),
        (found.not_replayed, gettext("%(count)s whose stored votes do not lead to the stored decision.")),
    )
    for count, text in told:
        if count:
            yield text % {"count": rates.count(count)}
