"""Unknown people: faces of events that nobody was recognised by, grouped, and what is to become of each group."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext

from recognition.admin import job_detail, unknown_actions
from recognition.admin.base import ReadOnlyAdmin, actor_of, require
from recognition.admin.unknown_actions import CHANGE, LIST
from recognition.models import Job, UnknownCluster
from recognition.selectors import event_faces, jobs, packs
from recognition.selectors import unknowns as read
from recognition.selectors.packs import NoActivePack
from recognition.selectors.unknowns import Proposed
from recognition.services import jobs as job_writes

CLUSTERS_A_PAGE = 24
FACES_A_PAGE = 60
ASK = (CHANGE, "recognition.add_job")
"""Permissions to have faces grouped."""


@admin.register(UnknownCluster)
class UnknownClusterAdmin(ReadOnlyAdmin):
    """Groups of unknown faces, and one of them."""

    fields = ("state",)

    def get_urls(self) -> list[URLPattern]:
        """What is done with groups, beside the usual pages."""
        view = self.admin_site.admin_view
        return [
            path("group/", view(self._group), name="recognition_unknowncluster_group"),
            *unknown_actions.addresses(self),
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The groups of one state, those seen most often first."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        states = UnknownCluster.State
        state = request.GET.get("state", "")
        state = state if state in states.values else states.OPEN.value
        counts = read.counts()
        page = Paginator(read.clusters(state), CLUSTERS_A_PAGE).get_page(request.GET.get("page"))
        context = {
            **self.admin_site.each_context(request),
            "opts": UnknownCluster._meta,
            "title": gettext("Unknown people"),
            "state": state,
            "states": [(each.value, each.label, counts[each.value]) for each in states],
            "page": page,
            "summaries": read.summaries(list(page)),
            "may_merge": state == states.OPEN and actor_of(request).has_perm(CHANGE),
            **_job_context(request),
        }
        return TemplateResponse(request, "admin/recognition/unknowncluster/list.html", context)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """One group: its faces, and what can be done with it."""
        cluster = self.get_object(request, object_id)
        if cluster is None or request.method == "POST" or not self.has_view_permission(request, cluster):
            # Says which of these it is.
            return super().change_view(request, object_id, form_url, extra_context)  # type: ignore[no-any-return]
        return self._page(request, cluster)

    def _page(self, request: HttpRequest, cluster: UnknownCluster) -> HttpResponse:
        user, query = actor_of(request), request.GET.get("q", "").strip()
        seen = read.sightings(cluster)
        context = {
            **self.admin_site.each_context(request),
            "opts": UnknownCluster._meta,
            "original": cluster,
            "title": gettext("Unknown person %(number)d") % {"number": cluster.pk},
            "cluster": cluster,
            "seen": seen,
            "page": Paginator(seen, FACES_A_PAGE).get_page(request.GET.get("page")),
            "places": sorted({sighting.place for sighting in seen}),
            "is_open": cluster.state == UnknownCluster.State.OPEN,
            "moves": read.moves_of(cluster),
            "may_change": user.has_perm(CHANGE),
            "may_assign": user.has_perms(unknown_actions.ASSIGN),
            "may_create": user.has_perms(unknown_actions.CREATE),
            "query": query,
            **_proposals(cluster, query),
        }
        return TemplateResponse(request, "admin/recognition/unknowncluster/cluster.html", context)

    def _group(self, request: HttpRequest) -> HttpResponse:
        for permission in ASK:
            require(request, permission)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        try:
            job_writes.request(kind=Job.Kind.UNKNOWNS, parameters={}, actor=actor_of(request))
        except job_writes.JobRefused as refused:
            messages.error(request, str(refused))
        return HttpResponseRedirect(reverse(LIST))


def _proposals(cluster: UnknownCluster, query: str) -> dict[str, Any]:
    """Who it may be, and which other group may be the same person."""
    if cluster.state != UnknownCluster.State.OPEN:
        return {}
    try:
        pack = packs.active()
    except NoActivePack:
        return {}
    called = [
        Proposed(person, person.first_sample)  # type: ignore[attr-defined]  # annotated
        for person in event_faces.people_called(query)
    ]
    return {
        "proposed": called if query else read.people_like(cluster, pack),
        "alike": read.clusters_like(cluster, pack),
        "threshold": pack.policy.identification_threshold if pack.policy else None,
    }


def _job_context(request: HttpRequest) -> dict[str, Any]:
    newest = read.newest_job()
    is_open = newest is not None and newest.is_open
    user = actor_of(request)
    return {
        "job": newest,
        "job_sentence": job_detail.sentence(newest) if newest is not None else "",
        "job_failed": newest is not None and newest.state in (Job.State.FAILED, Job.State.CANCELLED),
        "nobody_works": is_open and not jobs.is_anybody_working(),
        "may_group": user.has_perms(ASK),
        "may_see_job": user.has_perm("recognition.view_job"),
    }
