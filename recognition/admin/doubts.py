"""Doubts that set samples aside: shown beside what they were held against, and answered; and the pairs told apart."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext, gettext_lazy, ngettext
from unfold.decorators import display

from recognition import wording
from recognition.admin.base import ReadOnlyAdmin, actor_of, back
from recognition.decision.doubts import Doubt, DoubtReason
from recognition.models import DistinctPair, FaceSample, Person
from recognition.selectors import people as people_read
from recognition.services import doubts, people


@dataclasses.dataclass(frozen=True, slots=True)
class ShownDoubt:
    """A doubt as pages show it.

    Args:
        sentence: what speaks against the sample.
        sample_id: what it was held against; None where that is gone.
        other: whom it is like, where that is somebody else who is still enrolled; else None.
    """

    sentence: str
    sample_id: int | None
    other: Person | None


def shown(person: Person, found: Sequence[Doubt], request: HttpRequest) -> tuple[ShownDoubt, ...]:
    """Doubts about a sample of a person; nobody is named to who may not see people."""
    may_see = actor_of(request).has_perm("recognition.view_person")
    rows = Person.objects.in_bulk({doubt.person_id for doubt in found}) if may_see else {}
    others = {number: people_read.following_merges(row) for number, row in rows.items()}
    held_against = FaceSample.objects.in_bulk({doubt.sample_id for doubt in found})
    return tuple(_shown(person, doubt, others.get(doubt.person_id), held_against) for doubt in found)


def _shown(person: Person, doubt: Doubt, other: Person | None, held_against: dict[int, FaceSample]) -> ShownDoubt:
    sentence = wording.doubt_sentence(doubt, person=person.name, other=other.name if other else None)
    # Of somebody who was merged into this very person, there is nobody else to look at.
    somebody_else = other if other is not None and other != person else None
    return ShownDoubt(sentence, doubt.sample_id if doubt.sample_id in held_against else None, somebody_else)


def of_sample(sample: FaceSample) -> tuple[Doubt, ...]:
    """The doubts that a sample was stored with."""
    return tuple(Doubt.from_json(stored) for stored in sample.doubts)


def use_anyway(request: HttpRequest, sample: FaceSample) -> HttpResponse:
    """Takes a sample into the search, whatever speaks against it."""
    doubts.answer(sample=sample, actor=actor_of(request))
    messages.success(request, gettext("The sample is searched from now on."))
    return _back(request, sample)


def set_aside(request: HttpRequest, sample: FaceSample) -> HttpResponse:
    """Takes a sample out of the search, such as one that a check of the gallery found."""
    people.set_sample_status(sample=sample, status=FaceSample.Status.SET_ASIDE, actor=actor_of(request))
    messages.success(request, gettext("The sample is set aside: it is not searched any more."))
    return _back(request, sample)


def tell_apart(request: HttpRequest, sample: FaceSample) -> HttpResponse:
    """Remembers that the sample's person and the one whom it is like really are two people."""
    number = request.POST.get("other", "")
    row = Person.objects.filter(pk=number).first() if number.isdecimal() else None
    other = people_read.following_merges(row) if row is not None else None
    if other is None:
        messages.error(request, gettext("The other person is no longer enrolled, so there is nothing to remember."))
        return _back(request, sample)
    try:
        freed = doubts.tell_apart(person=sample.person, other=other, actor=actor_of(request))
    except doubts.AnswerRefused as refused:
        messages.error(request, str(refused))
        return _back(request, sample)
    text = gettext("%(person)s and %(other)s are remembered as two people.")
    names = {"person": sample.person.name, "other": other.name}
    more = ngettext("%(count)d sample is searched again.", "%(count)d samples are searched again.", len(freed))
    messages.success(request, f"{text % names} {more % {'count': len(freed)}}")
    return _back(request, sample)


def _back(request: HttpRequest, sample: FaceSample) -> HttpResponse:
    return back(request, reverse("admin:recognition_facesample_change", args=[sample.pk]))


class DoubtFilter(admin.SimpleListFilter):
    """Samples that wait for an answer, and why."""

    title = gettext_lazy("doubt")
    parameter_name = "doubt"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin[FaceSample]) -> list[tuple[str, str]]:
        """The closed list of doubts."""
        return [(reason.value, wording.doubt_label(reason)) for reason in DoubtReason]

    def queryset(self, request: HttpRequest, queryset: QuerySet[FaceSample]) -> QuerySet[FaceSample]:
        """Samples that are set aside for the chosen doubt."""
        if self.value() is None:
            return queryset
        aside = queryset.filter(status=FaceSample.Status.SET_ASIDE)
        return aside.filter(doubts__contains=[{"reason": self.value()}])


@admin.register(DistinctPair)
class DistinctPairAdmin(ReadOnlyAdmin):
    """People who are alike and were told apart; removing a pair brings the doubt back."""

    empty_text = gettext_lazy(
        "Two people who are alike and really are two stand here once somebody has said so: in the gallery "
        "health, or of a sample that was set aside."
    )
    list_display = ("pair", "created_by", "created_at")
    list_display_links = None
    list_select_related = ("first", "second", "created_by")
    search_fields = ("first__name", "second__name")
    fields = ("first", "second", "created_by", "created_at")
    readonly_fields = fields
    actions = ("take_for_one_again",)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Whether the user may bring the doubt back."""
        return actor_of(request).has_perm("recognition.delete_distinctpair")

    def get_queryset(self, request: HttpRequest) -> QuerySet[DistinctPair]:
        """Pairs of people as they are listed; what a merge left behind says the same of the one who stayed."""
        shown: QuerySet[DistinctPair] = super().get_queryset(request)
        return shown.filter(first__merged_into=None, second__merged_into=None)

    @display(description=gettext_lazy("people"))
    def pair(self, pair: DistinctPair) -> str:
        """Both names."""
        return f"{pair.first} · {pair.second}"

    @admin.action(description=gettext_lazy("Tell apart no longer"), permissions=["delete"])
    def take_for_one_again(self, request: HttpRequest, queryset: QuerySet[DistinctPair]) -> None:
        """Forgets the chosen pairs."""
        self.delete_queryset(request, queryset)
        self.message_user(request, gettext("Samples of one that are like the other are doubtful again."))

    def delete_model(self, request: HttpRequest, obj: DistinctPair) -> None:
        """Forgets the pair through the service."""
        doubts.take_for_one_again(pair=obj, actor=actor_of(request))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[DistinctPair]) -> None:
        """Forgets several pairs through the service."""
        for pair in queryset:
            doubts.take_for_one_again(pair=pair, actor=actor_of(request))
