"""Who may open what: every address and every websocket, asked for by everybody.

A new address belongs into `ROUTES` (a new websocket into `SOCKETS`), else a test fails and names it. An admin page of a
new model is a call of `admin_pages`. A parameter in an address (`<int:person_id>`, `<slug:slug>`) is filled from the
row of that name in `rows`; `<path:object_id>` and `<int:number>` of the admin from the row named like the model.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import Group, Permission, User
from django.db import transaction
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from faceweb.asgi import application
from recognition.decision.matching import Strategy
from recognition.decision.reviews import ReviewVerdict
from recognition.live.messages import CloseCode
from recognition.live.routing import websocket_urlpatterns
from recognition.models import (
    ActionDelivery,
    Alert,
    AuditEntry,
    Checkpoint,
    ClaimLockout,
    DenyListEntry,
    DistinctPair,
    ErasureCertificate,
    ErasureRequest,
    EventCrop,
    FaceSample,
    ImportBatch,
    Job,
    KioskDevice,
    PersonGroup,
    PersonMove,
    RecognitionEvent,
    SavedFilter,
    UnknownCluster,
    UnknownFace,
    UnknownMove,
    Video,
    VideoAppearance,
    VideoPiece,
)
from recognition.selectors import access
from recognition.services import kiosks, policies, reviews
from recognition.services.reviews import Design
from tests import fakes
from tests.integration.recognition.live.conftest import PATIENCE_S, Socket, session_of
from tests.processes import PROJECT

ROLES = ("operator", "enroller", "auditor", "administrator")
ANONYMOUS, OUTSIDER, NEWCOMER, SUPERUSER = "nobody", "account without staff status", "account without a role", "chief"
KIOSK, KIOSK_ELSEWHERE = "kiosk", "kiosk of another checkpoint"
NOT_LOGGED_IN = frozenset({ANONYMOUS, KIOSK, KIOSK_ELSEWHERE})
VISITORS = (*sorted(NOT_LOGGED_IN), OUTSIDER, NEWCOMER, *ROLES, SUPERUSER)

# Who is let in, beside the superuser, who always is (but for what nobody may do).
EVERYBODY = frozenset(VISITORS)
LOGGED_IN = EVERYBODY - NOT_LOGGED_IN
STAFF = LOGGED_IN - {OUTSIDER}
CHIEF = frozenset({SUPERUSER})
NONE: frozenset[str] = frozenset()


def those(*roles: str) -> frozenset[str]:
    assert set(roles) <= set(ROLES)
    return CHIEF | set(roles)


@dataclasses.dataclass(frozen=True)
class Row:
    """Who is let in at an address.

    Args:
        get: by GET; None where the address knows no GET.
        post: by POST without any field; None where that is not asked.
        at: the address, where its parameters do not name rows.
        sends: fields that the POST needs to be understood, with the names of the rows that they name.
        answers: HTTP status of an answer to somebody who is let in.
    """

    get: frozenset[str] | None
    post: frozenset[str] | None = None
    at: str = ""
    sends: Mapping[str, str] = dataclasses.field(default_factory=dict)
    answers: frozenset[int] = frozenset({200, 302})


def admin_pages(
    model: str,
    *,
    view: frozenset[str],
    add: frozenset[str] = NONE,
    change: frozenset[str] = NONE,
    delete: frozenset[str] = NONE,
) -> dict[str, Row]:
    """The six addresses that the admin gives each model."""
    start = f"admin/{model}/"
    one = f"{start}<path:object_id>/"
    return {
        start: Row(view),
        f"{start}add/": Row(add, add),
        f"{one}change/": Row(view, change),
        f"{one}delete/": Row(delete, delete),
        f"{one}history/": Row(view),
        one: Row(STAFF),  # leads to the page of the row, which asks
    }


ROUTES: dict[str, Row] = {
    # pages
    "": Row(LOGGED_IN),  # the dashboard for staff; leads others to a page that asks
    "live/": Row(those("operator")),
    "decisions.csv": Row(those("operator", "auditor")),
    "search/": Row(those("enroller"), those("enroller"), answers=frozenset({200, 422})),
    "compare/": Row(those("enroller"), those("enroller"), answers=frozenset({200, 422})),
    "samples/<int:sample_id>/image/": Row(those("enroller", "auditor", "administrator")),
    "photos/<int:photo_id>/image/": Row(those("enroller")),
    "events/<int:event_id>/crop/": Row(those("operator", "auditor")),
    "unknowns/<int:face_id>/image/": Row(those("enroller", "auditor")),
    "videos/faces/<int:appearance_id>/image/": Row(those("operator", "auditor")),
    "kiosk/": Row(EVERYBODY, EVERYBODY, answers=frozenset({200, 422})),
    "checkpoint/<slug:slug>/": Row(those("operator") | {KIOSK}),
    # the way in and out
    "healthz": Row(EVERYBODY),
    "metrics": Row(NONE),  # nobody: it asks for a token, not for an account
    "readyz": Row(EVERYBODY, answers=frozenset({200, 503})),
    "accounts/login/": Row(EVERYBODY),
    "accounts/logout/": Row(None, LOGGED_IN),
    "i18n/setlang/": Row(None, EVERYBODY),
    "i18n/catalog.js": Row(EVERYBODY),
    # the admin itself
    "admin/": Row(STAFF),
    "admin/login/": Row(EVERYBODY),
    "admin/logout/": Row(None, LOGGED_IN),
    "admin/password_change/": Row(STAFF, STAFF),
    "admin/password_change/done/": Row(STAFF),
    "admin/jsi18n/": Row(STAFF),
    "admin/search/": Row(STAFF),
    "admin/autocomplete/": Row(
        those("enroller", "auditor", "administrator"),
        at="admin/autocomplete/?app_label=recognition&model_name=facesample&field_name=person",
    ),
    "admin/r/<path:content_type_id>/<path:object_id>/": Row(STAFF, at="admin/r/1/1/", answers=frozenset({404})),
    "admin/^(?P<app_label>...)/$": Row(those(*ROLES), at="admin/recognition/"),
    "admin/(?P<url>.*)$": Row(STAFF, at="admin/nothing/", answers=frozenset({404})),
    # the admin's models
    **admin_pages(
        "recognition/person",
        view=those("enroller", "auditor", "administrator"),
        add=those("enroller"),
        change=those("enroller"),
        delete=those("administrator"),
    ),
    "admin/recognition/person/<int:person_id>/enrol/": Row(those("enroller"), those("enroller")),
    "admin/recognition/person/<int:person_id>/enrol/<int:photo_id>/": Row(those("enroller"), those("enroller")),
    "admin/recognition/person/<int:person_id>/guided/": Row(those("enroller")),
    "admin/recognition/person/<int:person_id>/guided/frame/": Row(None, those("enroller"), answers=frozenset({400})),
    "admin/recognition/person/<int:person_id>/guided/retake/": Row(None, those("enroller"), answers=frozenset({400})),
    "admin/recognition/person/<int:person_id>/pin/": Row(those("enroller"), those("enroller")),
    "admin/recognition/person/<int:person_id>/merge/": Row(those("enroller"), those("enroller")),
    "admin/recognition/person/<int:person_id>/split/": Row(those("enroller"), those("enroller")),
    "admin/recognition/person/<int:person_id>/undo/<int:move_id>/": Row(None, those("enroller")),
    "admin/recognition/person/<int:person_id>/photos/": Row(None, those("enroller")),
    "admin/recognition/person/health/": Row(those("enroller", "auditor", "administrator")),
    "admin/recognition/person/<int:number>/set-inactive/": Row(None, those("enroller")),
    "admin/recognition/person/<int:number>/deny/": Row(None, those("administrator")),
    "admin/recognition/person/<int:number>/readmit/": Row(None, those("administrator")),
    "admin/recognition/person/<int:number>/basis/": Row(None, those("enroller")),
    "admin/recognition/person/<int:number>/withdraw-basis/": Row(None, those("enroller")),
    "admin/recognition/person/<int:number>/hold/": Row(None, those("administrator")),
    "admin/recognition/person/<int:number>/lift-hold/": Row(None, those("administrator")),
    "admin/recognition/person/<int:number>/erase/": Row(None, those("administrator")),
    **admin_pages("recognition/erasurerequest", view=those("auditor", "administrator")),
    **admin_pages("recognition/erasurecertificate", view=those("auditor", "administrator")),
    "admin/recognition/erasurecertificate/<int:certificate_id>/json/": Row(those("auditor", "administrator")),
    "admin/recognition/erasurecertificate/<int:certificate_id>/pdf/": Row(those("auditor", "administrator")),
    **admin_pages(
        "recognition/persongroup",
        view=those("enroller", "auditor", "administrator"),
        add=those("administrator"),
        change=those("administrator"),
        delete=those("administrator"),
    ),
    **admin_pages("recognition/denylistentry", view=those("auditor", "administrator")),
    **admin_pages(
        "recognition/facesample",
        view=those("enroller", "auditor", "administrator"),
        change=those("enroller"),
        delete=those("enroller"),
    ),
    "admin/recognition/facesample/<int:number>/use-anyway/": Row(None, those("enroller")),
    "admin/recognition/facesample/<int:number>/set-aside/": Row(None, those("enroller")),
    "admin/recognition/facesample/<int:number>/tell-apart/": Row(None, those("enroller")),
    **admin_pages("recognition/distinctpair", view=those("enroller", "auditor"), delete=those("enroller")),
    **admin_pages("recognition/importbatch", view=those("enroller", "auditor"), add=those("enroller")),
    "admin/recognition/importbatch/<int:number>/start/": Row(None, those("enroller")),
    "admin/recognition/importbatch/<int:number>/discard/": Row(None, those("enroller")),
    "admin/recognition/importbatch/<int:batch_id>/results/": Row(those("enroller", "auditor")),
    **admin_pages("recognition/video", view=those("operator", "auditor"), add=those("operator")),
    "admin/recognition/video/<int:number>/cancel/": Row(None, those("operator")),
    "admin/recognition/video/<int:number>/again/": Row(None, those("operator")),
    "admin/recognition/video/<int:number>/compare/": Row(None, those("operator")),
    "admin/recognition/video/<int:number>/discard/": Row(None, those("operator")),
    "admin/recognition/video/<int:number>/download/": Row(None, those("auditor")),
    "admin/recognition/video/<int:number>/table/": Row(None, those("auditor")),
    "admin/recognition/video/<int:video_id>/film/": Row(those("operator", "auditor")),
    **admin_pages("recognition/recognitionevent", view=those("operator", "auditor")),
    "admin/recognition/recognitionevent/<int:number>/override/": Row(None, those("operator")),
    "admin/recognition/recognitionevent/<int:number>/bundle/": Row(None, those("auditor")),
    "admin/recognition/recognitionevent/<int:number>/hold/": Row(None, those("administrator")),
    "admin/recognition/recognitionevent/<int:number>/lift-hold/": Row(None, those("administrator")),
    # To see the event and to enrol are permissions of two roles: only whoever has both, or all, is let in.
    "admin/recognition/recognitionevent/<int:event_id>/enrol/": Row(CHIEF, CHIEF),
    "admin/recognition/recognitionevent/export/": Row(None, those("auditor")),
    "admin/recognition/recognitionevent/filters/": Row(None, those("operator", "auditor")),
    "admin/recognition/recognitionevent/filters/<int:filter_id>/delete/": Row(None, NONE),  # whose it is, alone
    "admin/recognition/recognitionevent/<int:number>/verdict/": Row(None, those("auditor")),
    **admin_pages("recognition/reviewbatch", view=those("auditor", "administrator")),
    "admin/recognition/reviewbatch/draw/": Row(those("auditor"), those("auditor")),
    "admin/recognition/reviewbatch/<int:batch_id>/next/": Row(
        those("auditor"), at="admin/recognition/reviewbatch/{reviewbatch}/next/"
    ),
    "admin/recognition/reviewbatch/<int:batch_id>/<int:position>/": Row(
        those("auditor"), those("auditor"), at="admin/recognition/reviewbatch/{reviewbatch}/1/"
    ),
    "admin/recognition/reviewbatch/verdicts/<int:verdict_id>/set-aside/": Row(None, NONE),  # whose verdict, alone
    **admin_pages("recognition/unknowncluster", view=those("enroller", "auditor")),
    "admin/recognition/unknowncluster/group/": Row(None, those("enroller")),
    "admin/recognition/unknowncluster/merge/": Row(None, those("enroller")),
    "admin/recognition/unknowncluster/<int:number>/assign/": Row(None, those("enroller")),
    "admin/recognition/unknowncluster/<int:number>/create/": Row(None, those("enroller")),
    "admin/recognition/unknowncluster/<int:number>/split/": Row(None, those("enroller")),
    "admin/recognition/unknowncluster/<int:number>/ignore/": Row(None, those("enroller")),
    "admin/recognition/unknowncluster/<int:number>/undo/": Row(None, those("enroller"), sends={"move": "unknownmove"}),
    **admin_pages("recognition/alert", view=those("operator", "auditor")),
    **admin_pages("recognition/claimlockout", view=those("operator", "auditor", "administrator")),
    **admin_pages("recognition/actiondelivery", view=those("operator", "auditor", "administrator")),
    **admin_pages(
        "recognition/checkpoint",
        view=those("operator", "auditor", "administrator"),
        add=those("administrator"),
        change=those("administrator"),
    ),
    "admin/recognition/checkpoint/<int:number>/pair/": Row(None, those("operator", "administrator")),
    "admin/recognition/checkpoint/<int:number>/remove-kiosk/": Row(
        None, those("operator", "administrator"), sends={"device": "kiosk"}
    ),
    "admin/recognition/checkpoint/<int:number>/new-key/": Row(None, those("administrator")),
    **admin_pages("recognition/job", view=those("enroller", "auditor", "administrator")),
    "admin/recognition/person/capture/": Row(those("enroller")),
    "admin/recognition/person/capture/frame/": Row(
        None, those("enroller"), answers=frozenset({400})
    ),  # without a picture
    "admin/recognition/job/check-gallery/": Row(None, those("enroller", "administrator")),
    "admin/recognition/job/<int:number>/cancel/": Row(None, those("enroller", "administrator")),
    **admin_pages("recognition/auditentry", view=those("auditor", "administrator")),
    **admin_pages("recognition/retentionrule", view=those("auditor", "administrator"), change=those("administrator")),
    **admin_pages("recognition/trainedclassifier", view=those("auditor", "administrator")),
    "admin/recognition/trainedclassifier/train/": Row(None, those("administrator")),
    **admin_pages("recognition/modelpack", view=those("auditor", "administrator")),
    "admin/recognition/modelpack/<int:number>/try/": Row(None, those("administrator")),
    "admin/recognition/modelpack/<int:number>/switch/": Row(None, those("administrator")),
    **admin_pages("recognition/thresholdpolicy", view=those("auditor", "administrator"), add=those("administrator")),
    "admin/recognition/thresholdpolicy/measured/": Row(those("auditor", "administrator")),
    "admin/recognition/thresholdpolicy/measured/<slug:table>.csv": Row(
        those("auditor", "administrator"),
        at="admin/recognition/thresholdpolicy/measured/det.csv",
        answers=frozenset({404}),  # before anything was measured
    ),
    "admin/recognition/thresholdpolicy/what-if/": Row(
        those("auditor", "administrator")
    ),  # an administrator: counts alone
    "admin/recognition/thresholdpolicy/error-rates/": Row(those("auditor", "administrator")),
    "admin/recognition/thresholdpolicy/error-rates/rates.csv": Row(those("auditor", "administrator")),
    "admin/recognition/thresholdpolicy/measure/": Row(None, those("administrator")),
    "admin/recognition/thresholdpolicy/<int:policy_id>/approve/": Row(None, those("administrator")),
    "admin/recognition/thresholdpolicy/<int:policy_id>/reject/": Row(None, those("administrator")),
    "admin/recognition/thresholdpolicy/<int:policy_id>/return/": Row(None, those("administrator")),
    "admin/recognition/thresholdpolicy/<int:policy_id>/follow/": Row(None, those("administrator")),
    **admin_pages(
        "auth/user",
        view=those("administrator"),
        add=those("administrator"),
        change=those("administrator"),
        delete=CHIEF,
    ),
    "admin/auth/user/<id>/password/": Row(those("administrator"), those("administrator")),
    **admin_pages("auth/group", view=those("administrator"), add=CHIEF, change=CHIEF, delete=CHIEF),
}

SOCKETS: dict[str, frozenset[str]] = {
    "ws/live/": those("operator"),
    "ws/checkpoint/<slug:slug>/": those("operator") | {KIOSK},
}


REFUSED = {CloseCode.NOT_AUTHENTICATED, CloseCode.NOT_PERMITTED, CloseCode.NOT_PAIRED}


def addresses(patterns: list[Any], before: str = "") -> Iterator[str]:
    """Every address of a resolver, as it is written in the URL configurations."""
    for pattern in patterns:
        # The admin writes the names of all apps into one of its addresses, in any order.
        written = re.sub(r"(<app_label>)[^)]*", r"\1...", f"{before}{pattern.pattern}")
        if isinstance(pattern, URLResolver):
            yield from addresses(pattern.url_patterns, written)
        else:
            assert isinstance(pattern, URLPattern)
            yield written


def test_every_address_is_in_the_table_and_every_row_has_an_address() -> None:
    found = set(addresses(get_resolver().url_patterns))
    assert not found - set(ROUTES), "who may open these? Add them to ROUTES"
    assert not set(ROUTES) - found, "these are gone: remove them from ROUTES"


def test_every_socket_is_in_the_table_and_every_row_has_a_socket() -> None:
    found = set(addresses(websocket_urlpatterns))
    assert not found - set(SOCKETS), "who may open these? Add them to SOCKETS"
    assert not set(SOCKETS) - found, "these are gone: remove them from SOCKETS"


def account(visitor: str) -> User | None:
    match visitor:
        case "nobody" | "kiosk" | "kiosk of another checkpoint":
            return None
        case "chief":
            return User.objects.create_superuser("chief")
        case "account without staff status":
            return fakes.user()
        case "account without a role":
            return fakes.in_role()
        case role:
            return fakes.in_role(role)


def cookies(visitor: str) -> dict[str, str]:
    """What a visitor's browser sends, beside the session of an account."""
    if visitor not in {KIOSK, KIOSK_ELSEWHERE}:
        return {}
    where = Checkpoint.objects.get(slug="door") if visitor == KIOSK else fakes.checkpoint("elsewhere")
    now = timezone.now()
    code = kiosks.make_code(checkpoint=where, actor=fakes.user(), now=now)
    return {access.KIOSK_COOKIE: kiosks.pair(code=code, label="a tablet", now=now).token}


