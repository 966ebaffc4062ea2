"""What the documentation says of the code is so."""

from __future__ import annotations

import enum
import importlib.metadata
import re
import typing
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name

from faceweb import cli
from recognition.decision.doubts import DoubtReason
from recognition.decision.matching import Objection, Strategy
from recognition.decision.policy import SampleReason
from recognition.decision.standing import Bar
from recognition.decision.verdict import Decision, TransactionReason
from recognition.live import checkpoint_messages, messages
from recognition.vision.images import FRAME_LIMITS
from tests.processes import PROJECT

PAGES = sorted([*PROJECT.glob("*.md"), *(PROJECT / "docs").rglob("*.md")])
COMMANDS = {
    path.stem.replace("_", "-") for path in (PROJECT / "recognition" / "management" / "commands").glob("[a-z]*.py")
}
DJANGO_COMMANDS = {"axes_reset", "axes_reset_username", "changepassword", "check", "migrate", "shell"}

MESSAGES = {
    "hello": messages.Hello,
    "welcome": messages.Welcome,
    "result": messages.Result,
    "face": messages.Face,
    "box": messages.Box,
    "person": messages.Person,
    "timings": messages.Timings,
    "decision": messages.Decision,
    "notice": messages.Notice,
    "alert": messages.Alert,
    "error": messages.Error,
}


def text_of(name: str) -> str:
    return (PROJECT / name).read_text(encoding="utf-8")


