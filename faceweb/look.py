"""The admin's look: Unfold's settings in the product's own colours, and the way through its pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _


def _may(*permissions: str) -> Callable[[HttpRequest], bool]:
    return lambda request: request.user.has_perms(permissions)


def _file(path: str) -> Callable[[HttpRequest], str]:
    """Asked for with each page: the address of static files is not known while settings are read."""
    return lambda request: static(path)


def _is_at(path: str) -> Callable[[HttpRequest], bool]:
    """Unfold marks every item whose address the page's begins with; `/` would always be marked."""
    return lambda request: request.path == path


def _is_below(path: str, *, but_not: str | tuple[str, ...]) -> Callable[[HttpRequest], bool]:
    """For an item below whose address another item's page lies."""
    return lambda request: request.path.startswith(path) and not request.path.startswith(but_not)


def _item(title: Any, icon: str, link: str, *permissions: str, **more: Any) -> dict[str, Any]:
    return {"title": title, "icon": icon, "link": reverse_lazy(link), "permission": _may(*permissions), **more}


_POLICY = "/admin/recognition/thresholdpolicy"

# The scales around the colours of static/css/tokens.css: 600 carries white text, 500 is read on the dark surface.
_TEAL = {
    "50": "#eef7f8",
    "100": "#dceef0",
    "200": "#b5e0e6",
    "300": "#85d6e1",
    "400": "#5cc4d2",
    "500": "#48b3c2",
    "600": "#0b5f6c",
    "700": "#094d58",
    "800": "#073d46",
    "900": "#062f36",
    "950": "#04262b",
}
_SLATE = {
    "50": "#f4f6f8",
    "100": "#eaeef2",
    "200": "#d5dce3",
    "300": "#b9c4d1",
    "400": "#a0adbb",
    "500": "#566371",
    "600": "#4c5967",
    "700": "#3a4654",
    "800": "#2b3542",
    "900": "#171e27",
    "950": "#0f141b",
}

UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "faceweb",
    "SITE_HEADER": "faceweb",
    "SITE_ICON": _file("img/favicon.svg"),
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": _file("img/favicon.svg")}],
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_BACK_BUTTON": True,
    "BORDER_RADIUS": "8px",
    "COLORS": {"base": _SLATE, "primary": _TEAL},
    "STYLES": [
        _file(f"css/{name}.css") for name in ("admin", "admin-pages", "people", "guided", "measured", "review", "video")
    ],
    "DASHBOARD_CALLBACK": "recognition.admin.dashboard.with_dashboard",
    "SIDEBAR": {
        "navigation": [
            {
                "title": _("Recognise"),
                "items": [
                    _item(_("Live page"), "videocam", "live", "recognition.use_live", active=_is_at("/live/")),
                    _item(
                        _("Search by photo"),
                        "image_search",
                        "search",
                        "recognition.search_gallery",
                        active=_is_at("/search/"),
                    ),
                    _item(
                        _("Compare two photos"),
                        "compare",
                        "compare",
                        "recognition.search_gallery",
                        active=_is_at("/compare/"),
                    ),
                    _item(_("Videos"), "movie", "admin:recognition_video_changelist", "recognition.view_video"),
                ],
            },
            {
                "title": _("People"),
                "items": [
                    _item(
                        _("People"),
                        "group",
                        "admin:recognition_person_changelist",
                        "recognition.view_person",
                        active=_is_below(
                            "/admin/recognition/person/",
                            but_not=("/admin/recognition/person/health/", "/admin/recognition/person/capture/"),
                        ),
                    ),
                    _item(
                        _("Face samples"),
                        "face",
                        "admin:recognition_facesample_changelist",
                        "recognition.view_facesample",
                    ),
                    _item(
                        _("Unknown people"),
                        "person_search",
                        "admin:recognition_unknowncluster_changelist",
                        "recognition.view_unknowncluster",
                    ),
                    _item(
                        _("Gallery health"),
                        "health_metrics",
                        "admin:recognition_person_health",
                        "recognition.view_person",
                        "recognition.view_job",
                    ),
                    _item(
                        _("Imports"),
                        "upload_file",
                        "admin:recognition_importbatch_changelist",
                        "recognition.view_importbatch",
                    ),
                    _item(
                        _("Data set by camera"),
                        "photo_camera",
                        "admin:recognition_person_capture",
                        "recognition.add_facesample",
                    ),
                    _item(
                        _("Pairs told apart"),
                        "difference",
                        "admin:recognition_distinctpair_changelist",
                        "recognition.view_distinctpair",
                    ),
                    _item(
                        _("Groups of people"),
                        "groups",
                        "admin:recognition_persongroup_changelist",
                        "recognition.view_persongroup",
                    ),
                    _item(
                        _("Deny list"),
                        "block",
                        "admin:recognition_denylistentry_changelist",
                        "recognition.view_denylistentry",
                    ),
                    _item(
                        _("Erasures"),
                        "delete_forever",
                        "admin:recognition_erasurerequest_changelist",
                        "recognition.view_erasurerequest",
                    ),
                ],
            },
            {
                "title": _("Checkpoints"),
                "items": [
                    _item(
                        _("Checkpoints"),
                        "door_front",
                        "admin:recognition_checkpoint_changelist",
                        "recognition.view_checkpoint",
                    ),
                    _item(
                        _("Alerts"),
                        "notification_important",
                        "admin:recognition_alert_changelist",
                        "recognition.view_alert",
                    ),
                    _item(
                        _("Lockouts"),
                        "lock_clock",
                        "admin:recognition_claimlockout_changelist",
                        "recognition.view_claimlockout",
                    ),
                    _item(
                        _("Webhook calls"),
                        "webhook",
                        "admin:recognition_actiondelivery_changelist",
                        "recognition.view_actiondelivery",
                    ),
                ],
            },
            {
                "title": _("Audit"),
                "items": [
                    _item(
                        _("Recognition events"),
                        "fact_check",
                        "admin:recognition_recognitionevent_changelist",
                        "recognition.view_recognitionevent",
                    ),
                    _item(
                        _("Reviews"),
                        "rate_review",
                        "admin:recognition_reviewbatch_changelist",
                        "recognition.view_reviewbatch",
                    ),
                    _item(
                        _("Error rates"),
                        "analytics",
                        "admin:recognition_thresholdpolicy_error_rates",
                        "recognition.view_verdict",
                    ),
                    _item(
                        _("Audit entries"),
                        "history",
                        "admin:recognition_auditentry_changelist",
                        "recognition.view_auditentry",
                    ),
                    _item(
                        _("Retention"),
                        "auto_delete",
                        "admin:recognition_retentionrule_changelist",
                        "recognition.view_retentionrule",
                    ),
                ],
            },
            {
                "title": _("Settings"),
                "items": [
                    _item(
                        _("Threshold policy"),
                        "tune",
                        "admin:recognition_thresholdpolicy_changelist",
                        "recognition.view_thresholdpolicy",
                        active=_is_below(
                            f"{_POLICY}/",
                            but_not=(f"{_POLICY}/measured/", f"{_POLICY}/what-if/", f"{_POLICY}/error-rates/"),
                        ),
                    ),
                    _item(
                        _("Thresholds of this gallery"),
                        "query_stats",
                        "admin:recognition_thresholdpolicy_measured",
                        "recognition.view_thresholdpolicy",
                    ),
                    _item(
                        _("What if"),
                        "history_toggle_off",
                        "admin:recognition_thresholdpolicy_what_if",
                        "recognition.view_thresholdpolicy",
                        "recognition.view_person",
                    ),
                    _item(
                        _("Classifiers"),
                        "category",
                        "admin:recognition_trainedclassifier_changelist",
                        "recognition.view_trainedclassifier",
                    ),
                    _item(
                        _("Model packs"),
                        "deployed_code",
                        "admin:recognition_modelpack_changelist",
                        "recognition.view_modelpack",
                    ),
                    _item(_("Jobs"), "manufacturing", "admin:recognition_job_changelist", "recognition.view_job"),
                    _item(_("Users"), "person", "admin:auth_user_changelist", "auth.view_user"),
                    _item(_("Groups"), "shield_person", "admin:auth_group_changelist", "auth.view_group"),
                ],
            },
        ],
    },
}
