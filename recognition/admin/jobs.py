"""Long work: what runs, how far it is, what came of it, and the buttons that start and cancel it."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy
from procrastinate.contrib.django.models import ProcrastinateJob
from unfold.decorators import display

from recognition.admin import gallery_health, job_detail, thresholds
from recognition.admin.base import ReadOnlyAdmin, actor_of, back, button
from recognition.models import Job
from recognition.selectors import jobs as jobs_read
from recognition.selectors import videos as read_videos
from recognition.services import jobs

REQUEST = "recognition.add_job"
CANCEL = "recognition.cancel_job"

# Its rows say which process has a job; what people want to know of it stands in ours.
admin.site.unregister(ProcrastinateJob)


@admin.register(Job)
class JobAdmin(ReadOnlyAdmin):
    """Jobs, the newest first."""

    empty_text = gettext_lazy(
        "Long work stands here: checks of the gallery, imports, videos, switches of the model pack. It is "
        "asked for on the pages that it belongs to."
    )
    list_before_template = "admin/recognition/job/before_list.html"
    list_display = ("kind_text", "state_label", "progress", "requested_at", "requested_by", "finished_at")
    list_display_links = ("kind_text",)
    list_filter = ("state", "kind")
    list_select_related = ("requested_by",)
    fields = ("kind",)
    list_per_page = 50

    @display(description=gettext_lazy("job"), ordering="kind")
    def kind_text(self, job: Job) -> str:
        """What is done, and its number."""
        return f"{job.get_kind_display()} #{job.pk}"

    @display(
        description=gettext_lazy("state"),
        ordering="state",
        label={
            Job.State.QUEUED.value: "info",
            Job.State.RUNNING.value: "warning",
            Job.State.SUCCEEDED.value: "success",
            Job.State.FAILED.value: "danger",
        },
    )
    def state_label(self, job: Job) -> tuple[str, str]:
        """Where it stands."""
        return job.state, job.get_state_display()

    @display(description=gettext_lazy("how far"))
    def progress(self, job: Job) -> str:
        """In a sentence."""
        return job_detail.sentence(job)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The jobs; says where none is taken."""
        waits = Job.objects.filter(state=Job.State.QUEUED).exists()
        context = {
            "nobody_works": waits and not jobs_read.is_anybody_working(),
            "may_request": actor_of(request).has_perm(REQUEST),
            "may_see_health": gallery_health.may_see(request),
        }
        return super().changelist_view(request, {**(extra_context or {}), **context})  # type: ignore[no-any-return]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The job as `templates/admin/recognition/job/change_form.html` shows it."""
        job = self.get_object(request, object_id)
        context: dict[str, Any] = {}
        if job is not None:
            context = {"detail": job_detail.detail(job), "title": self.kind_text(job)}
            context["has_findings"] = job.kind == Job.Kind.GALLERY_CHECK and gallery_health.may_see(request)
            may_see_thresholds = actor_of(request).has_perm(thresholds.VIEW)
            may_see_unknowns = actor_of(request).has_perm("recognition.view_unknowncluster")
            context["has_unknowns"] = job.kind == Job.Kind.UNKNOWNS and may_see_unknowns
            may_see_video = actor_of(request).has_perm("recognition.view_video")
            context["video"] = read_videos.of_job(job) if may_see_video else None
            may_see_classifiers = actor_of(request).has_perm("recognition.view_trainedclassifier")
            context["has_classifiers"] = job.kind == Job.Kind.CLASSIFIERS and may_see_classifiers
            context["has_thresholds"] = job.kind == Job.Kind.THRESHOLDS and may_see_thresholds
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **context})  # type: ignore[no-any-return]

    def get_urls(self) -> list[URLPattern]:
        """What starts and cancels a job beside the usual pages."""
        return [
            path("check-gallery/", self.admin_site.admin_view(self._check_gallery), name="recognition_job_check"),
            button(self, "cancel", CANCEL, self._cancel),
            *super().get_urls(),
        ]

    def _check_gallery(self, request: HttpRequest) -> HttpResponse:
        if not actor_of(request).has_perm(REQUEST):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        try:
            job = jobs.request(kind=Job.Kind.GALLERY_CHECK, parameters={}, actor=actor_of(request))
        except jobs.JobRefused as refused:
            self.message_user(request, str(refused), messages.ERROR)
            return back(request, reverse("admin:recognition_job_changelist"))
        return back(request, reverse("admin:recognition_job_change", args=[job.pk]))

    def _cancel(self, request: HttpRequest, job: Job) -> HttpResponse:
        try:
            job = jobs.cancel(job=job, actor=actor_of(request), now=timezone.now())
        except jobs.JobRefused as refused:
            self.message_user(request, str(refused), messages.ERROR)
        else:
            is_over = not job.is_open
            text = gettext("The job is cancelled.") if is_over else gettext("The job ends after its current step.")
            self.message_user(request, text, messages.SUCCESS)
        return back(request, reverse("admin:recognition_job_change", args=[job.pk]))
