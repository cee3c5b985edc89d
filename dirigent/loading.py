"""Loading what a process needs: a fifth of the time went into looking for garbage among modules that only ever grow."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def loading() -> Iterator[None]:
    """Keep the garbage collector out while modules are imported and put together, and have it leave them alone for good."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