def logged_in(user: User | None) -> dict[str, str]:
    """The cookies of a session that outlives every request: what one changes, a log-out too, is rolled back."""
    if user is None:
        return {}
    client = Client()
    client.force_login(user)
    return {name: cookie.value for name, cookie in client.cookies.items()}


def rows() -> dict[str, object]:
    """One row of each model, by the name of the model and of the parameter that names it."""
    pack = fakes.activated_pack()
    person = fakes.person("Ada", fakes.probe())
    sample = FaceSample.objects.get()
    other = fakes.person("Bea")
    batch = ImportBatch.objects.create(file_name="staff.zip", expires_at=timezone.now() + dt.timedelta(days=1))
    proposer, colleague = fakes.user(), fakes.in_role("operator")
    policy = policies.propose(pack=pack, values={}, reason="a test", actor=proposer)
    now = timezone.now()
    door = fakes.checkpoint("door")
    kiosk = KioskDevice.objects.create(checkpoint=door, label="a tablet", token_hash="0" * 64)
    event = RecognitionEvent.objects.create(
        decision="accept",
        checkpoint=door,
        person=person,
        policy=pack.policies.get(version=1),
        pack=pack,
        thresholds={"identification_threshold": 0.5, "margin": 0.05, "votes_needed": 3, "votes_of": 5},
        similarity=0.9,
        started_at=now,
        decided_at=now,
    )
    EventCrop.objects.create(event=event, jpeg=b"a crop")
    design = Design(since=now - dt.timedelta(days=1), until=now + dt.timedelta(days=1), accepts=1, refusals=0)
    item = reviews.draw(design=design, actor=proposer, now=design.until).items.get()
    unknown = UnknownCluster.objects.create(state="ignored")
    video = Video.objects.create(file_name="hall.mp4", uploaded_at=now)
    VideoPiece.objects.create(video=video, film="annotated", number=0, data=b"a film")
    appearance = VideoAppearance.objects.create(video=video, first_s=0, last_s=1, crop_jpeg=b"a crop", score=0.5)
    erased = {"person": 1, "deleted": {"people": 1}, "sha256": {}, "kept": {"events": 0}}
    certificate = ErasureCertificate.objects.create(
        made_at=now, reason="requested", contents=erased, signature="signed"
    )
    return {
        "certificate": certificate.pk,
        "erasurecertificate": certificate.pk,
        "erasurerequest": ErasureRequest.objects.create(
            reason="requested", state="done", requested_at=now, certificate=certificate
        ).pk,
        "slug": door.slug,
        "checkpoint": door.pk,
        "kiosk": kiosk.pk,
        "alert": Alert.objects.create(event=event).pk,
        "claimlockout": ClaimLockout.objects.create(checkpoint=door, person=person, failures=1).pk,
        "actiondelivery": ActionDelivery.objects.create(checkpoint=door, event=event, expires_at=now).pk,
        "denylistentry": DenyListEntry.objects.create(person=person, reason="a test").pk,
        "distinctpair": DistinctPair.objects.create(first=person, second=other).pk,
        "importbatch": batch.pk,
        "batch": batch.pk,
        "move": PersonMove.objects.create(kind="split", source=person, target=other, before={"samples": []}).pk,
        "persongroup": PersonGroup.objects.create(name="staff").pk,
        "person": person.pk,
        "sample": sample.pk,
        "photo": fakes.waiting_photo(person, colleague).pk,
        "facesample": sample.pk,
        "reviewbatch": item.batch_id,
        "verdict": reviews.give(event=event, code=ReviewVerdict.SPOOF, note="", actor=proposer, now=now, item=item).pk,
        "filter": SavedFilter.objects.create(owner=colleague, name="a filter", query={"q": "x"}).pk,
        "job": Job.objects.create(kind="gallery_check", state="cancelled", finished_at=now).pk,
        "event": event.pk,
        "recognitionevent": event.pk,
        "auditentry": AuditEntry.objects.latest("pk").pk,
        "retentionrule": "accepted",
        "modelpack": pack.pk,
        "trainedclassifier": fakes.trained(Strategy.KNN_CLASSIFIER, fakes.like_probe(0.0, axis=2)).pk,
        "policy": policy.pk,
        "thresholdpolicy": policy.pk,
        "unknowncluster": unknown.pk,
        "unknownmove": UnknownMove.objects.create(kind="ignore", clusters=[unknown.pk], before={}).pk,
        "face": UnknownFace.objects.create(crop=event.crop, pack=pack, cluster=unknown).pk,
        "video": video.pk,
        "appearance": appearance.pk,
        "user": colleague.pk,
        "id": colleague.pk,  # what Django calls a user whose password is changed
        "group": Group.objects.get(name="operator").pk,
    }


