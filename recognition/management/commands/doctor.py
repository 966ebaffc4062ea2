"""`faceweb doctor`: what runs, where, and what is wrong."""

from __future__ import annotations

import platform
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import django
import redis
from django import db
from django.conf import settings
from django.utils import timezone

from faceweb import embedded, env, running, state
from recognition import classifier_wording, conf, sealing_wording, search_wording
from recognition.management.base import NOT_ACCEPTED, RecognitionCommand
from recognition.selectors import anchoring, classifiers, gallery_health, packs
from recognition.selectors.packs import NoActivePack
from recognition.services import meeting
from recognition.services.meeting import SharedClock
from recognition.vision.errors import PackError
from recognition.vision.runtimes import choice


class Command(RecognitionCommand):
    """Checks the installation."""

    help = "Show database, model pack, runtime, addresses and folders, and say what is wrong."

    def handle(self, *args: Any, **options: Any) -> None:
        """Prints a section a subject; exit status 1 when something is wrong."""
        report: dict[str, dict[str, Any]] = {
            "product": {
                "python": platform.python_version(),
                "django": django.get_version(),
                "settings": env.SETTINGS_MODULE.read(),
                "state": str(state.directory()),
                "cache": str(conf.cache_dir()),
            },
            "database": _database(),
            "models": _models(),
            "classifiers": _classifiers(),
            "server": _server(),
            "sealed log": _sealed_log(),
        }
        problems = [section["problem"] for section in report.values() if section.get("problem")]
        words = "\n\n".join(
            "\n".join([name.capitalize(), *(f"  {key:<12} {value}" for key, value in section.items())])
            for name, section in report.items()
        )
        verdict = "Everything works." if not problems else f"{len(problems)} problem(s), see above."
        self.answer({**report, "problems": problems}, f"{words}\n\n{verdict}", as_json=options["json"])
        if problems:
            sys.exit(NOT_ACCEPTED)


def _database() -> dict[str, Any]:
    is_embedded = not env.DATABASE_URL.read()
    kind = {"kind": "embedded" if is_embedded else "DATABASE_URL"}
    if is_embedded:
        kind |= {"data": str(embedded.place().data), "socket": str(embedded.place().socket())}
    else:
        kind |= {"host": settings.DATABASES["default"]["HOST"]}
    try:
        with db.connection.cursor() as cursor:
            cursor.execute("SHOW server_version")
            version = cursor.fetchone()[0]
            cursor.execute("SELECT extversion FROM pg_extension WHERE extname = 'vector'")
            pgvector = cursor.fetchone()
    except db.Error as error:
        return {**kind, "problem": f"The database does not answer: {error}".strip()}
    if pgvector is None:
        return {**kind, "postgresql": version, "problem": "pgvector is missing: run `faceweb migrate`."}
    return {**kind, "postgresql": version, "pgvector": pgvector[0]}


def _models() -> dict[str, Any]:
    installed = [name for name in (*choice.RUNTIMES, *choice.ACCELERATORS) if choice.installed(name)]
    return _models_here(installed) if installed else _models_elsewhere()


def _models_here(installed: Sequence[str]) -> dict[str, Any]:
    section = _pack_in_use({"installed": ", ".join(installed)})
    problems = [section.pop("problem", ""), *_unusable_embedders()]
    return {**section, "problem": " ".join(filter(None, problems))} if any(problems) else section


def _unusable_embedders() -> list[str]:
    """What is wrong with embedders that somebody brought along."""
    from recognition import wiring

    problems = []
    for folder in wiring.supplied_folders():
        try:
            wiring.load(wiring.find_local_pack(str(folder)), wiring.runtime_options())
        except PackError as error:
            problems.append(str(error))
    return problems


