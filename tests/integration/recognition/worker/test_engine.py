from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone

from recognition.models import Checkpoint, ModelPack
from recognition.selectors.packs import NoActivePack
from recognition.services import policies
from recognition.vision.errors import PackError
from recognition.worker import engine as engines
from recognition.worker.engine import EngineSource
from tests import fakes

pytestmark = pytest.mark.django_db(transaction=True)


class Clock:
    def __init__(self) -> None:
        self.now_s = 1000.0

    def monotonic(self) -> float:
        return self.now_s


class TestEngineSource:
    @pytest.fixture
    def clock(self, monkeypatch: pytest.MonkeyPatch) -> Clock:
        clock = Clock()
        monkeypatch.setattr(engines, "time", clock)
        return clock

    def test_without_an_active_pack_says_so(self, small_runtime: None) -> None:
        with pytest.raises(NoActivePack):
            EngineSource().current()

    def test_notices_a_policy_change_after_the_interval_and_keeps_the_pipeline(
        self, default_pack: ModelPack, clock: Clock
    ) -> None:
        source = EngineSource()
        first = source.current()
        changed = policies.create_version(pack=default_pack, values={"margin": 0.3}, reason="a test", actor=None)
        clock.now_s += engines.REFRESH_INTERVAL_S / 2
        assert source.current() is first
        clock.now_s += engines.REFRESH_INTERVAL_S
        second = source.current()
        assert second.active.policy is not None
        assert (second.active.policy.version, second.active.policy.margin) == (changed.version, 0.3)
        assert second.pipeline is first.pipeline

    def test_puts_an_approved_version_in_force_when_its_time_has_come(
        self, default_pack: ModelPack, clock: Clock
    ) -> None:
        source = EngineSource()
        first = source.current()
        now = timezone.now()
        proposed = policies.propose(
            pack=default_pack, values={"margin": 0.3}, reason="a test", actor=fakes.user(), effective_from=now
        )
        policies.approve(policy=proposed, actor=fakes.user(), now=now - dt.timedelta(hours=1))
        clock.now_s += 2 * engines.REFRESH_INTERVAL_S
        second = source.current()
        assert first.active.policy is not None
        assert second.active.policy is not None
        assert (first.active.policy.margin, second.active.policy.margin) == (0.05, 0.3)

    def test_gives_the_same_engine_while_nothing_changes(self, default_pack: ModelPack, clock: Clock) -> None:
        source = EngineSource()
        first = source.current()
        assert source.current() is first
        clock.now_s += 10 * engines.REFRESH_INTERVAL_S
        assert source.current() == first

    def test_a_checkpoints_own_policy_holds_there_and_nowhere_else(self, default_pack: ModelPack, clock: Clock) -> None:
        door, other = (Checkpoint.objects.create(name=slug, slug=slug) for slug in ("door", "other"))
        source = EngineSource()
        before = source.current(door.pk)
        policies.create_version(pack=default_pack, values={"margin": 0.3}, reason="a test", actor=None, checkpoint=door)
        clock.now_s += 2 * engines.REFRESH_INTERVAL_S
        margins = [source.current(number).active.policy for number in (door.pk, other.pk, None)]
        assert [policy.margin for policy in margins if policy] == [0.3, 0.05, 0.05]
        assert source.current(door.pk).pipeline is before.pipeline

    def test_a_checkpoint_that_follows_the_site_again_has_its_policy_after_the_interval(
        self, default_pack: ModelPack, clock: Clock
    ) -> None:
        door = Checkpoint.objects.create(name="door", slug="door")
        override = policies.create_version(
            pack=default_pack, values={"margin": 0.3}, reason="a test", actor=None, checkpoint=door
        )
        source = EngineSource()
        before = source.current(door.pk).active.policy
        policies.follow_site(policy=override, actor=fakes.user(), now=timezone.now())
        clock.now_s += 2 * engines.REFRESH_INTERVAL_S
        after = source.current(door.pk).active.policy
        assert before is not None
        assert after is not None
        assert (before.margin, after.margin) == (0.3, 0.05)

    def test_while_a_switch_of_the_pack_is_seen_by_half_nothing_is_decided(
        self, default_pack: ModelPack, clock: Clock
    ) -> None:
        door = Checkpoint.objects.create(name="door", slug="door")
        source = EngineSource()
        source.current()
        ModelPack.objects.filter(pk=default_pack.pk).update(digest="f" * 64)
        active = source.current(door.pk).active
        assert (active.digest, active.policy, active.policy_id) == (default_pack.digest, None, None)

    def test_refuses_a_pack_on_disk_that_is_not_the_one_of_the_gallery(self, default_pack: ModelPack) -> None:
        ModelPack.objects.filter(pk=default_pack.pk).update(digest="f" * 64)
        with pytest.raises(PackError, match="not the one that the gallery was"):
            EngineSource().current()
