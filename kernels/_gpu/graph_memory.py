"""The memory of arrays that are made while a CUDA graph is captured: the graph writes there whenever it is launched."""

from typing import Any


class GraphMemory:
    """An allocator whose blocks live as long as it does, and serve one array after another.

    A block whose array is gone can be given to the next one, as by CuPy's pool, since a graph that was captured on one
    stream does its work in the order in which it was noted.  It must not go back to that pool, which would give it to
    others.  The blocks are those of the stream that is current before the capture: the pool has a store for each.

    Parameters
    ----------
    cuda : module
        `cupy.cuda`.
    """

    def __init__(self, cuda: Any):
        self._cuda, self._allocate, self._stream = cuda, cuda.get_allocator(), cuda.get_current_stream()
        self._free: list[Any] = []

    def allocate(self, size: int) -> Any:
        """A pointer to so many bytes, as CuPy asks an allocator for it."""
        fitting = [block for block in self._free if block.mem.size >= size]
        if fitting:
            block = min(fitting, key=lambda one: one.mem.size)
            self._free.remove(block)
        else:
            with self._stream:
                block = self._allocate(size)
        lease = _Lease(block, self._free)
        memory = self._cuda.UnownedMemory(block.ptr, block.mem.size, lease, block.device_id)
        return self._cuda.MemoryPointer(memory, 0)


class _Lease:
    """A block in use; when nothing refers to it any more, the block is free again."""

    def __init__(self, block: Any, free: list[Any]):
        self._block, self._free = block, free

    def __del__(self) -> None:
        self._free.append(self._block)
