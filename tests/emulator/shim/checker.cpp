// The checked build: every access of a kernel is looked at.  The compiler's -fsanitize=thread calls a function before
// each, and callbacks.cpp has these functions in the place of its own library.
//
// For every four bytes of the arrays and of shared memory, a cell notes the last write and the last two readers.  An
// access is a race where an earlier one by another thread, one of them a write, is not ordered before it: by a barrier
// of the block, or by a __syncwarp of both.  Other operations of a warp order nothing, and nothing orders blocks.
#include <algorithm>
#include <cstdio>
#include <vector>

#include "block.h"

namespace emulator {

struct Name {
    char text[64];
};

#ifdef EMULATOR_CHECKED

struct Access {
    const void *site;
    uint32_t block, thread, block_epoch, clock;
    uint8_t bytes;  // a bit for each of the four
    bool atomic;
};
struct Cell {
    Access write, readers[2];
    uint8_t written;
    bool in_flight;  // a cp.async fills it
};
struct Region {
    Bytes memory;
    std::vector<Cell> cells;
    int argument;

    bool shared() const { return argument < 0; }
};
static std::vector<Region> regions;
static size_t last_region;

// clocks[t][l]: up to where thread t has seen what lane l of its warp did; a thread's own entry is where it is itself.
static uint32_t clocks[MOST_THREADS][WARP];

void watch_nothing() {
    regions.clear();
    last_region = 0;
}

void watch(const void *start, size_t bytes, int argument) {
    char *first = static_cast<char *>(const_cast<void *>(start));
    if (bytes) regions.push_back({{first, first + bytes}, std::vector<Cell>(bytes / 4 + 2), argument});
}

void forget_block() {
    for (Region &region : regions)
        if (region.shared()) std::fill(region.cells.begin(), region.cells.end(), Cell{});
    for (int i = 0; i < thread_count; i++) {
        std::fill_n(clocks[i], WARP, 0u);
        clocks[i][i % WARP] = 1;
    }
}

void order_lanes(unsigned warp, uint32_t mask) {
    uint32_t seen[WARP] = {};
    auto each = [&](auto visit) {
        for (unsigned lane = 0; lane < WARP; lane++)
            if (mask >> lane & 1) visit(clocks[warp * WARP + lane], lane);
    };
    each([&](const uint32_t *clock, unsigned) {
        for (int i = 0; i < WARP; i++) seen[i] = std::max(seen[i], clock[i]);
    });
    each([&](uint32_t *clock, unsigned lane) {
        std::copy(seen, seen + WARP, clock);
        clock[lane]++;
    });
}

static bool ordered(const Access &earlier, uint32_t block) {
    const Thread *thread = current();
    if (earlier.block != block) return false;
    if (earlier.thread == thread->number || earlier.block_epoch != block_epoch) return true;
    return earlier.thread / WARP == thread->warp && earlier.clock <= clocks[thread->number][earlier.thread % WARP];
}

static Region *region_of(const void *p) {
    if (last_region < regions.size() && regions[last_region].memory.holds(p)) return &regions[last_region];
    for (size_t i = 0; i < regions.size(); i++)
        if (regions[i].memory.holds(p)) return &regions[last_region = i];
    return nullptr;
}

// ---- faults ---------------------------------------------------------------------------------------------------------

static const char *verb(bool write) { return write ? "write" : "read"; }

static Name name_of(const Region &region) {
    Name name = {"shared memory"};
    if (!region.shared()) snprintf(name.text, sizeof name.text, "argument %d", region.argument);
    return name;
}

static Name offset_of(const void *p) {
    const Region *region = region_of(p);
    Name name = {" outside of every array of the launch"};
    if (!region) return name;
    size_t offset = size_t(static_cast<const char *>(p) - region->memory.start);
    snprintf(name.text, sizeof name.text, " at byte %zu of %s", offset, name_of(*region).text);
    return name;
}

extern "C" char __ehdr_start[], _end[];  // of this library, by the linker
static bool in_library(const void *p) { return Bytes{__ehdr_start, _end}.holds(p); }

// The fault of an access that no region holds: none where a kernel reads its constants, or who it is.
static void outside(const char *p, size_t bytes, bool write, const void *site) {
    if (in_library(p) && !around_static_shared().holds(p)) {
        if (!write) return;
        fault(site, "write of %zu bytes to what is constant memory", bytes);
        abandon();
    }
    auto distance = [p](const Region &region) {
        return p < region.memory.start ? region.memory.start - p : p - region.memory.end;
    };
    auto closer = [&](const Region &a, const Region &b) { return distance(a) < distance(b); };
    auto nearest = std::min_element(regions.begin(), regions.end(), closer);
    if (nearest != regions.end() && distance(*nearest) < 4096)
        fault(site, "out of bounds: %s of %zu bytes, %ld bytes %s %s", verb(write), bytes, long(distance(*nearest)),
              p < nearest->memory.start ? "before" : "past the end of", name_of(*nearest).text);
    else fault(site, "out of bounds: %s of %zu bytes outside of every array of the launch", verb(write), bytes);
    abandon();
}

static void race(bool write, const Region &region, size_t offset, const Access &other, bool wrote, const void *site) {
    fault(site, "race: %s of %s at byte %zu, which block %u thread %u %s at %s, and no barrier between", verb(write),
          name_of(region).text, offset, other.block, other.thread, wrote ? "wrote" : "read", place_of(other.site).text);
    abandon();
}

// ---- one access -----------------------------------------------------------------------------------------------------

static bool same_moment(const Access &a, const Access &b) {
    return a.block == b.block && a.thread == b.thread && a.block_epoch == b.block_epoch && a.clock == b.clock &&
           a.atomic == b.atomic;
}

// Note an access in the place of an earlier one, or beside it where both are of one thread between two barriers.
static void note(Access &place, Access now) {
    if (place.bytes && same_moment(place, now)) now.bytes |= place.bytes;
    place = now;
}

// Look at one cell, then note the access in it.
static void look(Cell &cell, const Region &region, size_t offset, const Access &now, bool write) {
    if (cell.in_flight) {
        fault(now.site, "%s of shared memory at byte %zu, which the cp.async at %s fills and nobody has waited for",
              verb(write), offset, place_of(cell.write.site).text);
        abandon();
    }
    const Access &last = cell.write;
    if (last.bytes & now.bytes && !ordered(last, now.block) && !(now.atomic && last.atomic))
        race(write, region, offset, last, true, now.site);
    for (const Access &reader : cell.readers)
        if (write && reader.bytes & now.bytes && !ordered(reader, now.block))
            race(write, region, offset, reader, false, now.site);
    if (region.shared() && (!write || now.atomic) && (cell.written & now.bytes) != now.bytes) {
        fault(now.site, "read of shared memory that nobody wrote, or that a thread writes only later, at byte %zu",
              offset);
        abandon();
    }
    if (write) {
        note(cell.write, now);
        cell.written |= now.bytes;
        return;
    }
    Access &first = cell.readers[0];
    if (first.bytes && !(first.thread == now.thread && first.block == now.block)) cell.readers[1] = first;
    note(first, now);
}

extern "C" void emulator_access(const void *pointer, size_t bytes, bool write, bool atomic, const void *site) {
    const char *p = static_cast<const char *>(pointer);
    const Thread *thread = current();
    if (failed || !thread || Bytes{thread->stack, thread->stack + STACK}.holds(p)) return;
    Region *region = region_of(p);
    if (!region) return outside(p, bytes, write, site);
    counts.accesses++;
    if (p + bytes > region->memory.end) {
        fault(site, "out of bounds: %s over the end of %s", verb(write), name_of(*region).text);
        abandon();
    }
    Access now{site, block_number(), thread->number, block_epoch, clocks[thread->number][thread->lane], 0, atomic};
    for (size_t k = 0; k < bytes;) {
        size_t offset = size_t(p + k - region->memory.start);
        now.bytes = 0;
        for (size_t b = offset % 4; b < 4 && k < bytes; b++, k++) now.bytes |= uint8_t(1u << b);
        look(region->cells[offset / 4], *region, offset, now, write);
    }
}

void set_in_flight(const void *to, size_t bytes, bool in_flight) {
    Region *region = region_of(to);
    size_t first = size_t(static_cast<const char *>(to) - region->memory.start) / 4;
    for (size_t i = first; i < first + bytes / 4; i++) region->cells[i].in_flight = in_flight;
}

#else

static Name offset_of(const void *) { return {}; }  // which only a checked build knows

void watch_nothing() {}
void watch(const void *, size_t, int) {}
void forget_block() {}
void order_lanes(unsigned, uint32_t) {}
void set_in_flight(const void *, size_t, bool) {}
extern "C" void emulator_access(const void *, size_t, bool, bool, const void *) {}

#endif

void misaligned(const char *what, const void *p, unsigned multiple, const void *site) {
    fault(site, "misaligned %s%s: it needs a multiple of %u bytes, and the address is %u past one", what,
          offset_of(p).text, multiple, unsigned(uintptr_t(p) % multiple));
    abandon();
}

// A GPU refuses it too where it lies askew.
extern "C" void emulator_atomic(const void *p, size_t bytes, const void *site) {
    if (uintptr_t(p) % bytes) misaligned("atomic", p, unsigned(bytes), site);
    emulator_access(p, bytes, true, true, site);
}

}  // namespace emulator
