"""A Dask cluster: reaching its scheduler, and spreading loops over its workers."""

import logging
import os
import re
import signal
import socket
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from lnm_kit.errors import InputError

if TYPE_CHECKING:
    from distributed import Client

SCHEDULER_VARIABLE = "LNM_SCHEDULER"
CONNECT_TIMEOUT_S = 5
LOOKED_AT_EVERY_S = 1.0
GREETING_AT_MOST = 2**20
START = "`dask scheduler` starts one and prints its address"


class ClusterLostError(Exception):
    """The scheduler, or all of its workers, are no longer there; the message says which."""


def check_address(address: str) -> str:
    """Return the address of a scheduler as ``tcp://HOST:PORT``.

    Raises
    ------
    InputError
        When it is no such address.

    Examples
    --------
    >>> check_address("here:8786")
    'tcp://here:8786'
    >>> check_address("http://here")
    Traceback (most recent call last):
    lnm_kit.errors.InputError: --scheduler is 'http://here'; it must be HOST:PORT or ...
    """
    found = re.fullmatch(r"(tcp://|tls://)?([\w.-]+|\[[0-9a-fA-F:.]+\]):(\d{1,5})/?", address)
    if found is None or not 0 < int(found[3]) < 2**16:
        raise InputError(
            f"--scheduler is {address!r}; it must be HOST:PORT or tcp://HOST:PORT (tls:// where "
            f"the scheduler asks for it). {START}."
        )
    return f"{found[1] or 'tcp://'}{found[2]}:{found[3]}"


def connect(address: str) -> "Client":
    """Return a client of the Dask scheduler; the caller closes it.

    Raises
    ------
    InputError
        When the address is none, or no scheduler with workers answers there.
    """
    where = check_address(address)
    try:
        reason = _why_silent(where)
        client = None if reason else _client(where)
    except Exception as error:  # of many kinds, by what answers there
        reason, client = str(error).strip().partition("\n")[0], None
    if client is None:
        raise InputError(
            f"no Dask scheduler answers at {where} ({reason}). {START}; nothing was started."
        )
    if not client.nthreads():
        client.close()
        raise InputError(
            f"the Dask scheduler at {where} has no worker; `dask worker {where} --nthreads 1` "
            "starts one on the machine where it is given. Nothing was started."
        )
    return client


def _client(where: str) -> "Client":
    import distributed

    # what it logs on a lost connection is said by the command in one message
    for name in ("distributed", "distributed.client", "distributed.core", "tornado.application"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    return distributed.Client(where, timeout=CONNECT_TIMEOUT_S, set_as_default=False)


def _why_silent(where: str) -> str | None:
    """Say why there is no scheduler at an address; None where something speaks like one.

    A client would wait without an end for something else that takes the connection.
    """
    import dask
    import distributed  # noqa: F401 - its defaults go to the configuration

    if where.startswith("tls") and not dask.config.get("distributed.comm.tls.ca-file"):
        return "certificates are missing: set distributed.comm.tls in the configuration of Dask"
    host, _, port = where.partition("://")[2].rpartition(":")
    try:
        with socket.create_connection((host.strip("[]"), int(port)), CONNECT_TIMEOUT_S) as found:
            if where.startswith("tls"):
                return None
            # a Dask server speaks first: the length of its greeting, as 8 bytes
            greeting = int.from_bytes(found.recv(8, socket.MSG_WAITALL), "little")
    except TimeoutError:
        return f"silent for {CONNECT_TIMEOUT_S} s"
    except OSError as error:
        return error.strerror or type(error).__name__
    return None if 0 < greeting < GREETING_AT_MOST else "something else answers"


def check_workers(
    client: "Client", needed: Iterable[Path], *, working_folder: Path | None = None
) -> None:
    """Check that the workers have the package and see the same folders.

    Parameters
    ----------
    client
        From :func:`connect`.
    needed
        What every worker must see under the same path.
    working_folder
        Where every worker must have been started, if that matters.

    Raises
    ------
    InputError
        With every worker that cannot be used, and why.
    """
    from lnm_kit.runs.on_worker import problems_here

    folder = None if working_folder is None else str(working_folder)
    try:
        found: dict[str, Any] = client.run(
            problems_here, [str(path) for path in needed], folder, on_error="return"
        )
    except Exception as error:  # of many kinds, by what the workers are
        found = {"the workers": error}
    lines = []
    for worker, problems in sorted(found.items()):
        if isinstance(problems, BaseException):
            said = str(problems).strip().partition("\n")[0]
            problems = [
                f"has not the book's package ({said}); start `dask worker` with the book's Python"
            ]
        lines += [f"{worker} {problem}" for problem in problems]
    if lines:
        raise InputError("\n".join(["workers cannot be used; nothing was started:", *lines]))


def spread_loops() -> None:
    """Let joblib's loops of this process run on the cluster that ``LNM_SCHEDULER`` names, if any.

    Radiomics and cross-validation are such loops. Their results do not depend on where they run.

    Raises
    ------
    InputError
        When the cluster cannot be used.
    """
    address = os.environ.get(SCHEDULER_VARIABLE)
    if not address:
        return
    import joblib

    client = connect(address)
    joblib.parallel_config("dask", client=client)
    if threading.current_thread() is threading.main_thread():
        _stop_when_lost(client)


def _stop_when_lost(client: "Client") -> None:
    """Raise ClusterLostError in the main thread once the connection is lost.

    A loop that gives its next task to a scheduler that is gone would wait without an end.
    """

    def stop(number: int, frame: FrameType | None) -> None:
        raise ClusterLostError(f"the Dask scheduler at {os.environ[SCHEDULER_VARIABLE]} was lost")

    def watch() -> None:
        while client.status == "running":
            time.sleep(LOOKED_AT_EVERY_S)
        signal.pthread_kill(main, signal.SIGUSR1)

    main = threading.get_ident()
    signal.signal(signal.SIGUSR1, stop)
    threading.Thread(target=watch, daemon=True).start()
