"""People, and whether they may pass."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, DateTimeField, Min, Q, QuerySet, TextField
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext, gettext_lazy, ngettext
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.widgets import INPUT_CLASSES, UnfoldAdminTextareaWidget

from recognition import wording
from recognition.admin import (
    capture_pages,
    enrolment_pages,
    gallery_health,
    guided_pages,
    legal,
    legal_bulk,
    merged,
    moves,
    person_history,
    person_samples,
)
from recognition.admin.base import MomentInput, actor_of, back, button, thumbnail
from recognition.admin.checkboxes import WithCheckboxes
from recognition.admin.dataset_export import export_dataset
from recognition.models import DenyListEntry, ErasureReason, FaceSample, Person
from recognition.selectors import people as people_read
from recognition.selectors import person_page
from recognition.services import deny_list, people


class PersonForm(forms.ModelForm):  # type: ignore[type-arg]  # generic only for type checkers
    """A person; what stands against them has buttons of its own."""

    class Meta:
        model = Person
        fields = ("name", "external_id", "is_active", "groups", "is_suspended", "valid_from", "valid_until", "notes")


class PinForm(forms.Form):
    """A PIN, typed twice because nobody sees it."""

    pin = forms.CharField(
        label=gettext_lazy("New PIN, 4 to 8 digits"),
        widget=forms.PasswordInput(
            attrs={"inputmode": "numeric", "autocomplete": "off", "class": " ".join(INPUT_CLASSES)}
        ),
    )
    again = forms.CharField(
        label=gettext_lazy("The same PIN again"),
        widget=forms.PasswordInput(
            attrs={"inputmode": "numeric", "autocomplete": "off", "class": " ".join(INPUT_CLASSES)}
        ),
    )

    def clean(self) -> dict[str, Any]:
        """Refuses two that differ."""
        values = super().clean() or {}
        if values.get("pin") != values.get("again"):
            raise forms.ValidationError(gettext("The two PINs are not the same."))
        return values


@admin.register(Person)
class PersonAdmin(WithCheckboxes, ModelAdmin):
    """People, their enrolment, and whether they may pass."""

    empty_text = gettext_lazy(
        "Add somebody here: a name first, then two or three photos. Many at once come by an import."
    )
    form = PersonForm
    change_form_outer_before_template = "admin/recognition/person/before_form.html"
    list_display = ("picture", "name", "external_id", "sample_count", "is_active", "created_at")
    list_display_links = ("name",)
    list_filter = ("is_active", "is_suspended", "groups", legal.BasisFilter)
    actions = (legal_bulk.record_basis, export_dataset)
    search_fields = ("name", "external_id")
    ordering = ("name", "pk")  # grouped queries do not keep the model's own
    fieldsets = (
        (None, {"fields": ("name", "external_id", "is_active", "notes", "created_at")}),
        (
            gettext_lazy("Whether they may pass"),
            {"fields": ("groups", "is_suspended", "valid_from", "valid_until")},
        ),
    )
    readonly_fields = ("created_at",)
    list_per_page = 50
    formfield_overrides = {
        TextField: {"widget": UnfoldAdminTextareaWidget(attrs={"rows": 3})},
        DateTimeField: {"form_class": forms.DateTimeField, "widget": MomentInput},
    }

    def get_queryset(self, request: HttpRequest) -> QuerySet[Person]:
        """People with how many samples are searched, and the one that stands for them."""
        searched = Q(samples__status=FaceSample.Status.ACTIVE)
        shown: QuerySet[Person] = super().get_queryset(request).filter(merged_into=None)
        return shown.annotate(
            active_samples=Count("samples", filter=searched),
            first_sample=Min("samples", filter=searched),
        )

    @display(description=gettext_lazy("face"))
    def picture(self, person: Any) -> str:
        """The first sample's picture."""
        return thumbnail("sample-image", person.first_sample, alt=gettext("Enrolled face"))

    @display(description=gettext_lazy("samples"), ordering="active_samples")
    def sample_count(self, person: Any) -> int:
        """How many samples are searched."""
        return int(person.active_samples)

    def has_export_dataset_permission(self, request: HttpRequest) -> bool:
        """Whether somebody may take pictures of people away, for the action of the list: whoever may see them."""
        return request.user.has_perm("recognition.view_facesample")

    def has_enrol_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Whether the user may add samples."""
        return enrolment_pages.may_enrol(request)

    def get_deleted_objects(
        self, objs: Sequence[Person] | QuerySet[Person], request: HttpRequest
    ) -> tuple[list[str], dict[str, int], set[str], list[str]]:
        """Says in a line a person what goes with them, in place of every row's number.

        Whoever may delete a person may delete what belongs to them; asked for each kind, nobody but superusers could.
        """
        _, counts, _, _ = super().get_deleted_objects(objs, request)
        # A legal hold protects its person: the erasure waits for it in its queue.
        return [_what_goes(person) for person in objs], counts, set(), []

    def get_urls(self) -> list[URLPattern]:
        """The pages of enrolment and of the PIN beside the usual ones."""
        pin_view = self.admin_site.admin_view(merged.leading_on(self.pin_view))
        return [
            *enrolment_pages.addresses(self),
            *guided_pages.addresses(self),
            *capture_pages.addresses(self),
            *moves.addresses(self),
            gallery_health.address(self),
            *legal.addresses(self),
            path("<int:person_id>/pin/", pin_view, name="recognition_person_pin"),
            button(self, "deny", "recognition.add_denylistentry", merged.of_person(self._deny)),
            button(self, "readmit", "recognition.delete_denylistentry", merged.of_person(self._readmit)),
            button(self, "set-inactive", "recognition.change_person", merged.of_person(self._set_inactive)),
            *super().get_urls(),
        ]

    def pin_view(self, request: HttpRequest, person_id: int) -> HttpResponse:
        """Sets a person's PIN, or takes it away."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        person = merged.standing(person_id)
        takes_away = "remove" in request.POST
        form = PinForm(request.POST if request.method == "POST" and not takes_away else None)
        if takes_away or form.is_valid():
            pin = None if takes_away else form.cleaned_data["pin"]
            try:
                people.set_pin(person=person, pin=pin, actor=actor_of(request))
            except people.PinRefused as refused:
                form.add_error("pin", str(refused))
            else:
                text = gettext("The PIN is removed.") if takes_away else gettext("The new PIN holds from now on.")
                return self._back(request, person, text, messages.SUCCESS)
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("PIN of %(name)s") % {"name": person.name},
            "opts": self.model._meta,
            "original": person,
            "person": person,
            "form": form,
        }
        return TemplateResponse(request, "admin/recognition/person/pin.html", context)

    def _deny(self, request: HttpRequest, person: Person) -> HttpResponse:
        try:
            deny_list.add(person=person, reason=request.POST.get("reason", ""), actor=actor_of(request))
        except deny_list.DenyListRefused as refused:
            return self._back(request, person, str(refused), messages.ERROR)
        text = gettext("%(name)s is on the deny list: refused everywhere, with an alert.") % {"name": person.name}
        return self._back(request, person, text, messages.SUCCESS)

    def _readmit(self, request: HttpRequest, person: Person) -> HttpResponse:
        entry = DenyListEntry.objects.filter(person=person).first()
        if entry is not None:
            deny_list.remove(entry=entry, actor=actor_of(request))
        text = gettext("%(name)s is not on the deny list.") % {"name": person.name}
        return self._back(request, person, text, messages.SUCCESS)

    def _set_inactive(self, request: HttpRequest, person: Person) -> HttpResponse:
        person.is_active = False
        people.save_person(person=person, changed=["is_active"], actor=actor_of(request))
        text = gettext("%(name)s is not active any more, and not recognised.") % {"name": person.name}
        return self._back(request, person, text, messages.SUCCESS)

    def _back(self, request: HttpRequest, person: Person, text: str, level: int) -> HttpResponse:
        self.message_user(request, text, level)
        return back(request, reverse("admin:recognition_person_change", args=[person.pk]))

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The form below what else says whether the person may pass."""
        person = self.get_object(request, object_id) if object_id else None
        entry = DenyListEntry.objects.filter(person=person).select_related("created_by").first() if person else None
        may_see = entry is not None and actor_of(request).has_perm("recognition.view_denylistentry")
        context: dict[str, Any] = {"deny_list_entry": entry if may_see else None, "is_denied": entry is not None}
        if person is not None:
            context.update(legal.context(person))
            glance = person_page.read(person)
            context["glance"] = glance
            context["samples"] = person_samples.of_person(person)
            context["samples_at_once"] = person_samples.SHOWN_AT_ONCE
            if actor_of(request).has_perm("recognition.view_auditentry"):
                number = request.GET.get("history")
                context["history_is_open"] = number is not None
                context["history"] = person_history.read(person, number=number, reader=actor_of(request))
            context["poses"] = [(wording.pose_label(pose), count) for pose, count in glance.coverage.poses.items()]
            context["lights"] = [(wording.light_label(light), count) for light, count in glance.coverage.lights.items()]
        return super().changeform_view(  # type: ignore[no-any-return]
            request, object_id, form_url, {**(extra_context or {}), **context}
        )

    def _get_obj_does_not_exist_redirect(self, request: HttpRequest, opts: Any, object_id: str) -> HttpResponse:
        """Where the row was merged into another, every page of it leads there."""
        row = Person.objects.filter(pk=object_id).first() if object_id.isdecimal() else None
        if row is not None:
            return merged.lead_on(request, people_read.following_merges(row))
        return super()._get_obj_does_not_exist_redirect(request, opts, object_id)  # type: ignore[no-any-return]

    def save_model(self, request: HttpRequest, obj: Person, form: Any, change: bool) -> None:
        """Stores the person through the service, which keeps who did it."""
        people.save_person(
            person=obj,
            changed=form.changed_data,
            actor=actor_of(request),
            groups=form.cleaned_data.get("groups"),
        )

    def has_record_basis_permission(self, request: HttpRequest) -> bool:
        """Whether somebody may record legal bases, for the action of the list."""
        return request.user.has_perm("recognition.add_legalbasis")

    def delete_model(self, request: HttpRequest, obj: Person) -> None:
        """Erases the person, or queues it."""
        legal.erase(request, obj, ErasureReason.DELETED)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Person]) -> None:
        """Erases several people, or queues it."""
        for person in queryset:
            legal.erase(request, person, ErasureReason.DELETED)

    def response_delete(self, request: HttpRequest, obj_display: str, obj_id: int) -> HttpResponse:
        """Back to the list; what became of it was said, without a name that nothing else holds any more."""
        return HttpResponseRedirect(reverse("admin:recognition_person_changelist"))

    def response_add(self, request: HttpRequest, obj: Person, post_url_continue: str | None = None) -> HttpResponse:
        """Goes on to the photos: a person without any is never recognised."""
        if "_addanother" in request.POST or "_popup" in request.POST or not self.has_enrol_permission(request):
            return super().response_add(request, obj, post_url_continue)  # type: ignore[no-any-return]
        return HttpResponseRedirect(reverse("admin:recognition_person_enrol", args=[obj.pk]))


def _what_goes(person: Person) -> str:
    count = person.samples.count()
    text = ngettext(
        "%(name)s, with %(count)d face sample and what was made of it. Recognition events stay, without name and "
        "picture.",
        "%(name)s, with %(count)d face samples and what was made of them. Recognition events stay, without name and "
        "picture.",
        count,
    )
    return text % {"name": person.name, "count": count}