def filled(route: str, row: Row, named: Mapping[str, object]) -> str:
    if row.at:
        return f"/{row.at}".format_map(named)

    def value(match: re.Match[str]) -> str:
        parameter = match[1]
        name = route.split("/")[2] if parameter in {"object_id", "number"} else parameter.removesuffix("_id")
        return str(named[name])

    return "/" + re.sub(r"<(?:\w+:)?(\w+)>", value, route)


def is_let_in(response: HttpResponse, row: Row) -> bool:
    """Whether the page opened; anything that is neither that nor a proper refusal fails the test."""
    if response.status_code == 302 and "/login/?next=" in response["Location"]:
        return False
    if response.status_code in row.answers:
        return True
    assert response.status_code in {403, 404}, response.status_code
    return False


@pytest.mark.django_db
@pytest.mark.parametrize("visitor", VISITORS)
def test_a_visitor_is_let_in_where_the_table_says_and_nowhere_else(visitor: str) -> None:
    named = rows()
    sent = {**logged_in(account(visitor)), **cookies(visitor)}
    wrong = []
    for route, row in ROUTES.items():
        for method, who in (("get", row.get), ("post", row.post)):
            if who is None:
                continue
            client = Client(raise_request_exception=False)
            client.cookies.load(sent)
            fields = {name: named[of] for name, of in row.sends.items()} if method == "post" else {}
            with transaction.atomic():
                response = getattr(client, method)(filled(route, row, named), fields)
                transaction.set_rollback(True)
            try:
                let_in = is_let_in(response, row)
            except AssertionError as odd:
                wrong.append(f"{method} {route}: answered {odd}")
                continue
            if let_in != (visitor in who):
                wrong.append(f"{method} {route}: {'is' if let_in else 'is not'} let in ({response.status_code})")
    assert not wrong, f"{visitor}:\n" + "\n".join(wrong)


