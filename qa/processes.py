"""Worker processes that nobody has to look for afterwards: they end with whoever started them.

Ctrl-C is the parent's to hear, from a worker's first moment; a worker ends when its parent has
gone, however it went, and at once when the parent gives up what is under way.
"""

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager


@contextmanager
def processes(count: int) -> Iterator[ProcessPoolExecutor]:
    """Keep ``count`` workers; whatever the block raises ends them in the middle of their work."""
    others = multiprocessing.active_children()
    context = multiprocessing.get_context("spawn")  # nothing of this process leaks into a worker
    with ProcessPoolExecutor(count, context, initializer=_become_worker) as pool:
        try:
            _start(pool, count)
            yield pool
        except BaseException:
            for child in multiprocessing.active_children():
                if child not in others:
                    child.kill()
            # Waited for: a pool's own thread that still ends while Python ends is woken through a
            # pipe that the thread has closed meanwhile, and Python writes a traceback.
            pool.shutdown(wait=True, cancel_futures=True)
            raise


def _start(pool: ProcessPoolExecutor, count: int) -> None:
    """Start the workers with Ctrl-C held back, which they inherit: none hears it as it imports."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        for _ in range(count):
            pool.submit(os.getpid)  # a worker is started with each job that finds none idle
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _become_worker() -> None:
    threading.Thread(target=_end_with_parent, name="end with parent", daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
