"""What indexes of the log are made of; `recognition_words` is brought by migration 0020."""

from __future__ import annotations

from django.contrib.postgres.search import SearchVectorField
from django.db.models import Func, JSONField
from django.db.models.fields.json import DataContains

WORD_BREAKS = "-_/\\.:,;@#+*'\"()[]{}<>|&%$!?=~^`"
"""What parts words, beside white space: an id is found by each of its parts."""


def words(field: str) -> Func:
    """The words of a text in lower case, not stemmed."""
    return Func(field, function="recognition_words", output_field=SearchVectorField())


def reason_codes(field: str) -> Func:
    """The codes of stored reasons, without their numbers, as a JSON array.

    By a function that the database has: of this one it keeps how often each code comes, and ten thousand rows that
    have to be read for it cost milliseconds.
    """
    return Func(
        field,
        function="jsonb_path_query_array",
        template="%(function)s(%(expressions)s, '$[*].reason')",
        output_field=JSONField(),
    )


def has_reason(field: str, code: str) -> DataContains:
    """Whether a code is among stored reasons; by the index of the codes, where that is shorter."""
    return DataContains(reason_codes(field), [code])
