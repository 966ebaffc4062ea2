"""The console script `faceweb`: Django's commands with the settings chosen and the database running.

Without `DATABASE_URL` every command that needs the database joins the running embedded server or starts one for its
own duration, and finds the schema up to date.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import ExitStack

from faceweb import embedded, env, event_loop, listening, postgres_binaries, postgres_process, running, state

PROGRAM = "faceweb"
INTERRUPTED = 130  # what shells report for a program ended by Ctrl-C

RUNTIMES = frozenset({"insightface", "onnx", "onnxruntime", "openvino"})
"""Packages that run networks, and that a host which only serves pages does without."""

SERVERS = frozenset({"up", "worker", "jobs"})
# These look at the code only, must not change what they look at, or bring a database of their own.
WITHOUT_DATABASE = frozenset(
    {
        "bench",
        "collectstatic",
        "compilemessages",
        "diffsettings",
        "findstatic",
        "help",
        "makemessages",
        "version",
    }
)
# A bundle proves itself, wherever it is.
VERB_WITHOUT_DATABASE = ("audit", "verify-bundle")
# These are about the schema itself, or bring their own.
WITH_SCHEMA_AS_IT_IS = frozenset(
    {
        "check",
        "dbshell",
        "makemigrations",
        "migrate",
        "optimizemigration",
        "restore",
        "showmigrations",
        "sqlmigrate",
        "squashmigrations",
    }
)


def main() -> None:
    """Run one command; an expected failure is told in a sentence, without a traceback."""
    try:
        run(sys.argv[1:])
    except (
        postgres_process.PostgresError,
        postgres_binaries.BinariesError,
        env.InvalidVariable,
        listening.CannotListen,
        running.AlreadyUp,
        state.StateError,
    ) as error:
        sys.exit(f"{PROGRAM}: {error}")
    except ModuleNotFoundError as error:
        if error.name not in RUNTIMES:
            raise
        sys.exit(
            f"{PROGRAM}: this runs networks, and {error.name} is not installed here, as on a web host. "
            "Run it where workers run, or install everything with `make setup`."
        )
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


def run(arguments: Sequence[str]) -> None:
    """Run the command that `arguments` name, with what it needs around it."""
    env.SETTINGS_MODULE.tell(env.SETTINGS_MODULE.read())
    command = arguments[0] if arguments else "help"
    if not command.startswith("-"):
        command = command.replace("-", "_")  # Django names commands after modules, which hold no dash
        arguments = [command, *arguments[1:]]
    if command not in SERVERS and not env.LOG_LEVEL.is_set():
        env.LOG_LEVEL.tell("warning")  # an answer is easier to read without the progress of the models
    if command == "worker":
        # Its threads keep a connection each, and a pool would make them wait for its next try after an outage.
        env.DATABASE_CONNECTIONS.tell("0")
    asks_for_help = command.startswith("-") or "--help" in arguments or "-h" in arguments
    with ExitStack() as stack:
        if command == "up" and not asks_for_help:
            stack.enter_context(running.only_up())
            listening.tell_settings(arguments[1:])
            event_loop.install()
        words = tuple(argument for argument in arguments if not argument.startswith("-"))
        needs_database = command not in WITHOUT_DATABASE and words[:2] != VERB_WITHOUT_DATABASE
        if needs_database and not asks_for_help:
            _prepare_database(stack, command)
        # Here, because management commands read the settings, and those need the lines above.
        from django.core.management import execute_from_command_line

        execute_from_command_line([PROGRAM, *arguments])


def _prepare_database(stack: ExitStack, command: str) -> None:
    is_embedded = not env.DATABASE_URL.read()
    if is_embedded:
        stack.enter_context(embedded.running(embedded.place(), command=command, wait_says=_say))

    import django

    django.setup()

    from django.core.management import get_commands

    from faceweb import schema

    stack.callback(schema.close_connections)
    if command in WITH_SCHEMA_AS_IT_IS or command not in get_commands():
        return
    if is_embedded or command == "up":
        schema.apply_pending_migrations(say=_say)
    else:
        schema.tell_pending_migrations(say=_say)


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)
