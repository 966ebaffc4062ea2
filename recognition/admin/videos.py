"""Videos: upload, see how far it is, and then who was there when, play it with names, and compare a person with it."""

from __future__ import annotations

import csv
from http import HTTPStatus
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy
from unfold.decorators import display

from recognition import conf, video_wording
from recognition.admin import job_detail, streams, video_timeline
from recognition.admin.base import ReadOnlyAdmin, actor_of, button, require
from recognition.models import Job, Person, Video, VideoPiece
from recognition.selectors import jobs, people
from recognition.selectors import videos as read
from recognition.services import videos

VIEW = "recognition.view_video"
ADD = "recognition.add_video"
DELETE = "recognition.delete_video"
DOWNLOAD = "recognition.download_video"

LIST = "admin:recognition_video_changelist"
PAGE = "admin:recognition_video_change"

ANSWERS = "comparisons"
"""The part of a video's page that says whom it was compared with."""

ROWS_A_PAGE = 50
COMPARISONS_SHOWN = 20


class VideoForm(forms.Form):
    """One video."""

    upload = forms.FileField(
        label=gettext_lazy("Video"),
        widget=forms.ClearableFileInput(
            attrs={"accept": "video/*,.mkv,.avi,.ts", "aria-describedby": "upload-limits upload-error"}
        ),
        allow_empty_file=True,
    )


@admin.register(Video)
class VideoAdmin(ReadOnlyAdmin):
    """Videos, the newest first."""

    empty_text = gettext_lazy("Videos that were uploaded stand here, with who is in them and when.")
    list_before_template = "admin/recognition/video/before_list.html"
    list_display = ("name", "state_text", "uploaded_by", "uploaded_at")
    list_display_links = ("name",)
    list_select_related = ("job", "uploaded_by")
    fields = ("file_name",)

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        """Whether the user may upload."""
        return actor_of(request).has_perm(ADD)

    @display(description=gettext_lazy("file"))
    def name(self, video: Video) -> str:
        """What was uploaded."""
        return video.file_name or gettext("without a name")

    @display(description=gettext_lazy("state"))
    def state_text(self, video: Video) -> str:
        """Where it stands."""
        return job_detail.sentence(video.job) if video.job else gettext("not watched")

    def get_urls(self) -> list[URLPattern]:
        """What is done with a video beside the usual pages."""
        return [
            button(self, "cancel", ADD, self._cancel),
            button(self, "again", ADD, self._again),
            button(self, "compare", ADD, self._compare),
            button(self, "discard", DELETE, self._discard),
            button(self, "download", DOWNLOAD, self._download),
            button(self, "table", DOWNLOAD, self._table),
            path("<int:video_id>/film/", self.admin_site.admin_view(self._film), name="recognition_video_film"),
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The videos; says how long they are kept."""
        return super().changelist_view(request, {**(extra_context or {}), "kept_days": read.kept_days()})  # type: ignore[no-any-return]

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Takes an upload and leads to how far it is."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = VideoForm(request.POST, request.FILES) if request.method == "POST" else VideoForm()
        wants_json = request.headers.get("Accept") == "application/json"
        if request.method == "POST" and form.is_valid():
            try:
                address = _uploaded(request, form)
            except videos.VideoRefused as refused:
                form.add_error("upload", str(refused))
            else:
                return JsonResponse({"location": address}) if wants_json else HttpResponseRedirect(address)
        if wants_json:
            sentences = [str(error) for errors in form.errors.values() for error in errors]
            return JsonResponse({"errors": sentences}, status=HTTPStatus.UNPROCESSABLE_ENTITY)
        most_bytes = min(conf.video_max_bytes(), videos.room_bytes())
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("Watch a video"),
            "opts": self.model._meta,
            "form": form,
            "most_bytes": most_bytes,
            "most_megabytes": most_bytes // 2**20,
            "most_minutes": conf.video_max_minutes(),
            "kept_days": read.kept_days(),
        }
        return TemplateResponse(request, "admin/recognition/video/upload.html", context)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The video as `templates/admin/recognition/video/change_form.html` shows it."""
        video = self.get_object(request, object_id)
        context = _shown(request, video) if video is not None else {}
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **context})  # type: ignore[no-any-return]

    def _film(self, request: HttpRequest, video_id: int) -> HttpResponseBase:
        """The copy with names, for the player of the page."""
        require(request, VIEW)
        video = get_object_or_404(Video, pk=video_id)
        return _film(request, video, VideoPiece.Film.ANNOTATED)

    def _download(self, request: HttpRequest, video: Video) -> HttpResponseBase:
        answer = _film(request, video, VideoPiece.Film.ANNOTATED)
        videos.note_download(video=video, what="annotated", actor=actor_of(request))
        return answer

    def _table(self, request: HttpRequest, video: Video) -> HttpResponse:
        videos.note_download(video=video, what="csv", actor=actor_of(request))
        answer = HttpResponse(content_type="text/csv; charset=utf-8")
        answer["Content-Disposition"] = f'attachment; filename="video-{video.pk}.csv"'
        answer["Cache-Control"] = "no-store"
        writer = csv.writer(answer)
        writer.writerow(video_wording.COLUMNS)
        writer.writerows(video_wording.rows(read.appearances(video)))
        return answer

    def _cancel(self, request: HttpRequest, video: Video) -> HttpResponse:
        try:
            videos.cancel(video=video, actor=actor_of(request), now=timezone.now())
        except videos.VideoRefused as refused:
            messages.error(request, str(refused))
        return HttpResponseRedirect(reverse(PAGE, args=[video.pk]))

    def _again(self, request: HttpRequest, video: Video) -> HttpResponse:
        try:
            videos.watch_again(video=video, actor=actor_of(request))
        except videos.VideoRefused as refused:
            messages.error(request, str(refused))
        return HttpResponseRedirect(reverse(PAGE, args=[video.pk]))

    def _compare(self, request: HttpRequest, video: Video) -> HttpResponse:
        whom = request.POST.get("whom", "").strip()
        try:
            videos.ask_for_comparison(video=video, whom=whom, actor=actor_of(request))
        except videos.VideoRefused as refused:
            messages.error(request, str(refused))
            return HttpResponseRedirect(reverse(PAGE, args=[video.pk]))
        return HttpResponseRedirect(f"{reverse(PAGE, args=[video.pk])}#{ANSWERS}")

    def _discard(self, request: HttpRequest, video: Video) -> HttpResponse:
        try:
            videos.delete(video=video, actor=actor_of(request), now=timezone.now())
        except videos.VideoRefused as refused:
            messages.error(request, str(refused))
            return HttpResponseRedirect(reverse(PAGE, args=[video.pk]))
        messages.success(request, gettext("The video is deleted; its events stay as long as any other."))
        return HttpResponseRedirect(reverse(LIST))