@pytest.fixture(params=VISITORS)
def browser(request: pytest.FixtureRequest, transactional_db: None) -> tuple[str, dict[str, str]]:
    """A visitor, and the cookies in their browser."""
    fakes.activated_pack()
    fakes.checkpoint("door")
    user, sent = account(request.param), cookies(request.param)
    return request.param, {**sent, settings.SESSION_COOKIE_NAME: session_of(user)} if user else sent


async def close_code(path: str, sent: Mapping[str, str]) -> int:
    """How a socket ends after a message that no page would send."""
    cookie = "; ".join(f"{name}={value}" for name, value in sent.items())
    headers = [(b"host", b"testserver"), (b"origin", b"http://testserver"), (b"cookie", cookie.encode())]
    socket = Socket(application, path, headers=headers)
    await socket.connect(timeout=PATIENCE_S)
    await socket.send_input({"type": "websocket.receive", "text": "no hello"})  # type: ignore[no-untyped-call]
    while (output := await socket.receive_output(timeout=PATIENCE_S))["type"] != "websocket.close":  # type: ignore[no-untyped-call]
        pass
    await socket.disconnect(timeout=PATIENCE_S)
    code: int = output["code"]
    return code


async def test_a_visitor_reaches_the_sockets_that_the_table_says_and_no_other(
    browser: tuple[str, dict[str, str]],
) -> None:
    visitor, sent = browser
    for route, who in SOCKETS.items():
        code = await close_code("/" + route.replace("<slug:slug>", "door"), sent)
        assert code in ({CloseCode.MALFORMED} if visitor in who else REFUSED), route


