"""Change control in the admin: propose, approve by another person, reject, return."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from recognition.admin import policy_detail
from recognition.models import Checkpoint, ModelPack, ThresholdPolicy
from recognition.services import policies
from tests import fakes

pytestmark = pytest.mark.django_db

LIST = "/admin/recognition/thresholdpolicy/"
State = ThresholdPolicy.State


@pytest.fixture
def pack() -> ModelPack:
    return fakes.activated_pack()


def staff(*permissions: str) -> User:
    account = fakes.user("view_thresholdpolicy", *permissions)
    account.is_staff = True
    account.save()
    return account


@pytest.fixture
def proposer(pack: ModelPack) -> User:
    return staff("add_thresholdpolicy", "approve_thresholdpolicy")


@pytest.fixture
def approver(pack: ModelPack) -> User:
    return staff("approve_thresholdpolicy")


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def text_of(response: Any) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


def send_proposal(client: Client, checkpoint: Checkpoint | None = None, **changes: Any) -> Any:
    """Fills in the form as the page offers it, with changes, and sends it."""
    offered = client.get(f"{LIST}add/", {"checkpoint": checkpoint.pk} if checkpoint else {})
    form = offered.context["adminform"].form
    values = {name: form.get_initial_for_field(field, name) for name, field in form.fields.items()}
    values |= {"reason": "too many strangers", "checkpoint": checkpoint.pk if checkpoint else None, **changes}
    sent = {name: value for name, value in values.items() if value not in (None, False)}
    return client.post(f"{LIST}add/", sent, follow=True)


def decide(client: Client, policy: ThresholdPolicy, decision: str, **values: Any) -> Any:
    return client.post(f"{LIST}{policy.pk}/{decision}/", values, follow=True)


def proposed(by: User, pack: ModelPack, **values: Any) -> ThresholdPolicy:
    return policies.propose(pack=pack, values=values, reason="a test", actor=by)


def states() -> list[str]:
    return list(ThresholdPolicy.objects.order_by("version").values_list("state", flat=True))


class TestProposing:
    def test_decides_nothing_and_leads_to_the_proposal(self, proposer: User) -> None:
        response = send_proposal(client_of(proposer), margin="0.2")
        made = ThresholdPolicy.objects.get(version=2)
        assert (made.state, made.margin, made.created_by, made.reason) == (
            State.PROPOSED,
            0.2,
            proposer,
            "too many strangers",
        )
        assert "Version 2 is proposed. It decides nothing until it is approved." in text_of(response)

    def test_for_a_checkpoint_from_a_time_on(self, proposer: User) -> None:
        door = Checkpoint.objects.create(name="Main door", slug="main-door")
        send_proposal(client_of(proposer), door, requires_pin="on", effective_from="2030-01-02T03:04")
        made = ThresholdPolicy.objects.get(version=2)
        assert (made.checkpoint, made.requires_pin) == (door, True)
        assert made.effective_from == dt.datetime(2030, 1, 2, 3, 4, tzinfo=dt.UTC)

    def test_starts_from_the_numbers_that_hold_there(self, pack: ModelPack, proposer: User) -> None:
        door = Checkpoint.objects.create(name="Main door", slug="main-door")
        policies.create_version(pack=pack, values={"margin": 0.3}, reason="a test", actor=None, checkpoint=door)
        client = client_of(proposer)
        send_proposal(client)
        send_proposal(client, door)
        assert [policy.margin for policy in ThresholdPolicy.objects.order_by("version")] == [0.05, 0.3, 0.05, 0.3]

    def test_says_that_a_pin_protects_claims_only(self, proposer: User) -> None:
        page = text_of(client_of(proposer).get(f"{LIST}add/"))
        assert "A PIN protects against photos in the mode “verify” only." in page

    @pytest.mark.parametrize(
        ("changes", "complaint"),
        [
            ({"reason": " "}, "This field is required"),
            ({"votes_needed": "2", "votes_of": "4"}, "more than half of the last votes"),
            ({"attempts_before_stop": "5"}, "The stop must come after the delay begins"),
            ({"longest_delay_s": "1e9"}, "less than or equal to"),
            ({"effective_from": "tomorrow"}, "Enter a valid date/time"),
        ],
    )
    def test_says_what_is_wrong_and_stores_nothing(
        self, proposer: User, changes: dict[str, Any], complaint: str
    ) -> None:
        response = send_proposal(client_of(proposer), **changes)
        assert complaint in text_of(response)
        assert states() == [State.ACTIVE]


class TestDeciding:
    def test_shows_what_changes_before_it_is_approved(self, pack: ModelPack, proposer: User, approver: User) -> None:
        policy = proposed(proposer, pack, margin=0.2, strategy="centroid", requires_pin=True)
        shown = text_of(client_of(approver).get(f"{LIST}{policy.pk}/change/"))
        assert "What differs from version 1, which decides there now" in shown
        for row in ("Margin 0.05 0.2", "Matching nearest sample mean of a person's samples", "PIN required no yes"):
            assert row in shown.replace("&#x27;", "'")

    def test_an_approval_by_another_person_puts_it_in_force(
        self, pack: ModelPack, proposer: User, approver: User
    ) -> None:
        policy = proposed(proposer, pack, margin=0.2)
        response = decide(client_of(approver), policy, "approve", compared_with="1")
        assert "Version 2 decides from now on; open live pages follow within seconds." in text_of(response)
        assert states() == [State.FORMER, State.ACTIVE]

    def test_the_proposer_finds_no_button_and_is_refused_without_one(self, pack: ModelPack, proposer: User) -> None:
        policy = proposed(proposer, pack, margin=0.2)
        client = client_of(proposer)
        page = client.get(f"{LIST}{policy.pk}/change/")
        assert f"{policy.pk}/approve/" not in page.content.decode()
        assert "another person must approve it" in text_of(page)
        response = decide(client, policy, "approve")
        assert "another person must approve it. A site that one person runs" in text_of(response)
        assert states() == [State.ACTIVE, State.PROPOSED]

    def test_the_proposer_approves_where_the_site_says_so(
        self, pack: ModelPack, proposer: User, settings: Settings
    ) -> None:
        settings.FACEWEB_POLICY_APPROVAL = "same_person"
        policy = proposed(proposer, pack, margin=0.2)
        client = client_of(proposer)
        assert f"{policy.pk}/approve/" in client.get(f"{LIST}{policy.pk}/change/").content.decode()
        decide(client, policy, "approve")
        assert states() == [State.FORMER, State.ACTIVE]

    def test_an_approval_of_what_is_not_true_any_more_is_refused(
        self, pack: ModelPack, proposer: User, approver: User
    ) -> None:
        policy = proposed(proposer, pack, margin=0.2)
        policies.create_version(pack=pack, values={"margin": 0.3}, reason="a test", actor=None)
        response = decide(client_of(approver), policy, "approve", compared_with="1")
        assert "Version 3 came into force after you looked." in text_of(response)
        assert states() == [State.FORMER, State.PROPOSED, State.ACTIVE]

    def test_a_rejection_leaves_things_as_they_were(self, pack: ModelPack, proposer: User, approver: User) -> None:
        response = decide(client_of(approver), proposed(proposer, pack), "reject")
        assert "What was in force before stays in force." in text_of(response)
        assert states() == [State.ACTIVE, State.REJECTED]

    def test_an_approval_before_its_time_says_when(self, pack: ModelPack, proposer: User, approver: User) -> None:
        policy = policies.propose(
            pack=pack,
            values={},
            reason="a test",
            actor=proposer,
            effective_from=timezone.now() + dt.timedelta(days=1),
        )
        response = decide(client_of(approver), policy, "approve")
        assert "comes into force at its time" in text_of(response)
        assert states() == [State.ACTIVE, State.APPROVED]

    def test_returns_to_a_former_version_and_to_no_other(self, pack: ModelPack, approver: User) -> None:
        first = ThresholdPolicy.objects.get()
        second = policies.create_version(pack=pack, values={"margin": 0.2}, reason="a test", actor=None)
        client = client_of(approver)
        pages = [client.get(f"{LIST}{each.pk}/change/").content.decode() for each in (first, second)]
        assert ["Return to this version" in page for page in pages] == [True, False]
        decide(client, first, "return")
        assert states() == [State.FORMER, State.FORMER, State.ACTIVE]
        assert ThresholdPolicy.objects.get(version=3).margin == 0.05
        assert "nothing was changed" in text_of(decide(client, second, "approve"))

    def test_offers_no_return_to_a_version_of_a_pack_that_is_not_in_use(self, pack: ModelPack, approver: User) -> None:
        first = ThresholdPolicy.objects.get()
        policies.create_version(pack=pack, values={}, reason="a test", actor=None)
        fakes.activated_pack(name="other", digest="e" * 64)
        assert "Return to this version" not in client_of(approver).get(f"{LIST}{first.pk}/change/").content.decode()

    def test_says_why_a_proposal_for_a_pack_that_is_not_in_use_cannot_be_approved(
        self, pack: ModelPack, proposer: User, approver: User
    ) -> None:
        policy = proposed(proposer, pack)
        fakes.activated_pack(name="other", digest="e" * 64)
        client = client_of(approver)
        page = client.get(f"{LIST}{policy.pk}/change/")
        assert "It is of the model pack fake-pack, which is not in use" in text_of(page)
        assert f"{policy.pk}/approve/" not in page.content.decode()
        assert "which is not in use. Propose its numbers again" in text_of(decide(client, policy, "approve"))

    @pytest.mark.parametrize("decision", ["approve", "reject", "return", "follow"])
    def test_needs_the_permission_and_a_post(
        self, pack: ModelPack, proposer: User, approver: User, decision: str
    ) -> None:
        policy = proposed(proposer, pack)
        onlooker = client_of(staff("add_thresholdpolicy"))
        assert decide(onlooker, policy, decision).status_code == 403
        assert f"/{decision}/" not in onlooker.get(f"{LIST}{policy.pk}/change/").content.decode()
        assert client_of(approver).get(f"{LIST}{policy.pk}/{decision}/").status_code == 405
        strict = Client(enforce_csrf_checks=True)
        strict.force_login(approver)
        assert decide(strict, policy, decision).status_code == 403
        assert client_of(approver).post(f"{LIST}999999/{decision}/").status_code == 404
        assert states() == [State.ACTIVE, State.PROPOSED]


class TestFollowingTheSiteAgain:
    @pytest.fixture
    def override(self, pack: ModelPack) -> ThresholdPolicy:
        door = fakes.checkpoint("Main door")
        return policies.create_version(
            pack=pack, values={"margin": 0.3, "requires_pin": True}, reason="a test", actor=None, checkpoint=door
        )

    def test_shows_what_would_differ_and_takes_the_override_out_of_force(
        self, override: ThresholdPolicy, approver: User
    ) -> None:
        client = client_of(approver)
        page = client.get(f"{LIST}{override.pk}/change/")
        shown = text_of(page).replace("&#x27;", "'")
        for text in ("Follow the site's policy again", "Margin 0.3 0.05", "PIN required yes no"):
            assert text in shown
        assert page.context["detail"].site.version == 1
        response = decide(client, override, "follow", compared_with="1")
        assert "Main door follows the site's policy again" in text_of(response).replace("&#x27;", "'")
        assert "Return to this version" in text_of(response)
        assert states() == [State.ACTIVE, State.FORMER]

    def test_is_not_offered_for_the_sites_version_nor_to_those_who_may_not_approve(
        self, pack: ModelPack, override: ThresholdPolicy, approver: User
    ) -> None:
        site = ThresholdPolicy.objects.get(version=1)
        for user, policy in ((approver, site), (staff("add_thresholdpolicy"), override)):
            assert f"{policy.pk}/follow/" not in client_of(user).get(f"{LIST}{policy.pk}/change/").content.decode()
        assert "the one that checkpoints follow" in text_of(decide(client_of(approver), site, "follow"))

    def test_is_not_done_when_the_site_changed_meanwhile(
        self, pack: ModelPack, override: ThresholdPolicy, approver: User
    ) -> None:
        policies.create_version(pack=pack, values={"margin": 0.0}, reason="a test", actor=None)
        response = decide(client_of(approver), override, "follow", compared_with="1")
        assert "Version 3 came into force after you looked." in text_of(response)
        assert states() == [State.FORMER, State.ACTIVE, State.ACTIVE]


class TestWaiting:
    def test_the_list_and_the_overview_say_how_many_wait(self, pack: ModelPack, proposer: User, approver: User) -> None:
        client = client_of(approver)
        assert "wait" not in text_of(client.get("/admin/")).lower()
        proposed(proposer, pack)
        assert "1 proposal waits for approval." in text_of(client.get(LIST))
        assert "1 proposal for the threshold policy waits for approval." in text_of(client.get("/admin/"))
        proposed(proposer, pack)
        assert "2 proposals wait for approval." in text_of(client.get(LIST))

    def test_the_overview_tells_only_those_who_may_approve(self, pack: ModelPack, proposer: User) -> None:
        proposed(proposer, pack)
        assert "approval" not in text_of(client_of(staff()).get("/admin/"))


def test_shows_every_digit_that_was_typed_and_no_other(pack: ModelPack) -> None:
    before = ThresholdPolicy.objects.get()
    after = policies.create_version(
        pack=pack, values={"margin": 0.1 + 0.2, "min_face_size_px": 2000.0}, reason="a test", actor=None
    )
    rows = [(row.name, row.before, row.after) for row in policy_detail.changes(before, after)]
    assert rows == [("Margin", "0.05", "0.3"), ("Smallest face in pixels", "48", "2000")]
