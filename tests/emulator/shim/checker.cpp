// The checked build: every access of a kernel is looked at.  The compiler's -fsanitize=thread calls a function before
// each, and here are these functions in the place of its own library.
//
// For every four bytes of the arrays and of shared memory, a cell notes the last write and the last two readers.  An
// access is a race where an earlier one by another thread, one of them a write, is not ordered before it: by a barrier
// of the block, or by a warp operation of one warp.  Blocks are ordered by nothing.
#include <dlfcn.h>

#include <algorithm>
#include <vector>

#include "block.h"

namespace emulator {

#ifdef EMULATOR_CHECKED

struct Access {
    uint32_t block, thread, block_epoch, warp_epoch;
    uint8_t bytes;  // a bit for each of the four
    bool atomic;
};
struct Cell {
    Access write, readers[2];
    uint8_t written;
};
struct Region {
    char *start, *end;
    std::vector<Cell> cells;
    int argument;

    bool shared() const { return argument < 0; }
    bool holds(const char *p) const { return p >= start && p < end; }
};
static std::vector<Region> regions;
static size_t last_region;

void watch_nothing() {
    regions.clear();
    last_region = 0;
}

void watch(const void *start, size_t bytes, int argument) {
    if (bytes) regions.push_back({(char *)start, (char *)start + bytes, std::vector<Cell>(bytes / 4 + 2), argument});
}

void forget_shared() {
    for (Region &region : regions)
        if (region.shared()) std::fill(region.cells.begin(), region.cells.end(), Cell{});
}

static bool ordered(const Access &earlier, uint32_t block) {
    const Thread *thread = current();
    if (earlier.block != block) return false;
    if (earlier.thread == thread->number || earlier.block_epoch != block_epoch) return true;
    return earlier.thread / WARP == thread->warp && earlier.warp_epoch != thread->warp_epoch;
}

// What is a thread's own, or the emulator's.
static bool unwatched(const char *p) {
    const Thread *thread = current();
    constexpr size_t stack = 256 << 10;
    if (p >= thread->stack && p < thread->stack + stack) return true;
    if (p >= (char *)&emulator_running && p < (char *)(&emulator_running + 1)) return true;
    return p >= (char *)threads && p < (char *)(threads + MOST_THREADS);
}

static const char *verb(bool write) { return write ? "write" : "read"; }

static const char *place(const Region &region) { return region.shared() ? "shared memory" : "argument"; }

// The fault of an access that no region holds; memory of the kernel's own module is its constants.
static bool outside(const char *p, size_t bytes, bool write, const void *site) {
    static char here;
    Dl_info module, ours;
    dladdr(&here, &ours);
    if (dladdr(p, &module) && module.dli_fbase == ours.dli_fbase) return false;
    for (const Region &region : regions) {
        long over = p >= region.end ? long(p - region.end) : long(region.start - p);
        if (over > 4096) continue;
        const char *side = p >= region.end ? "past the end of" : "before";
        fault(site, "out of bounds: %s of %zu bytes, %ld bytes %s %s %d", verb(write), bytes, over, side, place(region),
              region.argument);
        return true;
    }
    fault(site, "out of bounds: %s of %zu bytes outside of every array of the launch", verb(write), bytes);
    return true;
}

static Region *region_of(const char *p) {
    if (last_region < regions.size() && regions[last_region].holds(p)) return &regions[last_region];
    for (size_t i = 0; i < regions.size(); i++)
        if (regions[i].holds(p)) return &regions[last_region = i];
    return nullptr;
}

// Look at one cell, then note the access in it.  True for a fault.
static bool look(Cell &cell, const Region &region, size_t offset, Access now, bool write, const void *site) {
    const Access &last = cell.write;
    if (last.bytes & now.bytes && !ordered(last, now.block) && !(now.atomic && last.atomic)) {
        fault(site, "race: %s of %s %d at byte %zu, which block %u thread %u wrote, and no barrier between", verb(write),
              place(region), region.argument, offset, last.block, last.thread);
        return true;
    }
    for (const Access &reader : cell.readers) {
        if (!write || !(reader.bytes & now.bytes) || ordered(reader, now.block)) continue;
        fault(site, "race: write of %s %d at byte %zu, which block %u thread %u reads, and no barrier between",
              place(region), region.argument, offset, reader.block, reader.thread);
        return true;
    }
    if (write) {
        cell.write = now;
        cell.written |= now.bytes;
        return false;
    }
    if (region.shared() && (cell.written & now.bytes) != now.bytes) {
        fault(site, "read of shared memory that nobody wrote, at byte %zu", offset);
        return true;
    }
    Access &first = cell.readers[0];
    if (first.bytes && !(first.thread == now.thread && first.block == now.block)) cell.readers[1] = first;
    first = now;
    return false;
}

extern "C" void emulator_access(const void *pointer, size_t bytes, bool write, bool atomic, const void *site) {
    const char *p = (const char *)pointer;
    if (failed || !current() || unwatched(p)) return;
    counts.accesses++;
    Region *region = region_of(p);
    if (!region) {
        if (outside(p, bytes, write, site)) abandon();
        return;
    }
    if (p + bytes > region->end) {
        fault(site, "out of bounds: %s over the end of %s %d", verb(write), place(*region), region->argument);
        abandon();
    }
    if ((uintptr_t)p % bytes) {
        fault(site, "misaligned %s of %zu bytes", verb(write), bytes);
        abandon();
    }
    Access now{block_number(), current()->number, block_epoch, current()->warp_epoch, 0, atomic};
    for (size_t k = 0; k < bytes;) {
        size_t offset = size_t(p + k - region->start);
        now.bytes = 0;
        for (size_t b = offset % 4; b < 4 && k < bytes; b++, k++) now.bytes |= uint8_t(1u << b);
        if (look(region->cells[offset / 4], *region, offset, now, write, site)) abandon();
    }
}

extern "C" {
#define SITE __builtin_return_address(0)
#define CALLBACKS(n)                                                                           \
    void __tsan_read##n(void *p) { emulator_access(p, n, false, false, SITE); }                \
    void __tsan_write##n(void *p) { emulator_access(p, n, true, false, SITE); }                \
    void __tsan_unaligned_read##n(void *p) { emulator_access(p, n, false, false, SITE); }      \
    void __tsan_unaligned_write##n(void *p) { emulator_access(p, n, true, false, SITE); }      \
    void __tsan_volatile_read##n(void *p) { emulator_access(p, n, false, false, SITE); }       \
    void __tsan_volatile_write##n(void *p) { emulator_access(p, n, true, false, SITE); }
CALLBACKS(1)
CALLBACKS(2)
CALLBACKS(4)
CALLBACKS(8)
CALLBACKS(16)
void __tsan_read_range(void *p, size_t bytes) {
    for (size_t i = 0; i < bytes; i += 4) emulator_access((char *)p + i, std::min<size_t>(4, bytes - i), false, false, SITE);
}
void __tsan_write_range(void *p, size_t bytes) {
    for (size_t i = 0; i < bytes; i += 4) emulator_access((char *)p + i, std::min<size_t>(4, bytes - i), true, false, SITE);
}
void __tsan_init() {}
void __tsan_func_entry(void *) {}
void __tsan_func_exit() {}
void __tsan_vptr_update(void *, void *) {}
}

#else

void watch_nothing() {}
void watch(const void *, size_t, int) {}
void forget_shared() {}
extern "C" void emulator_access(const void *, size_t, bool, bool, const void *) {}

#endif

}  // namespace emulator
