"""Who does the planning: processes here, or a Dask cluster; both behind `concurrent.futures.Executor`."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager

from fixer.migrate import campaign
from fixer.migrate.work import Outcome, Task, abandon, limited

WINDOW = 500
"""Tasks that a cluster is given at once."""


class EngineError(Exception):
    """The engine can't be had; one line for people."""


@contextmanager
def executor(engine: campaign.Engine) -> Iterator[tuple[Executor, int]]:
    """What runs tasks, and how many of them it takes at once.

    Raises:
        EngineError: there is no cluster, or what it needs is not installed.
    """
    if engine.kind == "local":
        jobs = engine.jobs or os.cpu_count() or 1
        threads = ThreadPoolExecutor(jobs)  # each waits for a process
        try:
            yield threads, 2 * jobs
        except BaseException:  # nothing is lost, and nobody waits for what is under way
            threads.shutdown(wait=False, cancel_futures=True)
            abandon()
            raise
        finally:
            threads.shutdown()
        return
    try:
        from distributed import Client
    except ImportError as error:
        raise EngineError("Dask is not installed: pip install 'iacfix[distributed]'") from error
    if not engine.scheduler:
        raise EngineError("the engine dask needs the address of its scheduler")
    try:
        client = Client(engine.scheduler, timeout=30)
    except OSError as error:
        raise EngineError(f"{engine.scheduler}: there is no Dask scheduler that answers") from error
    with client, client.get_executor(pure=False, retries=2) as cluster:
        yield cluster, engine.jobs or WINDOW


def outcomes(
    tasks: Iterable[Task],
    with_executor: Executor,
    window: int,
    *,
    goes_on: Callable[[], bool] = lambda: True,
) -> Iterator[Outcome]:
    """The outcome of each task, as it comes; no more tasks are taken once `goes_on` says no."""
    waiting = iter(tasks)
    running: dict[Future[Outcome], Task] = {}
    while True:
        while goes_on() and len(running) < window and (task := next(waiting, None)):
            running[with_executor.submit(limited, task)] = task
        if not goes_on():
            for future in [one for one in running if one.cancel()]:  # those that have not begun
                del running[future]
        if not running:
            return
        done, _ = wait(running, timeout=1, return_when=FIRST_COMPLETED)
        for future in done:
            task = running.pop(future)
            yield _outcome(future, task)


def _outcome(future: Future[Outcome], task: Task) -> Outcome:
    try:
        return future.result()
    except Exception as error:
        return Outcome(task.number, kind="crash", error=f"the worker was lost: {type(error).__name__}")
