"""Bulk import: upload, look at what would happen, start, and see what became of each file."""

from __future__ import annotations

import contextlib
import csv
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any, BinaryIO, cast

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import UploadedFile
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy
from unfold.decorators import display

from recognition import conf, import_wording
from recognition.admin import doubts, job_detail
from recognition.admin.base import ReadOnlyAdmin, actor_of, button
from recognition.admin.enrolment_pages import MultipleFileInput
from recognition.importing import archives, layouts
from recognition.importing.entries import ImportRefused
from recognition.importing.layouts import Layout
from recognition.models import ImportBatch, ImportItem
from recognition.selectors import imports
from recognition.services import import_batches
from recognition.vision.errors import TooManyBytes

ROWS_A_PAGE = 100

LAYOUT_LABELS = {
    Layout.AUTO: gettext_lazy("find out by itself"),
    Layout.FOLDERS: gettext_lazy("a folder for each person"),
    Layout.FLAT: gettext_lazy("names in the names of files"),
}


class FilesField(forms.FileField):
    """Several files, each of them checked as one would be, as Django's documentation has it."""

    def clean(self, data: Any, initial: Any = None) -> Any:
        """The files as a list."""
        files = data if isinstance(data, list) else [data]
        return [super(FilesField, self).clean(file, initial) for file in files or [None]]


class UploadForm(forms.Form):
    """A ZIP archive, or photos whose names say whom they show."""

    upload = FilesField(
        label=gettext_lazy("ZIP archive, or photos"),
        widget=MultipleFileInput(attrs={"multiple": True, "accept": ".zip,image/*,.csv"}),
    )
    layout = forms.ChoiceField(
        label=gettext_lazy("How it says whom a photo shows"),
        choices=[(layout.value, label) for layout, label in LAYOUT_LABELS.items()],
        required=False,
        widget=forms.Select(attrs={"class": "faceweb-input"}),
    )


