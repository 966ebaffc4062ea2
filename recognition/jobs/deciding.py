"""The model pack and policy in use, for jobs that make no sense without either."""

from __future__ import annotations

from recognition.decision.policy import Policy
from recognition.jobs.running import JobFailed
from recognition.selectors import packs
from recognition.selectors.packs import ActivePack, NoActivePack

NO_ACTIVE_PACK = "no_active_pack"
NO_THRESHOLDS = "no_thresholds"


def pack_and_policy() -> tuple[ActivePack, Policy]:
    """The pack in use, and the policy that it decides by.

    Raises:
        JobFailed: when no pack is in use, or it has no policy.
    """
    try:
        pack = packs.active()
    except NoActivePack as error:
        raise JobFailed(NO_ACTIVE_PACK) from error
    if pack.policy is None:
        raise JobFailed(NO_THRESHOLDS)
    return pack, pack.policy
