"""Legal bases, holds and erasure on the page of a person."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin import ModelAdmin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, reverse
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy

from recognition import conf
from recognition.admin import merged
from recognition.admin.base import MomentInput, actor_of, button
from recognition.models import ErasureReason, ErasureRequest, LegalBasis, LegalHold, Person
from recognition.selectors import legal as legal_read
from recognition.selectors import people as people_read
from recognition.services import erasure, legal
from recognition.services.erasure_ledger import LedgerRefused

_NOT_CHOSEN = {ErasureReason.DELETED, ErasureReason.RESTORED}
"""Reasons that the product gives by itself."""

_INPUT = {"class": "faceweb-input"}


class BasisForm(forms.ModelForm):  # type: ignore[type-arg]  # generic only for type checkers
    """A new basis."""

    class Meta:
        model = LegalBasis
        fields = ("kind", "given_at", "text_version", "how", "document", "valid_until")
        widgets = {
            "kind": forms.Select(attrs=_INPUT),
            "given_at": MomentInput(),
            "text_version": forms.TextInput(attrs=_INPUT),
            "how": forms.Select(attrs=_INPUT),
            "document": forms.TextInput(attrs=_INPUT),
            "valid_until": MomentInput(),
        }


def addresses(owner: ModelAdmin[Any]) -> list[URLPattern]:
    """The addresses behind the buttons of a person's page."""
    return [
        button(owner, "basis", "recognition.add_legalbasis", merged.of_person(_record)),
        button(owner, "withdraw-basis", "recognition.withdraw_legalbasis", merged.of_person(_withdraw)),
        button(owner, "hold", "recognition.add_legalhold", merged.of_person(_hold)),
        button(owner, "lift-hold", "recognition.lift_legalhold", merged.of_person(_lift)),
        button(owner, "erase", "recognition.delete_person", merged.of_person(_erase)),
    ]


class BasisFilter(admin.SimpleListFilter):
    """People by whether they have a valid legal basis."""

    title = gettext_lazy("legal basis")
    parameter_name = "basis"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The one question that is asked."""
        return [("missing", gettext("none that is valid"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Person]) -> QuerySet[Person]:
        """Those without."""
        return queryset.filter(pk__in=people_read.without_basis()) if self.value() == "missing" else queryset


def context(person: Person) -> dict[str, Any]:
    """What the page of a person shows of all this, to whoever may see it."""
    rows = legal_read.rows_of(person)
    now = timezone.now()
    bases = LegalBasis.objects.filter(person__in=rows).select_related("recorded_by")
    return {
        "bases": [(basis, _standing(basis, person, now)) for basis in bases],
        "basis_form": BasisForm(auto_id="id_basis_%s", initial={"kind": LegalBasis.Kind.CONSENT, "given_at": now}),
        "lacks_basis": people_read.without_basis().filter(pk=person.pk).exists(),
        "basis_is_required": conf.requires_legal_basis(),
        "holds": legal_read.standing_holds(rows).select_related("placed_by"),
        "waiting_erasure": legal_read.waiting_erasure(rows),
        "erasure_reasons": [(code, label) for code, label in ErasureReason.choices if code not in _NOT_CHOSEN],
    }


def erase(request: HttpRequest, person: Person, reason: ErasureReason) -> int | None:
    """Has a person erased, or queued for it, and says what became of it.

    Returns:
        The number of the certificate; None where nothing is erased yet.
    """
    try:
        asked = erasure.request(person=person, reason=reason, actor=actor_of(request), now=timezone.now())
    except LedgerRefused as refused:
        messages.error(request, str(refused))
        return None
    _tell(request, asked)
    return asked.certificate_id


def _tell(request: HttpRequest, asked: ErasureRequest) -> None:
    if asked.certificate_id is None:
        text = gettext(
            "A legal hold keeps the data: the erasure waits until it is lifted. Until then the person is not active."
        )
        messages.warning(request, text)
        return
    text = gettext("Erased. Certificate %(number)s lists what was deleted.")
    messages.success(request, text % {"number": asked.certificate_id})


def _standing(basis: LegalBasis, person: Person, now: Any) -> str:
    if basis.withdrawn_at is not None:
        return gettext("withdrawn")
    if basis.valid_until is not None and basis.valid_until <= now:
        return gettext("no longer valid")
    if basis.person_id != person.pk:
        return gettext("of a row that was merged into this person: does not count")
    return gettext("valid")


def _number(request: HttpRequest, name: str) -> int:
    """The primary key that a form sent; 0, which nothing has, for anything else."""
    number = request.POST.get(name, "")
    return int(number) if number.isdecimal() else 0


def _back(person_id: int) -> HttpResponse:
    return HttpResponseRedirect(reverse("admin:recognition_person_change", args=[person_id]))


def _record(request: HttpRequest, person: Person) -> HttpResponse:
    form = BasisForm(request.POST, instance=LegalBasis(person=person))
    try:
        if not form.is_valid():
            wrong = [
                f"{form[name].label if name in form.fields else ''} {texts[0]}" for name, texts in form.errors.items()
            ]
            raise legal.LegalRefused(" ".join(wrong))
        legal.record_basis(basis=form.instance, actor=actor_of(request), now=timezone.now())
    except legal.LegalRefused as refused:
        messages.error(request, gettext("Nothing is recorded. %(why)s") % {"why": refused})
    else:
        messages.success(request, gettext("The legal basis is recorded."))
    return _back(person.pk)


def _withdraw(request: HttpRequest, person: Person) -> HttpResponse:
    basis = LegalBasis.objects.filter(pk=_number(request, "basis"), person__in=legal_read.rows_of(person))
    try:
        legal.withdraw_basis(basis=basis.get(), actor=actor_of(request), now=timezone.now())
    except LegalBasis.DoesNotExist:
        messages.error(request, gettext("That basis is not there any more."))
    except legal.LegalRefused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, gettext("The basis is withdrawn from now on."))
    return _back(person.pk)


def _hold(request: HttpRequest, person: Person) -> HttpResponse:
    try:
        legal.place_hold(person=person, reason=request.POST.get("reason", ""), actor=actor_of(request))
    except legal.LegalRefused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, gettext("The hold is placed: an erasure waits until it is lifted."))
    return _back(person.pk)


def _lift(request: HttpRequest, person: Person) -> HttpResponse:
    hold = LegalHold.objects.filter(pk=_number(request, "hold"), person__in=legal_read.rows_of(person))
    try:
        waited = legal.lift_hold(hold=hold.get(), actor=actor_of(request), now=timezone.now())
    except LegalHold.DoesNotExist:
        messages.error(request, gettext("That hold is not there any more."))
    except (legal.LegalRefused, LedgerRefused) as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, gettext("The hold is lifted."))
        if waited is not None:
            _tell(request, waited)
            if waited.certificate_id is not None:
                return _to_certificate(waited.certificate_id)
    return _back(person.pk)


def _erase(request: HttpRequest, person: Person) -> HttpResponse:
    reason = request.POST.get("reason", "")
    if reason not in ErasureReason.values or "understood" not in request.POST:
        messages.error(request, gettext("Nothing is erased: choose why, and confirm that it cannot be undone."))
        return _back(person.pk)
    number = erase(request, person, ErasureReason(reason))
    return _back(person.pk) if number is None else _to_certificate(number)


def _to_certificate(number: int) -> HttpResponse:
    return HttpResponseRedirect(reverse("admin:recognition_erasurecertificate_change", args=[number]))
