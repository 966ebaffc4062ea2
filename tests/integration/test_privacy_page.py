"""What `docs/howto/privacy.md` tells people to run does what it says."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from faceweb import state
from recognition.models import ErasureReason
from recognition.services import erasure, erasure_certificates
from tests import fakes

PAGE = state.PROJECT_DIR / "docs" / "howto" / "privacy.md"

pytestmark = pytest.mark.django_db


def program(about: str) -> str:
    """The one program of the page that speaks of something."""
    programs = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    (found,) = (each for each in programs if about in each)
    return str(found)


def test_a_certificate_is_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = erasure.request(person=fakes.person("Ada"), reason=ErasureReason.REQUESTED, actor=None, now=fakes.NOW)
    assert asked.certificate is not None
    monkeypatch.chdir(tmp_path)
    *first, last = program("is_genuine").strip().splitlines()
    for reason, answer in (("requested", True), ("mistake", False)):
        handed_out = {**erasure_certificates.document(asked.certificate), "reason": reason}
        Path("erasure-1.json").write_text(json.dumps(handed_out))
        names: dict[str, object] = {}
        exec("\n".join(first), names)  # noqa: S102  (the page is ours)
        assert eval(last, names) is answer  # noqa: S307  (the page is ours)
