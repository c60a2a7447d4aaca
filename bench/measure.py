"""Runs a command and tells its wall time, its processor time and its peak memory.

Peak memory is the larger of two figures: the memory of the whole process tree, as the sum of its processes'
proportional set sizes (PSS: a page that n processes share counts 1/n for each), sampled every 10 ms from /proc; and
the largest resident set that the kernel noted for one process (`ru_maxrss` of wait4), which misses no moment. The
kernel lets a child inherit its parent's figure until `exec`, so `ru_maxrss` counts only where it is above this
program's own. Without /proc there is `ru_maxrss` alone.
"""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_INTERVAL = 0.01
_MAXRSS_UNIT = 1 if sys.platform == "darwin" else 1024


class TooSlowError(Exception):
    """The command was still running at its time limit, and was ended."""


@dataclass(frozen=True)
class Run:
    """What came of running a command once; seconds and bytes. `peak` is 0 if it was not watched."""

    seconds: float
    processor: float
    peak: int
    code: int
    output: bytes
    errors: bytes


def run(argv: Sequence[str], env: Mapping[str, str], limit: float, *, watch: bool = False) -> Run:
    """Run a command to its end, `env` on top of this process's environment; with `watch` its memory is sampled.

    Settings of Python itself, such as that it keeps no compiled modules, are left out of that environment.
    Raises TooSlowError after `limit` seconds, and OSError if the command can't be started.
    """
    floor = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        start = time.perf_counter()
        process = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=errors,
            env={**{key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}, **env},
            start_new_session=True,
        )
        late = threading.Timer(limit, _end, [process.pid])
        watcher = _Watcher(process.pid)
        try:
            late.start()
            if watch:
                watcher.start()
            _, status, usage = os.wait4(process.pid, 0)
            seconds = time.perf_counter() - start
            process.returncode = os.waitstatus_to_exitcode(status)
        finally:
            late.cancel()
            watcher.stop()
            if process.returncode is None:
                _end(process.pid)
        if seconds >= limit:
            raise TooSlowError
        output.seek(0)
        errors.seek(0)
        largest = usage.ru_maxrss * _MAXRSS_UNIT if usage.ru_maxrss > floor else 0
        return Run(
            seconds,
            usage.ru_utime + usage.ru_stime,
            max(watcher.peak, largest) if watch else 0,
            process.returncode,
            output.read(),
            errors.read(),
        )


class _Watcher(threading.Thread):
    """Samples the memory of all processes of a session until it is stopped; `peak` is the most there was, in bytes."""

    def __init__(self, session: int) -> None:
        super().__init__(daemon=True)
        self.peak = 0
        self._session = session
        self._stopped = threading.Event()

    def run(self) -> None:
        while not self._stopped.wait(_INTERVAL):
            self.peak = max(self.peak, sum(map(_proportional, _processes(self._session))))

    def stop(self) -> None:
        """End the sampling; `peak` does not change from then on."""
        self._stopped.set()
        if self.is_alive():
            self.join()


def _end(session: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(session, signal.SIGKILL)


def _processes(session: int) -> Iterator[Path]:
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            # After the name, in parentheses: state, parent, process group, session (proc(5)).
            if int((process / "stat").read_bytes().rpartition(b")")[2].split()[3]) == session:
                yield process


def _proportional(process: Path) -> int:
    with contextlib.suppress(OSError):
        for line in (process / "smaps_rollup").read_bytes().splitlines():
            if line.startswith(b"Pss:"):
                return int(line.split()[1]) * 1024
    return 0
