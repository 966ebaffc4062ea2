"""`faceweb up`: web server and, unless Redis connects this machine to others, processes for recognition and jobs."""

from __future__ import annotations

import asyncio
import sys
from contextlib import ExitStack

from daphne.server import Server
from twisted.internet import defer, reactor, task
from twisted.internet.endpoints import quoteStringArgument

from faceweb import certificates, embedded, env, first_run, postgres_process, running, state
from faceweb.listening import CannotListen, Listening

# One camera frame is 30 to 300 KB; the live consumer refuses large ones earlier, with a close code of its own.
WEBSOCKET_MESSAGE_LIMIT_BYTES = 1024 * 1024
# A browser that vanished is noticed after the sum of the two.
PING_INTERVAL_S = 20
PING_TIMEOUT_S = 30
# How long an open websocket or a slow request may hold up a stop.
STOP_TIMEOUT_S = 5
DATABASE_CHECK_INTERVAL_S = 1.0
# Starts a recognition process; it imports what this one can do without.
RECOGNITION = (sys.executable, "-m", "recognition.worker.child")
# Does long work.
JOBS = (sys.executable, "-m", "recognition.jobs.child")


def serve(listening: Listening) -> None:
    """Serve until SIGINT or SIGTERM.

    Raises:
        CannotListen: The port was taken in the last moment.
        PostgresError: The embedded database ended under the server.
    """
    endpoint = _endpoint(listening)
    with ExitStack() as stack:
        _connect_workers(stack)
        _call_webhooks(stack)
        # Imported here, because it reads the settings.
        from faceweb.asgi import application

        server = Server(
            application=application,
            endpoints=[endpoint],
            ready_callable=lambda: _announce(listening),
            websocket_max_message_size=WEBSOCKET_MESSAGE_LIMIT_BYTES,
            websocket_max_frame_size=WEBSOCKET_MESSAGE_LIMIT_BYTES,
            ping_interval=PING_INTERVAL_S,
            ping_timeout=PING_TIMEOUT_S,
            application_close_timeout=STOP_TIMEOUT_S,
            verbosity=1,
            server_name="faceweb",
        )
        # Last, so that a start that fails has not shown a password that nobody will see again.
        first_run.ensure_admin(say=_say)
        watch = _DatabaseWatch(server)
        # Before the server's own, which is added when it runs and cancels what serves each page.
        reactor.addSystemEventTrigger("before", "shutdown", _leave_pages)  # type: ignore[arg-type]  # Twisted mistypes it
        server.run()
    if server.abort_start:
        raise CannotListen(f"the port {listening.port} was taken while faceweb started; start it again.")
    watch.report()


def _connect_workers(stack: ExitStack) -> None:
    """Give sessions, photo searches and jobs their workers: processes of this machine, or whichever are elsewhere."""
    # Imported here, because they read the settings.
    from recognition import conf
    from recognition.live import frames
    from recognition.services import analysis
    from recognition.services.children import ChildWorkers, KeptProcess, lanes_of_children
    from recognition.services.remote import RemoteWorkers

    redis_url = env.REDIS_URL.read()
    if redis_url:
        remote = RemoteWorkers(redis_url)
        stack.callback(remote.stop)
        frames.connect(remote)
        analysis.connect(remote)
        return
    # Started first, so that both start at the same time.
    jobs = KeptProcess(JOBS, env.of_child({}), "jobs")
    stack.callback(jobs.stop)
    children = ChildWorkers(RECOGNITION, env.of_child({}), lambda: lanes_of_children(conf.worker_threads()))
    stack.callback(children.stop)
    jobs.wait_until_ready()
    frames.connect(children)
    analysis.connect(children)


def _call_webhooks(stack: ExitStack) -> None:
    """Let doors be opened by threads of this process, whoever looks at the faces."""
    # Imported here, because it reads the settings.
    from recognition.worker.actions import ActionRunner

    stack.callback(ActionRunner().stop)


def _leave_pages() -> defer.Deferred[object]:
    """Have what open pages leave undecided recorded; the stop waits for it, while the database is there."""
    # Imported here, because it reads the settings.
    from recognition.live import camera_socket

    recordings = camera_socket.leave_all()
    if not recordings:
        return defer.succeed(None)
    return defer.Deferred.fromFuture(asyncio.ensure_future(asyncio.wait(recordings, timeout=STOP_TIMEOUT_S)))


class _DatabaseWatch:
    """Stops the server when the embedded database has ended, rather than answer every request with an error."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._ended = False
        if not env.DATABASE_URL.read():
            self._place = embedded.place()
            self._watching = task.LoopingCall(self._look).start(DATABASE_CHECK_INTERVAL_S, now=False)

    def _look(self) -> None:
        if not self._ended and postgres_process.running_pid(self._place.data) is None:
            self._ended = True
            self._server.stop()

    def report(self) -> None:
        """Raise `PostgresError` if the database ended."""
        if self._ended:
            raise postgres_process.PostgresError(
                f"The embedded PostgreSQL has ended, so faceweb has stopped too. The end of its log, "
                f"{self._place.log}:\n{postgres_process.log_tail(self._place.log)}"
            )


def _endpoint(listening: Listening) -> str:
    """Return the description of the listening socket that Twisted understands."""
    where = f"{listening.port}:interface={_quoted(listening.host)}"
    if not listening.https:
        return f"tcp:{where}"
    certificate = certificates.for_names(state.created(state.directory() / "tls", mode=0o700), listening.names)
    _say(f"Self-signed certificate, SHA-256 {certificate.fingerprint}")
    key = _quoted(str(certificate.key_file))
    return f"ssl:{where}:privateKey={key}:certKey={_quoted(str(certificate.certificate_file))}"


def _announce(listening: Listening) -> None:
    running.announce(listening.origins)
    _say("faceweb is up:")
    for origin in listening.origins:
        _say(f"  {origin}/")
    if not listening.only_this_machine:
        if listening.https:
            _say("Browsers warn about the certificate once on each device; compare the fingerprint above and go on.")
        else:
            _say("Other devices' browsers give their camera to secure pages only: start with --https for them.")
    _say("Stop with Ctrl-C.")


def _say(sentence: str) -> None:
    print(sentence, file=sys.stdout, flush=True)


def _quoted(text: str) -> str:
    quoted: str = quoteStringArgument(text)  # type: ignore[no-untyped-call]
    return quoted
