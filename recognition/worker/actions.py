"""Threads of a web process that call webhooks; a decision never waits for them."""

from __future__ import annotations

import logging
import threading

from django import db
from django.utils import timezone

from recognition.services import actions, webhooks

logger = logging.getLogger(__name__)

THREADS = 4
"""So many doors may be slow to answer before another one has to wait: each is called by one thread at a time."""

LOOK_INTERVAL_S = 1.0
"""How often deliveries are looked for that another process queued, or left behind when it ended."""

STOP_TIMEOUT_S = 5.0


class ActionRunner:
    """Delivers what is due as soon as it is queued in this process, else within a second."""

    def __init__(self, *, post: webhooks.Post = webhooks.post) -> None:
        """Starts the threads and has them woken.

        Args:
            post: makes the calls.
        """
        self._post = post
        self._busy = actions.BusyDoors()
        self._woken = threading.Event()
        self._is_stopping = False
        self._threads = [
            threading.Thread(target=self._run, name=f"actions-{number}", daemon=True) for number in range(THREADS)
        ]
        actions.connect(self._woken.set)
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Ends the threads after the calls in hand; what still waits is delivered after the next start."""
        self._is_stopping = True
        actions.connect()
        self._woken.set()
        for thread in self._threads:
            thread.join(STOP_TIMEOUT_S)

    def _run(self) -> None:
        wait_s = 0.0
        while True:
            self._woken.wait(wait_s)
            if self._is_stopping:
                break
            self._woken.clear()
            wait_s = self._look()
        db.connections.close_all()

    def _look(self) -> float:
        """Delivers what is due; seconds until it should be looked again."""
        try:
            due = actions.deliver_due(clock=timezone.now, post=self._post, busy=self._busy)
        except db.Error as error:
            logger.error("webhooks could not be looked up: %s", error)
        # The last line of defence: one delivery must not end the thread of all.
        except Exception:
            logger.exception("a webhook could not be called")
        else:
            if due is None:
                return LOOK_INTERVAL_S
            return min(LOOK_INTERVAL_S, max(0.0, (due - timezone.now()).total_seconds()))
        db.connections.close_all()
        return LOOK_INTERVAL_S
