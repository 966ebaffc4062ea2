"""What a `messages.js` says, and what the module of the same protocol would have it say."""

from __future__ import annotations

import json
import re
import types
import typing
from collections.abc import Mapping
from typing import Any


def read(source: str) -> dict[str, Any]:
    """The JSON between the two markers."""
    found = re.search(r"/\* contract begins \*/(.*)/\* contract ends \*/", source, re.DOTALL)
    assert found is not None
    loaded: dict[str, Any] = json.loads(found[1])
    return loaded


def fields_of(shape: type, aliases: Mapping[Any, str]) -> dict[str, str]:
    """The fields of a message as JSDoc writes them."""
    return {name: in_javascript(annotation, aliases) for name, annotation in typing.get_type_hints(shape).items()}


def documented(source: str, shape: str) -> dict[str, str]:
    """The fields that the typedef of a shape names."""
    typedef = re.search(rf"@typedef {{object}} {shape}\n(.*?)\*/", source, re.DOTALL)
    assert typedef is not None, shape
    return {name: kind for kind, name in re.findall(r"@property {(.+)} (\w+)", typedef[1])}


def in_javascript(annotation: Any, aliases: Mapping[Any, str]) -> str:
    """A Python annotation as JSDoc writes it."""
    if annotation in aliases:
        return aliases[annotation]
    if annotation in (int, float):
        return "number"
    if annotation is str:
        return "string"
    if annotation is bool:
        return "boolean"
    if annotation is type(None):
        return "null"
    if typing.is_typeddict(annotation):
        return str(annotation.__name__)
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Literal:
        return " | ".join(f"'{value}'" for value in arguments)
    if origin is types.UnionType or origin is typing.Union:
        return " | ".join(in_javascript(argument, aliases) for argument in arguments)
    if origin is list:
        return f"{in_javascript(arguments[0], aliases)}[]"
    raise AssertionError(f"no JavaScript for {annotation}")
