"""`faceweb models`: which packs are here; `faceweb models use NAME`: switch."""

from __future__ import annotations

import argparse
from typing import Any

from recognition import conf, wiring
from recognition.management import pack_switching
from recognition.management.base import RecognitionCommand
from recognition.models import FaceSample, ModelPack, ThresholdPolicy
from recognition.selectors import packs as pack_selectors
from recognition.services import pack_rules
from recognition.services import packs as pack_services
from recognition.vision import model_packs
from recognition.vision.errors import PackError
from recognition.worker import packs


class Command(RecognitionCommand):
    """Lists and switches model packs."""

    help = "List model packs with their licences and thresholds, or switch to another one."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Nothing to list; `use NAME` to switch."""
        super().add_arguments(parser)
        verbs = parser.add_subparsers(dest="verb", title="verbs")
        use = verbs.add_parser("use", help="make a pack the one that searches")
        use.add_argument(
            "name",
            help="opencv-zoo, mtcnn-sface, an InsightFace name such as buffalo_l, or the name or folder of a pack here",
        )
        use.add_argument("--dry-run", action="store_true", help="embed and compare the gallery, and switch nothing")
        use.add_argument("--yes", action="store_true", help="switch without asking")
        use.add_argument(
            "--force", action="store_true", help="switch even if people are lost or the pack decides nothing"
        )
        # Absent here must not take back what was said before the verb.
        use.add_argument("--json", action="store_true", default=argparse.SUPPRESS)

    def handle(self, *args: Any, **options: Any) -> None:
        """Prints the packs, or what the switch means for the gallery."""
        if options["verb"] == "use":
            self._use(options)
        else:
            self._list(as_json=options["json"])

    def _use(self, options: dict[str, Any]) -> None:
        as_json = options["json"]
        is_empty = not FaceSample.objects.exists()
        wish = pack_switching.Wish(
            dry_run=options["dry_run"], asks=not options["yes"], force=options["force"], as_json=as_json
        )
        if not is_empty:
            wish.refuse_to_ask_nobody()
        with self.explained():
            loaded, stored = packs.load_and_register(options["name"])
            loaded.pack.require_fit()
            if not wish.dry_run:
                pack_rules.require_measured(stored)
            if is_empty:
                trial, made = None, () if wish.dry_run else pack_services.activate(pack=stored, actor=None)
            else:
                trial, made = pack_switching.tried_and_switched(loaded, stored, wish, self.stdout, self.stderr)
        stored.refresh_from_db()
        values, words = _outcome(stored, made, options["name"])
        if not stored.is_active:
            words = f"{stored.name} is not in use; nothing was switched."
        self.answer(
            {**values, "switched": stored.is_active and not wish.dry_run, "trial": trial}, words, as_json=as_json
        )

    def _list(self, *, as_json: bool) -> None:
        rows = [_described(name) for name in _names()]
        words = "\n\n".join(_words(row) for row in rows)
        self.answer({"packs": rows}, words, as_json=as_json)


def _outcome(stored: ModelPack, made: tuple[ThresholdPolicy, ...], name: str) -> tuple[dict[str, Any], str]:
    gallery = pack_selectors.gallery_state(stored.pk)
    lines = [f"{stored.name} is active. Licence: {stored.licence}."]
    if not stored.decides:
        lines.append(
            "It has no measured thresholds yet: it shows similarities and decides nothing. Measure them with\n"
            f"  faceweb evaluate pairs --images DIR --pairs FILE --all-pairs --pack {name} --record"
        )
    if made:
        scopes = ", ".join(f"{version.checkpoint or 'the site'} (version {version.version})" for version in made)
        lines.append(
            f"Made a threshold policy for it: {scopes}. The rules are those that held before; the thresholds are "
            "the pack's. Look at them in the admin where yours were stricter than the measured ones."
        )
    if gallery.needs_reembedding:
        lines.append(f"{gallery.samples_without_template} enrolled samples are not found with this pack.")
    if gallery.denied_in_vain:
        lines.append(f"{gallery.denied_in_vain} on the deny list cannot be recognised with this pack.")
    values = {
        "name": stored.name,
        "digest": stored.digest,
        "decides": stored.decides,
        "policy_versions": [version.version for version in made],
        "people": gallery.people,
        "samples_without_template": gallery.samples_without_template,
        "denied_in_vain": gallery.denied_in_vain,
    }
    return values, "\n".join(lines)


def _names() -> list[str]:
    """Every pack that is known: those that come with faceweb, of the database, and folders of the model folder."""
    folder = conf.model_dir()
    here = [str(path) for path in sorted(folder.iterdir()) if path.is_dir()] if folder.is_dir() else []
    stored = [pack.location or pack.name for pack in ModelPack.objects.order_by("pk")]
    return list(dict.fromkeys([*model_packs.SHIPPED_PACKS, *stored, *here]))


def _described(name: str) -> dict[str, Any]:
    try:
        pack = wiring.find_local_pack(name)
        digest = pack.digest()
        if pack.kind == "supplied":
            # Nobody but its owner knows whether the model is what the manifest says.
            wiring.load(pack, wiring.runtime_options())
    except PackError as error:
        return {"name": name, "usable": False, "problem": str(error), "active": False}
    stored = ModelPack.objects.filter(digest=digest).first()
    return {
        "name": pack.name,
        "usable": True,
        "problem": "",
        "active": bool(stored and stored.is_active),
        "digest": digest,
        "dimension": stored.dimension if stored else pack.feed.dimension if pack.feed else None,
        "licence": pack.licence.name,
        "licence_url": pack.licence.url,
        "commercial_use": pack.licence.commercial_use,
        "files": {file.role: str(file.path) for file in pack.files},
        "operating_points": stored.operating_points if stored else [],
        "measured_on": stored.measured_on if stored else "",
        "may_be_used": stored.may_be_used if stored else pack.kind != "supplied",
        "unfit": pack.unfit,
    }


def _words(row: dict[str, Any]) -> str:
    if not row["usable"]:
        return f"{row['name']}: not usable now. {row['problem']}"
    points = row["operating_points"]
    thresholds = ", ".join(f"{point['threshold']:.3f} at FMR {point['fmr']:g}" for point in points)
    unmeasured = "shows similarities, decides nothing" if row["may_be_used"] else "must be measured before it is used"
    commercial = {True: "commercial use allowed", False: "no commercial use", None: "commercial use unknown"}
    return "\n".join(
        [
            f"{row['name']}{' (active)' if row['active'] else ''}",
            f"  digest      {row['digest']}",
            f"  dimension   {row['dimension'] or 'known after its first use'}",
            f"  licence     {row['licence']}: {commercial[row['commercial_use']]} {row['licence_url']}".rstrip(),
            f"  thresholds  {thresholds or f'not measured: {unmeasured}'}",
            *([f"  not to use  {row['unfit']}"] if row["unfit"] else []),
            *(f"  {role:<11} {path}" for role, path in row["files"].items()),
        ]
    )
