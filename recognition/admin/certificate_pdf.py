"""An erasure certificate as a page of paper."""

from __future__ import annotations

import io
from collections.abc import Iterable
from xml.sax.saxutils import escape

from django.template.defaultfilters import date as formatted
from django.utils import timezone
from django.utils.translation import gettext
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import getSampleStyleSheet
from reportlab.lib.units import mm
from reportlab.platypus import Flowable, Paragraph, SimpleDocTemplate, Table

from recognition import wording
from recognition.models import ErasureCertificate


def pdf(certificate: ErasureCertificate) -> bytes:
    """The certificate, with what the JSON file says, as PDF on A4."""
    styles = getSampleStyleSheet()

    def text(words: str, style: str = "BodyText") -> Flowable:
        return Paragraph(escape(words), styles[style])

    contents = certificate.contents
    title = gettext("Erasure certificate %(number)s") % {"number": certificate.pk}
    facts = {
        gettext("Erased"): formatted(timezone.localtime(certificate.made_at), "DATETIME_FORMAT"),
        gettext("Internal number of the person"): str(contents["person"]),
        gettext("Reason"): certificate.get_reason_display(),
        gettext("By"): str(certificate.made_by or gettext("command line")),
    }
    flow: list[Flowable] = [text(title, "Title"), _table(facts.items())]
    flow += [text(gettext("What was deleted"), "Heading2"), _table(wording.deleted_rows(contents["deleted"]))]
    flow += [text(gettext("SHA-256 of what was deleted"), "Heading2")]
    for kind, found in contents["sha256"].items():
        flow.append(text(wording.deleted_label(kind), "Heading3"))
        digests = found if isinstance(found, list) else [found]
        flow += [Paragraph(digest, styles["Code"]) for digest in digests] or [text(gettext("none"))]
    flow += [
        text(gettext("What stays"), "Heading2"),
        text(gettext("%(events)s recognition events, without the person.") % contents["kept"]),
        text(gettext("Signature"), "Heading2"),
        text(gettext("Of the same contents as a JSON file, by this installation:")),
        Paragraph(escape(certificate.signature), styles["Code"]),
    ]
    file = io.BytesIO()
    margin = 20 * mm
    page = SimpleDocTemplate(
        file, pagesize=A4, title=title, leftMargin=margin, rightMargin=margin, topMargin=margin, bottomMargin=margin
    )
    page.build(flow)
    return file.getvalue()


def _table(rows: Iterable[tuple[str, str | int]]) -> Flowable:
    style = getSampleStyleSheet()["BodyText"]
    cells = [[Paragraph(escape(str(cell)), style) for cell in row] for row in rows]
    return Table(cells, colWidths=[100 * mm, 70 * mm], spaceBefore=4, spaceAfter=8)