@admin.register(ImportBatch)
class ImportBatchAdmin(ReadOnlyAdmin):
    """Imports, the newest first."""

    empty_text = gettext_lazy("Uploads of many people at once stand here, with what became of each file.")
    list_before_template = "admin/recognition/importbatch/before_list.html"
    list_display = ("name", "state_text", "created_by", "created_at")
    list_display_links = ("name",)
    list_select_related = ("job", "created_by")
    fields = ("file_name",)

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        """Whether the user may import."""
        return actor_of(request).has_perm("recognition.add_importbatch")

    @display(description=gettext_lazy("file"))
    def name(self, batch: ImportBatch) -> str:
        """What was uploaded."""
        return batch.file_name or gettext("name removed")

    @display(description=gettext_lazy("state"))
    def state_text(self, batch: ImportBatch) -> str:
        """Where it stands."""
        return batch.job.get_state_display() if batch.job else gettext("not started")

    def get_urls(self) -> list[URLPattern]:
        """The buttons and the list to keep beside the usual pages."""
        results = self.admin_site.admin_view(self._results)
        return [
            button(self, "start", "recognition.add_importbatch", self._start),
            button(self, "discard", "recognition.add_importbatch", self._discard),
            path("<int:batch_id>/results/", results, name="recognition_importbatch_results"),
            *super().get_urls(),
        ]

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Takes an upload and leads to what would happen."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = UploadForm(request.POST, request.FILES) if request.method == "POST" else UploadForm()
        wants_json = request.headers.get("Accept") == "application/json"
        if request.method == "POST" and form.is_valid():
            try:
                address = self._uploaded(request, form)
            except ImportRefused as refused:
                form.add_error("upload", import_wording.refusal_sentence(refused))
            else:
                return JsonResponse({"location": address}) if wants_json else HttpResponseRedirect(address)
        if wants_json:
            sentences = [str(error) for errors in form.errors.values() for error in errors]
            return JsonResponse({"errors": sentences}, status=HTTPStatus.UNPROCESSABLE_ENTITY)
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("Import people"),
            "opts": self.model._meta,
            "form": form,
            "most_bytes": conf.import_max_bytes(),
        }
        return TemplateResponse(request, "admin/recognition/importbatch/upload.html", context)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The import as `templates/admin/recognition/importbatch/change_form.html` shows it."""
        batch = self.get_object(request, object_id)
        context = self._shown(request, batch) if batch is not None else {}
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **context})  # type: ignore[no-any-return]

    def _uploaded(self, request: HttpRequest, form: UploadForm) -> str:
        files = form.cleaned_data["upload"]
        with _opened(files) as (paths, read):
            batch, _plan = import_batches.upload(
                file_name=files[0].name or "",
                paths=paths,
                read=read,
                layout=Layout(form.cleaned_data["layout"] or Layout.AUTO),
                actor=actor_of(request),
                now=timezone.now(),
            )
        return reverse("admin:recognition_importbatch_change", args=[batch.pk])

    def _shown(self, request: HttpRequest, batch: ImportBatch) -> dict[str, Any]:
        counts = imports.counts(batch)
        chosen = request.GET.get("state", "")
        items = imports.items(batch, chosen if chosen in ImportItem.State.values else "")
        page = Paginator(items, ROWS_A_PAGE).get_page(request.GET.get("p"))
        return {
            # The admin reads the row once more; its job may have ended meanwhile, and the counts would be of before.
            "batch": batch,
            "title": batch.file_name or gettext("Import"),
            "states": [(state.value, state.label, counts[state]) for state in ImportItem.State if counts[state]],
            "chosen": chosen,
            "page": page,
            "rows": [(item, _reasons(item, request)) for item in page],
            "total": sum(counts.values()),
            "people": imports.people_of(batch),
            "sentence": job_detail.sentence(batch.job) if batch.job else "",
            "can_go_on": import_batches.can_go_on(batch),
        }

    def _start(self, request: HttpRequest, batch: ImportBatch) -> HttpResponse:
        try:
            import_batches.start(batch=batch, actor=actor_of(request), now=timezone.now())
        except import_batches.BatchRefused as refused:
            self.message_user(request, str(refused), messages.ERROR)
        return HttpResponseRedirect(reverse("admin:recognition_importbatch_change", args=[batch.pk]))

    def _discard(self, request: HttpRequest, batch: ImportBatch) -> HttpResponse:
        try:
            import_batches.discard(batch=batch, actor=actor_of(request))
        except import_batches.BatchRefused as refused:
            self.message_user(request, str(refused), messages.ERROR)
            return HttpResponseRedirect(reverse("admin:recognition_importbatch_change", args=[batch.pk]))
        self.message_user(request, gettext("The upload is deleted; nobody was enrolled."), messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:recognition_importbatch_changelist"))

    def _results(self, request: HttpRequest, batch_id: int) -> HttpResponse:
        """What became of each file, for a spreadsheet."""
        batch = self.get_object(request, str(batch_id))
        if batch is None or not self.has_view_permission(request, batch):
            raise PermissionDenied
        response = HttpResponse(content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = f'attachment; filename="import-{batch.pk}.csv"'
        response["Cache-Control"] = "no-store"
        writer = csv.writer(response)
        writer.writerow(["file", "person", "result", "codes", "reasons"])
        for item in imports.items(batch, "").iterator(chunk_size=500):
            codes = " ".join(import_wording.stored_code(stored) for stored in item.reasons)
            reasons = " ".join(_reasons(item, request))
            writer.writerow(
                [
                    import_wording.spreadsheet_cell(text)
                    for text in (item.path, imports.name_of(item), item.get_state_display(), codes, reasons)
                ]
            )
        return response


@contextlib.contextmanager
def _opened(files: list[UploadedFile[Any]]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Paths and reader of what was uploaded: an archive, or single files.

    Raises:
        ImportRefused: for an archive that is none, or dangerous.
    """
    if len(files) == 1 and (files[0].name or "").lower().endswith(".zip"):
        # Django gives small uploads as memory and large ones as a temporary file; both can be searched.
        archive = archives.opened(cast(BinaryIO, files[0].file), most_bytes=conf.import_max_bytes())
        yield archive.paths, archive.read
        return
    archives.require_size(sum(file.size or 0 for file in files), most_bytes=conf.import_max_bytes())
    named: dict[str, UploadedFile[Any]] = {}
    for number, file in enumerate(files):
        named[layouts.free_path(file.name or f"{number}", named)] = file

    def read(name: str, most_bytes: int) -> bytes:
        size = named[name].size or 0
        if size > most_bytes:
            raise TooManyBytes(size, most_bytes)
        return bytes(named[name].read())

    yield tuple(named), read


def _reasons(item: ImportItem, request: HttpRequest) -> tuple[str, ...]:
    if item.state == ImportItem.State.SET_ASIDE and item.sample is not None:
        found = doubts.shown(item.sample.person, doubts.of_sample(item.sample), request)
        return tuple(doubt.sentence for doubt in found)
    return tuple(import_wording.stored_sentence(stored) for stored in item.reasons)
