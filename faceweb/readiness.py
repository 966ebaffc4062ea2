"""Whether this process could serve a camera now, part by part, within a few seconds whatever is broken."""

from __future__ import annotations

import asyncio
import contextlib
import enum
import functools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
from asgiref.sync import sync_to_async
from channels.db import database_sync_to_async
from channels.layers import get_channel_layer
from django import db
from django.db.migrations.loader import MigrationLoader
from django.utils.translation import gettext
from psycopg import sql

from recognition.selectors import packs
from recognition.selectors.packs import NoActivePack
from recognition.services import analysis

TIMEOUT_S = 2
"""No part may take longer to answer; the least that libpq knows for a connection."""


class Part(enum.StrEnum):
    """What a session needs."""

    DATABASE = "database"
    SCHEMA = "schema"
    MODEL_PACK = "model_pack"
    CHANNEL_LAYER = "channel_layer"
    RECOGNITION = "recognition"


@dataclass(frozen=True, slots=True)
class Finding:
    """One part, as it is now.

    Args:
        part: Which one.
        fault: What is wrong, in words without an address or a name; empty when it works.
    """

    part: Part
    fault: str = ""


async def look() -> tuple[Finding, ...]:
    """Return every part; what needs the database is not looked at while that does not answer."""
    stored, channel_layer, recognition = await asyncio.gather(_stored(), _channel_layer(), _recognition())
    return (*stored, channel_layer, recognition)


async def _stored() -> tuple[Finding, ...]:
    try:
        pending = await sync_to_async(_pending_migrations, thread_sensitive=False)()
    except psycopg.Error:
        return (Finding(Part.DATABASE, gettext("The database does not answer.")),)
    database = Finding(Part.DATABASE)
    if pending:
        behind = gettext("The database is %(count)d migrations behind this version: run `faceweb migrate`.")
        return database, Finding(Part.SCHEMA, behind % {"count": pending})
    return database, Finding(Part.SCHEMA), await _model_pack()


def database_answers() -> bool:
    """Return whether it does, within seconds."""
    try:
        with _connection():
            return True
    except psycopg.Error:
        return False


def _pending_migrations() -> int:
    """Return how many migrations the database has not seen."""
    with _connection() as connection:
        try:
            applied = connection.execute("SELECT app, name FROM django_migrations").fetchall()
        except psycopg.errors.UndefinedTable:
            applied = []
    return len(_known_migrations() - {(app, name) for app, name in applied})


@contextlib.contextmanager
def _connection() -> Iterator[psycopg.Connection[Any]]:
    """Connect beside the pool, which lets a probe wait as long as any page while the database is away."""
    parameters = {**db.connection.get_connection_params(), "connect_timeout": TIMEOUT_S}
    with psycopg.connect(**parameters) as connection:
        connection.execute(sql.SQL("SET statement_timeout = {}").format(f"{TIMEOUT_S}s"))
        yield connection


@functools.cache
def _known_migrations() -> frozenset[tuple[str, str]]:
    return frozenset(MigrationLoader(None).disk_migrations)


async def _model_pack() -> Finding:
    try:
        await asyncio.wait_for(database_sync_to_async(packs.active, thread_sensitive=False)(), TIMEOUT_S)
    except NoActivePack:
        fault = gettext("No model pack is in use: run `faceweb models use`, or start a recognition worker.")
        return Finding(Part.MODEL_PACK, fault)
    except (db.Error, TimeoutError):
        return Finding(Part.MODEL_PACK, gettext("Which model pack is in use cannot be read."))
    return Finding(Part.MODEL_PACK)


async def _channel_layer() -> Finding:
    """Send a message to nobody else and take it back."""
    layer = get_channel_layer()
    try:
        async with asyncio.timeout(TIMEOUT_S):
            channel = await layer.new_channel()
            await layer.send(channel, {"type": "readiness.probe"})
            await layer.receive(channel)
    # Whatever the layer's library raises: TimeoutError, OSError, RedisError.
    except Exception:  # noqa: BLE001
        return Finding(Part.CHANNEL_LAYER, gettext("Signals between processes do not arrive: Redis does not answer."))
    return Finding(Part.CHANNEL_LAYER)


async def _recognition() -> Finding:
    fault = gettext("No recognition process is alive.")
    try:
        is_up = await asyncio.wait_for(sync_to_async(analysis.is_up, thread_sensitive=False)(), TIMEOUT_S)
    except TimeoutError:
        return Finding(Part.RECOGNITION, fault)
    return Finding(Part.RECOGNITION, "" if is_up else fault)
