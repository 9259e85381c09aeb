"""Streams, events and memory as `cupy.cuda` has them, whose work is done as late and in as odd an order as CUDA allows.

Work is queued by stream.  Whenever the host does something, some of it is done, drawn by a seed: a copy that nothing
waits for comes too early or too late in one of the orders, and shows by what it copied.
"""

import ctypes
import weakref
from collections import deque
from collections.abc import Callable
from functools import partial
from random import Random
from typing import Any

import numpy as np


class Streams:
    """All streams of a GPU; without a seed each piece of work is done at once."""

    def __init__(self, seed: int | None = None):
        self._random = None if seed is None else Random(seed)
        self.all: list[Stream] = []
        self.default = self.current = self.stream()
        self.entered: list[Stream] = []
        self.limit = 1 << 62  # bytes that one block may have
        self.given_back: list[tuple[Stream, np.ndarray]] = []  # memory of blocks that are gone, by the stream it is for
        self.pinned: weakref.WeakValueDictionary[int, Pinned] = weakref.WeakValueDictionary()

    def stream(self, non_blocking: bool = True) -> "Stream":
        self.all.append(Stream(self))
        return self.all[-1]

    def event(self, disable_timing: bool) -> "Event":
        assert disable_timing, "an event that takes the time makes the streams wait"
        return Event(self)

    def block(self, host: np.ndarray) -> "Block":
        """Memory that the current stream may have again as soon as nobody holds the block."""
        made = Block(host)
        weakref.finalize(made, self.given_back.append, (self.current, host)).atexit = False
        return made

    def _room(self, size: int) -> np.ndarray:
        """So many bytes: new ones, or as in CuPy's pool those given back on this stream, whose work may be to come."""
        for place, (stream, host) in enumerate(self.given_back):
            if stream is self.current and host.flags.c_contiguous and host.nbytes >= size:
                del self.given_back[place]
                return host.reshape(-1).view(np.uint8)[:size]
        return np.full(size, 0xA5, np.uint8)

    def queue(self, stream: "Stream", work: Callable[[], bool]) -> None:
        """Have a stream do some work, which says whether it could: else it waits."""
        stream.work.append(work)
        if self._random is None:
            self.run_until(lambda: not stream.work)
        else:
            for _ in range(self._random.randrange(3)):
                self._advance()

    def run_until(self, there: Callable[[], bool]) -> None:
        """Do work until something is there."""
        while not there():
            assert self._advance(), "it never comes"

    def _advance(self) -> bool:
        """Do the first work of one stream that can; False where none can."""
        streams = [stream for stream in self.all if stream.work]
        if self._random is not None:
            self._random.shuffle(streams)
        for stream in streams:
            if stream.work[0]():
                stream.work.popleft()
                return True
        return False

    def synchronize(self) -> None:
        self.run_until(lambda: not any(stream.work for stream in self.all))

    def namespace(self, memory_error: type[Exception], fail: Callable[[str], None]) -> dict[str, Any]:
        """What `cupy.cuda` has of it; `fail` raises what pinning memory is to fail with."""

        def alloc(size: int) -> Memory:
            if size > self.limit:
                raise memory_error
            block = self.block(self._room(size))
            return Memory(self, block, block.host)

        def alloc_pinned_memory(size: int) -> Pinned:
            fail("pinned")
            made = Pinned(size)
            self.pinned[made.ptr] = made
            return made

        return {
            "Stream": self.stream,
            "Event": self.event,
            "alloc": alloc,
            "alloc_pinned_memory": alloc_pinned_memory,
            "get_current_stream": lambda: self.current,
        }


class Stream:
    def __init__(self, streams: Streams):
        self.streams, self.work = streams, deque()

    def __enter__(self) -> "Stream":
        self.streams.entered.append(self.streams.current)
        self.streams.current = self
        return self

    def __exit__(self, *error: Any) -> None:
        self.streams.current = self.streams.entered.pop()

    def wait_event(self, event: "Event") -> None:
        recorded = event.recorded  # what is recorded later is not waited for
        self.streams.queue(self, lambda: event.passed >= recorded)

    def do(self, work: Callable[[], None]) -> None:
        self.streams.queue(self, lambda: work() is None)

    def synchronize(self) -> None:
        self.streams.run_until(lambda: not self.work)


class Event:
    def __init__(self, streams: Streams):
        self.streams, self.recorded, self.passed = streams, 0, 0

    def record(self, stream: Stream) -> None:
        self.recorded += 1
        number = self.recorded

        def passes() -> None:
            self.passed = max(self.passed, number)

        stream.do(passes)

    def synchronize(self) -> None:
        recorded = self.recorded
        self.streams.run_until(lambda: self.passed >= recorded)

    @property
    def done(self) -> bool:
        return self.passed == self.recorded


class Pinned(bytearray):
    """Pinned memory, as a buffer and by its address."""

    def __init__(self, size: int):
        super().__init__(b"\x5a" * size)
        self.ptr = ctypes.addressof((ctypes.c_char * size).from_buffer(self))


class Block:
    """Memory of the GPU that was asked for at once, and is given back at once."""

    def __init__(self, host: np.ndarray):
        self.host = host


class Memory:
    """A place in a block."""

    def __init__(self, streams: Streams, block: Block, host: np.ndarray):
        self.streams, self.block, self.host, self.ptr = streams, block, host, host.ctypes.data

    def _do(self, stream: Stream | None, kept: list[Any], work: Callable[[], Any]) -> None:
        """Queue a copy between memories that must not have been given back when it is done."""
        lives = [weakref.ref(each) for each in kept]

        def done() -> None:
            assert all(each() is not None for each in lives), "memory was given back before it was copied"
            work()

        (stream or self.streams.current).do(done)

    def copy_from_host_async(self, mem: int, size: int, stream: Stream | None = None) -> None:
        there, here = self.host[:size], self.streams.pinned[mem]
        assert len(there) == size <= len(here)
        self._do(stream, [self.block, here], partial(ctypes.memmove, self.ptr, mem, size))

    def copy_from_device_async(self, src: "Memory", size: int, stream: Stream | None = None) -> None:
        there, here = self.host[:size], src.host[:size]
        assert len(there) == len(here) == size
        self._do(stream, [self.block, src.block], partial(np.copyto, there, here))

    def copy_to_host_async(self, mem: int, size: int, stream: Stream | None = None) -> None:
        here, there = self.host[:size], self.streams.pinned[mem]
        assert len(here) == size <= len(there)
        self._do(stream, [self.block, there], partial(ctypes.memmove, mem, self.ptr, size))