def _pack_in_use(runtimes: Mapping[str, Any]) -> dict[str, Any]:
    # Imported here, because a web host has not what they need.
    from recognition import wiring
    from recognition.worker import engine

    try:
        active = packs.active()
        loaded = engine.load_active(active, wiring.runtime_options())
    except NoActivePack:
        # A database that was never used; the default pack is activated by the first command that searches.
        try:
            loaded = wiring.load(wiring.find_local_pack("opencv-zoo"), wiring.runtime_options())
        except PackError as error:
            return {**runtimes, "problem": str(error)}
        return {**runtimes, "pack": f"{loaded.pack.name}, not used yet", "runtime": loaded.pipeline.runtime}
    except PackError as error:
        return {**runtimes, "problem": str(error)}
    except db.Error:
        return {**runtimes, "pack": "unknown without the database"}
    gallery = packs.gallery_state(active.id)
    section: dict[str, Any] = {
        **runtimes,
        "pack": active.name,
        "runtime": loaded.pipeline.runtime,
        "threads": conf.worker_threads(),
        "licence": loaded.pack.licence.name,
        "people": gallery.people,
        "templates": gallery.templates,
    }
    problems = []
    recall = gallery_health.newest_recall(active.id)
    section["searches"] = (
        search_wording.recall(recall) if recall else "not tested yet: check the gallery in the admin, Gallery health"
    )
    if recall and recall.is_low:
        problems.append(search_wording.recall(recall))
    if gallery.needs_reembedding:
        problems.append(
            f"{gallery.samples_without_template} enrolled samples are not found with this pack: the gallery needs "
            "re-embedding."
        )
    if gallery.denied_in_vain:
        problems.append(
            f"{gallery.denied_in_vain} on the deny list cannot be recognised, for want of a photo that is searched: "
            "add one on the person's page."
        )
    if active.policy is None:
        problems.append("The pack has no measured thresholds, so nothing is decided.")
    if problems:
        section["problem"] = " ".join(problems)
    return section


def _classifiers() -> dict[str, Any]:
    """How those stand that policies ask."""
    try:
        asked = [each for each in classifiers.standings(packs.active()) if each.is_needed]
    except (NoActivePack, db.Error):
        return {"asked": "unknown without a model pack in use"}
    section: dict[str, Any] = {"asked": ", ".join(each.strategy for each in asked) or "none"}
    section |= {each.strategy.value: each.state.value for each in asked}
    problems = [f"{each.strategy}: {classifier_wording.note(each)}" for each in asked if not each.is_usable]
    return {**section, "problem": " ".join(problems)} if problems else section


def _sealed_log() -> dict[str, Any]:
    try:
        found = anchoring.read(now=timezone.now())
    except db.Error:
        return {"anchored": "unknown without the database"}
    section = {"anchored": found.kept_at.isoformat(timespec="seconds") if found.kept_at else "not yet"}
    return section if found.is_well else {**section, "problem": sealing_wording.anchoring(found)}


def _models_elsewhere() -> dict[str, Any]:
    """What is to be said of recognition on a host that runs no networks."""
    redis_url = env.REDIS_URL.read()
    if not redis_url:
        problem = "No inference runtime is installed here, and REDIS_URL names no workers elsewhere: run `make setup`."
        return {"installed": "none", "problem": problem}
    section: dict[str, Any] = {"installed": "none, as is right where workers elsewhere recognise"}
    try:
        with meeting.connect(redis_url) as client:
            section["workers"] = len(meeting.call_the_roll(client=client, clock=SharedClock()).living)
        section["pack"] = packs.active().name
    except redis.RedisError as error:
        return {**section, "problem": f"Redis does not answer, so no worker is reached: {error}"}
    except (NoActivePack, db.Error):
        section["pack"] = "unknown"
    if not section["workers"]:
        section["problem"] = "No worker is alive, so nobody is recognised: start `faceweb worker` on some machine."
    return section


def _server() -> dict[str, Any]:
    up = running.current()
    if up is None:
        return {"up": "no", "redis": "yes" if env.REDIS_URL.read() else "not used"}
    return {
        "up": f"process {up.pid}",
        "addresses": ", ".join(up.addresses) or "starting",
        "redis": "yes" if env.REDIS_URL.read() else "not used",
    }
