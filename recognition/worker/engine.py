"""The model pack in use, loaded, and followed when it is switched."""

from __future__ import annotations

import dataclasses
import logging
import threading
import time

from django.utils import timezone

from recognition import wiring
from recognition.selectors import gallery, packs, sketched
from recognition.selectors.packs import ActivePack
from recognition.services import policies
from recognition.vision.errors import PackError
from recognition.vision.pipeline import FacePipeline
from recognition.vision.runtimes.choice import RuntimeOptions
from recognition.wiring import LoadedPack

logger = logging.getLogger(__name__)

REFRESH_INTERVAL_S = 2.0
"""How soon a worker notices another policy or pack."""


@dataclasses.dataclass(frozen=True, slots=True)
class Engine:
    """A pipeline with the pack and policy that it works for; one frame uses one engine throughout.

    Args:
        active: what the database said.
        pipeline: makes vectors of exactly that pack.
        exact: whether its gallery was small enough to be scanned when last looked; None asks each time.
    """

    active: ActivePack
    pipeline: FacePipeline
    exact: bool | None = None


class EngineSource:
    """Gives the current engine to any thread, and looks for changes every two seconds."""

    def __init__(self, options: RuntimeOptions | None = None) -> None:
        """Loads nothing yet.

        Args:
            options: how networks are run; as the settings say when left out.
        """
        self._options = options
        self._lock = threading.Lock()
        self._engine: Engine | None = None
        self._checked_at = 0.0
        self._at_checkpoint: dict[int, tuple[ActivePack, float]] = {}

    def current(self, checkpoint_id: int | None = None) -> Engine:
        """The engine to use now.

        Args:
            checkpoint_id: whose policy comes before the site's; None for the site's.

        Raises:
            PackError: when the active pack cannot be loaded on this machine.
            NoActivePack: when no pack was activated.
        """
        engine = self._site()
        if checkpoint_id is None:
            return engine
        return dataclasses.replace(engine, active=self._active_at(checkpoint_id, engine.active))

    def _active_at(self, checkpoint_id: int, site: ActivePack) -> ActivePack:
        active, checked_at = self._at_checkpoint.get(checkpoint_id, (None, 0.0))
        if active is None or time.monotonic() - checked_at >= REFRESH_INTERVAL_S:
            active = packs.active(checkpoint_id)
            self._at_checkpoint[checkpoint_id] = active, time.monotonic()
        if active.digest != site.digest:
            # The pack was switched between the two looks: until both agree nothing is decided.
            return dataclasses.replace(site, policy=None, policy_id=None)
        return active

    def _site(self) -> Engine:
        engine = self._engine
        if engine is not None and time.monotonic() - self._checked_at < REFRESH_INTERVAL_S:
            return engine
        # While another thread is looking, what was right two seconds ago still serves.
        if not self._lock.acquire(blocking=engine is None) and engine is not None:
            return engine
        try:
            self._engine = self._refreshed(self._engine)
            self._checked_at = time.monotonic()
            return self._engine
        finally:
            self._lock.release()

    def _refreshed(self, engine: Engine | None) -> Engine:
        policies.activate_due(now=timezone.now())
        active = packs.active()
        exact = gallery.is_exact(active)
        if not exact:
            sketched.hold(active)  # before a frame has to wait for it
        if engine is not None and engine.active.digest == active.digest:
            return dataclasses.replace(engine, active=active, exact=exact)
        pipeline = load_active(active, self._options or wiring.runtime_options()).pipeline
        logger.info("model pack %s loaded, running on %s", active.name, pipeline.runtime)
        return Engine(active, pipeline, exact)


def load_active(active: ActivePack, options: RuntimeOptions) -> LoadedPack:
    """Loads the pack that the database names.

    Args:
        active: what the database says.
        options: how its networks are run.

    Raises:
        PackError: when a file is missing, damaged, or not the one that the templates came from.
    """
    name = active.location or active.name
    loaded = wiring.load(wiring.find_pack(name), options)
    if loaded.pipeline.pack_digest != active.digest:
        raise PackError(
            f"The model pack {active.name} on this machine is not the one that the gallery was "
            f"made with ({loaded.pipeline.pack_digest[:12]} instead of {active.digest[:12]}). Put "
            f"the former files back, or run `faceweb models use {active.location or active.name}`."
        )
    return loaded