def anchor(heading: str) -> str:
    """Return the name by which a link reaches a heading, as GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def anchors(page: Path) -> set[str]:
    return {anchor(heading) for heading in re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)}


# --- links and commands ---


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(PROJECT)))
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)\s]+)\)|(?:src|srcset)=\"([^\"]+)\"", page.read_text(encoding="utf-8"))
    for target in (link or source for link, source in links):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, heading = target.partition("#")
        found = (page.parent / path).resolve() if path else page
        assert found.exists(), target
        assert found.is_relative_to(PROJECT), target
        if heading:
            assert heading in anchors(found), target


def test_every_page_can_be_reached_from_the_readme() -> None:
    reached, waiting = set(), [PROJECT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in reached or page.suffix != ".md":
            continue
        reached.add(page)
        links = re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8"))
        waiting += [(page.parent / link).resolve() for link in links if not re.match(r"[a-z]+:", link)]
    assert reached >= set(PAGES)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(PROJECT)))
def test_every_command_that_is_shown_exists(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    blocks = "\n".join(re.findall(r"^```console\n(.*?)^```", text, re.MULTILINE | re.DOTALL))
    inline = "\n".join(re.findall(r"`([^`\n]+)`", text))
    program = r"^(?:\$ )?(?:\.venv/bin/)?"
    commands = set(re.findall(program + r"faceweb ([a-z][a-z_-]*)", f"{blocks}\n{inline}", re.MULTILINE))
    assert commands <= COMMANDS | DJANGO_COMMANDS
    targets = set(re.findall(r"^([a-z-]+):", text_of("Makefile"), re.MULTILINE))
    assert set(re.findall(r"^(?:\$ )?make ([a-z-]+)", f"{blocks}\n{inline}", re.MULTILINE)) <= targets


def test_the_readme_shows_every_command() -> None:
    readme = text_of("README.md")
    missing = {name for name in COMMANDS if f"faceweb {name}" not in readme}
    assert not missing
    assert cli.PROGRAM == "faceweb"


def test_the_pictures_are_small_and_used() -> None:
    readme = text_of("README.md")
    pictures = sorted((PROJECT / "docs" / "images").glob("*.png"))
    assert pictures
    for picture in pictures:
        assert picture.stat().st_size <= 200_000, picture.name
        assert f"docs/images/{picture.name}" in readme


# --- the live protocol ---


def documented_fields(name: str, page: str = "docs/protocol.md") -> list[str]:
    section = re.search(rf"^### `{name}`.*?\n(.*?)(?=^##|\Z)", text_of(page), re.MULTILINE | re.DOTALL)
    assert section is not None, name
    table = section[1].partition("| --- |")[2].partition("\n\n")[0]
    return re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)


def test_every_message_is_documented() -> None:
    documented = re.findall(r"^### `(\w+)`", text_of("docs/protocol.md"), re.MULTILINE)
    assert documented == list(MESSAGES)
    typed = {shape for shape in vars(messages).values() if typing.is_typeddict(shape)}
    assert typed == set(MESSAGES.values())


@pytest.mark.parametrize("name", MESSAGES)
def test_every_field_of_a_message_is_documented(name: str) -> None:
    assert documented_fields(name) == list(typing.get_type_hints(MESSAGES[name]))


CHECKPOINT_MESSAGES = {
    typing.get_args(typing.get_type_hints(shape)["type"])[0]: shape
    for shape in vars(checkpoint_messages).values()
    if typing.is_typeddict(shape) and "type" in typing.get_type_hints(shape)
}


def test_every_message_of_a_checkpoint_is_documented_with_every_field_and_word() -> None:
    page = "docs/protocol-checkpoint.md"
    assert set(re.findall(r"^### `(\w+)`", text_of(page), re.MULTILINE)) == set(CHECKPOINT_MESSAGES)
    for name, shape in CHECKPOINT_MESSAGES.items():
        assert documented_fields(name, page) == list(typing.get_type_hints(shape)), name
    words = set(re.findall(r"`(\w+)`", text_of(page)))
    sets = checkpoint_messages
    for closed in (sets.Mode, sets.Phase, sets.Instruction, sets.Outcome, sets.Sentence):
        assert set(typing.get_args(closed)) - {""} <= words
    assert {notice.value for notice in sets.NoticeCode} <= words


def test_every_close_code_is_documented() -> None:
    rows = re.findall(r"^\| (4\d{3}) \| `(\w+)` \|", text_of("docs/protocol.md"), re.MULTILINE)
    assert {int(code): name for code, name in rows} == {
        code.value: messages.ErrorCode[code.name].value for code in messages.CloseCode
    }


def test_which_close_codes_are_final_is_documented_as_the_page_has_it() -> None:
    rows = re.findall(r"^\| 4\d{3} \| `(\w+)` \|.*\| (yes|no) \|$", text_of("docs/protocol.md"), re.MULTILINE)
    source = re.search(r"FINAL_CLOSE_CODES = new Set\(\[(.*?)\]", text_of("static/js/socket.js"), re.DOTALL)
    assert source is not None
    final = {messages.ErrorCode[name].value for name in re.findall(r"CLOSE\.(\w+)", source[1])}
    assert {name for name, answer in rows if answer == "yes"} == final


def test_every_notice_and_every_advice_is_documented() -> None:
    text = text_of("docs/protocol.md")
    rows = set(re.findall(r"^\| `(\w+)` \| [^|]+ \|$", text, re.MULTILINE))
    assert {notice.value for notice in messages.NoticeCode} <= rows
    sentence = re.search(r"^`advice` is one of (.*?), or empty", text, re.MULTILINE | re.DOTALL)
    assert sentence is not None
    assert set(re.findall(r"`(\w+)`", sentence[1])) == set(typing.get_args(messages.Advice)) - {""}


def test_the_numbers_of_the_protocol_are_documented() -> None:
    text = text_of("docs/protocol.md")
    assert f"version is **{messages.PROTOCOL_VERSION}**" in text
    assert f"a header of {messages.FRAME_HEADER.size} bytes, little endian" in text
    assert messages.FRAME_HEADER.format == "<IdI"
    assert f"`window`, 1 to {messages.MAX_WINDOW}," in text
    assert f"`max_frame_bytes` ({FRAME_LIMITS.max_bytes // 1024} KiB) and 1920 x 1080 pixels" in text
    assert FRAME_LIMITS.max_pixels == 1920 * 1080


@pytest.mark.parametrize("codes", [Decision, SampleReason, DoubtReason, TransactionReason, Bar, Objection, Strategy])
def test_every_code_is_in_the_glossary(codes: type[enum.StrEnum]) -> None:
    glossary = text_of("docs/glossary.md")
    assert not {code.value for code in codes if f"`{code.value}`" not in glossary}


def test_every_check_of_the_installation_is_explained() -> None:
    checks = set(re.findall(r'id="(recognition\.\w\d{3})"', text_of("recognition/checks.py")))
    explained = set(
        re.findall(r"^\| `(recognition\.\w\d{3})` \|", text_of("docs/howto/troubleshooting.md"), re.MULTILINE)
    )
    assert checks == explained


# --- licences ---


def noticed() -> dict[str, str]:
    return dict(
        re.findall(r"^  ([a-z0-9-]+) {2,}(\S.*)$", text_of("NOTICE").partition("3. Python packages")[2], re.MULTILINE)
    )


def test_every_distribution_of_the_lock_is_in_the_notice() -> None:
    locked = set(re.findall(r"^([\w.-]+)==", text_of("requirements.lock"), re.MULTILINE))
    assert noticed().keys() == {canonicalize_name(name) for name in locked}


def test_the_notice_says_what_the_distributions_say_of_their_licence() -> None:
    for name, licence in noticed().items():
        try:
            metadata = importlib.metadata.metadata(name)
        except importlib.metadata.PackageNotFoundError:
            continue  # for another Python version or operating system
        if "License-Expression" in metadata:  # older packages say it in words of their own
            assert metadata["License-Expression"] == licence, name


def test_the_notice_holds_the_terms_that_no_wheel_carries() -> None:
    notice = text_of("NOTICE")
    assert "Portions Copyright (c) 1994, The Regents of the University of California" in notice
    assert "UNIVERSITY OF CALIFORNIA SPECIFICALLY DISCLAIMS" in notice
    assert re.search(r"NON-COMMERCIAL RESEARCH\s+ONLY", notice)


def test_the_licence_is_the_one_that_the_project_declares() -> None:
    assert 'license = "Apache-2.0"' in text_of("pyproject.toml")
    licence = text_of("LICENSE")
    assert "Apache License" in licence
    assert "END OF TERMS AND CONDITIONS" in licence
