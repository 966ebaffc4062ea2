"""What the log of events is filtered by, as a form in the address of its page."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy

from recognition.decision.reviews import REFUSALS
from recognition.decision.verdict import Decision
from recognition.models import Checkpoint, EventPlace, Person, RecognitionEvent, ThresholdPolicy
from recognition.models.events import DECISION_LABELS
from recognition.models.reviews import VERDICT_LABELS
from recognition.reason_wording import REASON_LABELS
from recognition.selectors import event_filters
from recognition.selectors.event_filters import LIVE_PAGE, VIDEO, EventFilter
from recognition.selectors.event_log import Place

REFUSED, UNDECIDED = "refused", "undecided"

_GROUPS = {
    REFUSED: tuple(decision.value for decision in REFUSALS),
    UNDECIDED: tuple(decision.value for decision in Decision if decision not in (Decision.ACCEPT, *REFUSALS)),
}

_GROUP_LABELS = {REFUSED: gettext_lazy("every refusal"), UNDECIDED: gettext_lazy("every end without a decision")}

_REVIEW_LABELS = {
    "waiting": gettext_lazy("waits for my verdict"),
    "unreviewed": gettext_lazy("without a verdict"),
    "reviewed": gettext_lazy("with a verdict"),
    "disputed": gettext_lazy("verdicts differ"),
    "overridden": gettext_lazy("overridden by staff"),
    **{code.value: label for code, label in VERDICT_LABELS.items()},
}

_OF_VERDICTS = frozenset(_REVIEW_LABELS) - {"overridden"}

_FIRST = ("q", "person")

_PEOPLE_TO_CHOOSE_FROM = 12


class LogForm(forms.Form):
    """Every field may be left empty."""

    q = forms.CharField(
        label=gettext_lazy("Text"),
        max_length=100,
        help_text=gettext_lazy("Words of names, ids, notes and reasons of overrides."),
    )
    since = forms.DateTimeField(label=gettext_lazy("From"))
    until = forms.DateTimeField(label=gettext_lazy("Before"))
    checkpoint = forms.ChoiceField(label=gettext_lazy("Checkpoint"))
    person = forms.CharField(
        label=gettext_lazy("Person"), max_length=200, help_text=gettext_lazy("Name, external id, or # and number.")
    )
    decision = forms.ChoiceField(label=gettext_lazy("Decision"))
    reason = forms.ChoiceField(label=gettext_lazy("Reason"))
    kind = forms.ChoiceField(label=gettext_lazy("Kind"))
    similarity_from = forms.FloatField(label=gettext_lazy("Similarity from"), min_value=-1.0, max_value=1.0)
    similarity_to = forms.FloatField(label=gettext_lazy("Similarity to"), min_value=-1.0, max_value=1.0)
    review = forms.ChoiceField(label=gettext_lazy("Review"))
    policy = forms.ChoiceField(label=gettext_lazy("Policy version"))

    def __init__(self, data: QueryDict, *, sees_verdicts: bool) -> None:
        """Takes the address; what is no longer there to be chosen is refused with a sentence."""
        super().__init__(data)
        states = {code: label for code, label in _REVIEW_LABELS.items() if sees_verdicts or code not in _OF_VERDICTS}
        decisions = [
            (
                gettext("Groups"),
                [(REFUSED, gettext("every refusal")), (UNDECIDED, gettext("no accept and no refusal"))],
            ),
            (gettext("Decisions"), [(code.value, label) for code, label in DECISION_LABELS.items()]),
        ]
        doors = Checkpoint.objects.order_by("name").values_list("pk", "name")
        versions = ThresholdPolicy.objects.order_by("-version").values_list("version", flat=True)
        self._offer("decision", decisions)
        self._offer("checkpoint", [(LIVE_PAGE, EventPlace()), (VIDEO, EventPlace(is_video=True)), *doors])
        self._offer("reason", sorted(((code.value, str(label)) for code, label in REASON_LABELS.items()), key=_label))
        self._offer("kind", RecognitionEvent.Kind.choices)
        self._offer("review", states.items())
        self._offer("policy", [(version, version) for version in versions])
        for name, field in self.fields.items():
            field.required = False
            field.widget.attrs.update({"class": "faceweb-input", "form": "log-filter"})
            if isinstance(field, forms.DateTimeField):
                field.widget = forms.DateTimeInput(
                    attrs={**field.widget.attrs, "type": "datetime-local", "step": "1"}, format="%Y-%m-%dT%H:%M:%S"
                )
            if isinstance(field, forms.FloatField):
                field.widget.attrs["step"] = "any"
            if field.help_text:
                field.widget.attrs["aria-describedby"] = f"id_{name}_help"
        self.people: tuple[Person, ...] = ()

    def clean_person(self) -> Person | None:
        """Whoever is meant; several are left to be chosen from."""
        text = self.cleaned_data["person"].strip()
        found = _people(text) if text else []
        if len(found) > 1:
            self.people = tuple(found[:_PEOPLE_TO_CHOOSE_FROM])
            raise ValidationError(gettext("Several people are called so: choose one below, or type more of the name."))
        if text and not found:
            raise ValidationError(gettext("Nobody is called so. Erased people cannot be looked for."))
        return found[0] if found else None

    @property
    def wanted(self) -> EventFilter:
        """The filter; of a form that is valid."""
        values = self.cleaned_data
        decision = values["decision"]
        decisions = _GROUPS.get(decision, (decision,)) if decision else ()
        return EventFilter(
            since=values["since"],
            until=values["until"],
            checkpoint=int(values["checkpoint"]) if values["checkpoint"] else None,
            person=values["person"],
            decisions=decisions,
            reason=values["reason"],
            similarity_from=values["similarity_from"],
            similarity_to=values["similarity_to"],
            review=values["review"],
            policy=int(values["policy"]) if values["policy"] else None,
            kind=values["kind"],
            text=values["q"],
        )

    @property
    def query(self) -> dict[str, str]:
        """What of the address is a filter, without what was left empty."""
        return {name: text for name in self.fields if (text := self.data.get(name, "").strip())}

    @property
    def first_fields(self) -> list[forms.BoundField]:
        """What is asked for most."""
        return [self[name] for name in _FIRST]

    @property
    def further_fields(self) -> list[forms.BoundField]:
        """What is folded away until it is used."""
        return [self[name] for name in self.fields if name not in _FIRST]

    @property
    def asks_more(self) -> bool:
        """Whether anything of that is used."""
        return bool(set(self.query) - set(_FIRST))

    def _offer(self, name: str, choices: Iterable[Any]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101  # for the type checker
        field.choices = [("", gettext("any")), *choices]


def place_of(data: QueryDict) -> Place | None:
    """Where the page begins that an address asks for; None for the newest, and for what makes no sense."""
    for name, goes_back in (("before", True), ("after", False)):
        if text := data.get(name, ""):
            return _edge(str(text), goes_back=goes_back)
    if text := data.get("at", ""):
        try:
            moment = dt.datetime.fromisoformat(str(text))
            moment = timezone.make_aware(moment) if timezone.is_naive(moment) else moment
        except (ValueError, OverflowError):
            return None
        # No event has the number 0: the page begins with what was decided before that moment.
        return Place(moment, 0)
    return None


def edge(event: RecognitionEvent) -> str:
    """An event as the place beside which a page begins, for an address."""
    return f"{event.decided_at.isoformat()}_{event.pk}"


def _edge(text: str, *, goes_back: bool) -> Place | None:
    at, _, number = text.rpartition("_")
    try:
        return Place(dt.datetime.fromisoformat(at), int(number), goes_back=goes_back)
    except ValueError:
        return None


def _people(text: str) -> list[Person]:
    """The people who may be meant: by number, by the very id, else by their names; one more than are shown."""
    people = Person.objects.filter(merged_into=None)
    if text.startswith("#"):
        number = text[1:]
        return list(people.filter(pk=int(number))) if number.isascii() and number.isdigit() and len(number) < 19 else []
    exact = list(people.filter(external_id=text))
    return exact or list(
        people.filter(pk__in=event_filters.people_called(text)).order_by("name")[: _PEOPLE_TO_CHOOSE_FROM + 1]
    )


def _label(choice: tuple[str, str]) -> str:
    return choice[1]