# --- what the documentation says of the roles ---


def test_the_roles_hold_exactly_the_permissions_that_are_documented(db: None) -> None:
    text = (PROJECT / "docs" / "howto" / "roles.md").read_text(encoding="utf-8")
    header = re.search(r"^\| Permission \|(.*)\|$", text, re.MULTILINE)
    assert header is not None
    assert tuple(cell.strip() for cell in header[1].split("|")) == ROLES
    documented: dict[str, set[str]] = {role: set() for role in ROLES}
    for permission, cells in re.findall(r"^\| [^|]*`(\w+\.\w+)` \|(.*)\|$", text, re.MULTILINE):
        for role, cell in zip(ROLES, cells.split("|"), strict=True):
            if cell.strip():
                documented[role].add(permission)
    held = {
        role: {
            f"{permission.content_type.app_label}.{permission.codename}"
            for permission in Permission.objects.filter(group__name=role).select_related("content_type")
        }
        for role in ROLES
    }
    assert held == documented


def test_what_the_documentation_calls_a_permission_is_its_name(db: None) -> None:
    text = (PROJECT / "docs" / "howto" / "roles.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([^|`]+) `(\w+)\.(\w+)` \|", text, re.MULTILINE)
    assert rows
    for name, app_label, codename in rows:
        assert Permission.objects.get(content_type__app_label=app_label, codename=codename).name == name
