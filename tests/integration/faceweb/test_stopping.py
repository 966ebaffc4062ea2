"""A stop of the real server in the middle of a claim."""

from __future__ import annotations

import asyncio
import json
import signal
import time

import numpy as np
import pytest
from websockets.asyncio.client import connect

from recognition.live.checkpoint_messages import PROTOCOL_VERSION
from recognition.selectors import access
from tests import faces, installations
from tests.faults.cameras import Cameras
from tests.faults.product import log_in, wait_for
from tests.processes import DEADLINE_S, CommandLine, Server

PREPARE = """
from django.utils import timezone
from recognition.models import Checkpoint, Person
from recognition.services import kiosks

Person.objects.create(name="Ada", external_id="4711")
desk = Checkpoint.objects.create(slug="desk", name="Desk", mode="verify", admits="everyone")
code = kiosks.make_code(checkpoint=desk, actor=None, now=timezone.now())
print("TOKEN", kiosks.pair(code=code, label="a tablet", now=timezone.now()).token)
"""
READ_DECISIONS = """
import json
from recognition.models import RecognitionEvent
print("EVENTS", json.dumps(dict(RecognitionEvent.objects.values_list("pk", "decision"))))
"""
STOPPED_WITHIN_S = 20.0
READ = """
from recognition.models import RecognitionEvent
print("EVENTS", list(RecognitionEvent.objects.values_list("decision", "claimed_id", "reasons__0__reason")))
"""


def told(installed: CommandLine, program: str) -> str:
    """What a program in the product's shell prints in its last line, after the first word."""
    status, output = installed.run("shell", "--no-imports", "-c", program)
    assert status == 0, output
    return output.strip().splitlines()[-1].split(" ", 1)[1]


async def claim_and_stop(server: Server, token: str, number: signal.Signals) -> None:
    """Claims at a kiosk page, sees that the claim is looked at, and stops the server then."""
    address = server.address.replace("http", "ws", 1) + "/ws/checkpoint/desk/"
    headers = {"Cookie": f"{access.KIOSK_COOKIE}={token}"}
    async with asyncio.timeout(DEADLINE_S), connect(address, origin=server.address, additional_headers=headers) as page:  # type: ignore[arg-type]
        await page.send(json.dumps({"type": "hello", "protocol": PROTOCOL_VERSION}))
        await page.send(json.dumps({"type": "claim", "external_id": "4711", "pin": ""}))
        while json.loads(await page.recv()).get("phase") != "looking":
            pass
        server.process.send(number)
        await page.wait_closed()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_claim_that_a_stop_cuts_short_is_recorded(installed: CommandLine, number: signal.Signals) -> None:
    token = told(installed, PREPARE)
    server = installed.up()
    asyncio.run(claim_and_stop(server, token, number))
    assert server.process.wait() == 0
    assert told(installed, READ) == "[('error', '4711', 'server_stopped')]"


def test_a_stop_under_load_tells_every_page_keeps_what_was_decided_and_ends_in_time(installed: CommandLine) -> None:
    server = installed.up()
    views = [faces.jpeg(faces.astronaut()), faces.jpeg(np.zeros((512, 512, 3), np.uint8))]
    with Cameras(server.address, log_in(server.address, installations.PASSWORD), views, 3) as cameras:
        wait_for(lambda: len(cameras.decided()) > 2)
        began = time.monotonic()
        server.process.send(signal.SIGTERM)
        assert server.process.wait() == 0
        assert time.monotonic() - began < STOPPED_WITHIN_S
    # Whoever comes back finds nobody, and is told nothing else.
    assert cameras.count("closed")["SERVER_STOPPED"] == 3
    stored = json.loads(told(installed, READ_DECISIONS))
    assert {str(event): decision for event, decision in cameras.decided().items()}.items() <= stored.items()


def test_a_claim_that_a_kill_cuts_short_is_not(installed: CommandLine) -> None:
    token = told(installed, PREPARE)
    server = installed.up()
    asyncio.run(claim_and_stop(server, token, signal.SIGKILL))
    server.process.wait()
    assert told(installed, READ) == "[]"