def _uploaded(request: HttpRequest, form: VideoForm) -> str:
    file = form.cleaned_data["upload"]
    video = videos.upload(
        file_name=file.name or "",
        size=file.size or 0,
        chunks=file.chunks(),
        actor=actor_of(request),
        now=timezone.now(),
    )
    return reverse(PAGE, args=[video.pk])


def _film(request: HttpRequest, video: Video, film: VideoPiece.Film) -> HttpResponseBase:
    size = read.film_bytes(video, film)
    if not size:
        raise Http404
    return streams.part(
        request,
        lambda start, stop: read.film_pieces(video, film, start=start, stop=stop),
        size=size,
        content_type="video/webm",
        file_name=f"video-{video.pk}.webm",
    )


def _shown(request: HttpRequest, video: Video) -> dict[str, Any]:
    rows = video_timeline.rows(read.appearances(video), read.events_of(video), video.duration_s or 0.0)
    page = Paginator(rows, ROWS_A_PAGE).get_page(request.GET.get("p"))
    done = list(read.jobs_of(video).filter(kind=Job.Kind.VIDEO_COMPARISON)[:COMPARISONS_SHOWN])
    open_job = next((job for job in [video.job, *done] if job is not None and job.is_open), None)
    shown = open_job or video.job
    has_upload = bool(read.film_bytes(video, VideoPiece.Film.UPLOADED))
    return {
        # The admin reads the row once more; its job may have ended meanwhile.
        "video": video,
        "title": video.file_name or gettext("Video"),
        "job": shown,
        "open_job": open_job,
        "sentence": job_detail.sentence(shown) if shown is not None else "",
        "nobody_works": open_job is not None and not jobs.is_anybody_working(),
        "may_watch_again": videos.may_watch_again(video),
        "length": video_wording.clock(video.duration_s or 0.0),
        "page": page,
        "comparisons": [(_name(job), job_detail.sentence(job)) for job in done if not job.is_open],
        "is_comparing": open_job is not None and open_job.kind == Job.Kind.VIDEO_COMPARISON,
        "may_compare": videos.may_compare(video) and actor_of(request).has_perm(ADD),
        "has_film": bool(read.film_bytes(video, VideoPiece.Film.ANNOTATED)),
        "has_upload": has_upload,
        "kept_days": read.kept_days(),
    }


def _name(job: Job) -> str:
    person = Person.objects.filter(pk=job.parameters["person"]).first()
    return people.following_merges(person).name if person is not None else gettext("somebody who was erased")
