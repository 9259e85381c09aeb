// The shared memory of the block that runs: static arrays in a section of the library, dynamic ones on the heap.
#include <algorithm>
#include <cstdlib>

#include "block.h"

namespace emulator {

static Bytes dynamic_memory;

#ifdef EMULATOR_ASAN
Bytes static_shared() { return {nullptr, nullptr}; }
Bytes around_static_shared() { return {nullptr, nullptr}; }
#else
extern "C" char emulator_shared_before[4096], emulator_shared_after[4096];  // shared_before.cpp, shared_after.cpp
Bytes static_shared() { return {emulator_shared_before + 4096, emulator_shared_after}; }
Bytes around_static_shared() { return {emulator_shared_before, emulator_shared_after + 4096}; }
#endif

Bytes dynamic_shared() { return dynamic_memory; }

extern "C" void *emulator_dynamic_shared() { return dynamic_memory.start; }

bool in_shared(const void *p, size_t bytes) {
#ifdef EMULATOR_ASAN
    return true;  // static arrays are anywhere, and AddressSanitizer knows their ends
#endif
    const char *last = static_cast<const char *>(p) + bytes - 1;
    for (const Bytes &memory : {static_shared(), dynamic_memory})
        if (memory.holds(p) && memory.holds(last)) return true;
    return false;
}

#ifdef EMULATOR_ASAN
constexpr size_t GUARD = 0;  // it has its own
#else
constexpr size_t GUARD = 16 << 10;  // bytes on either side of dynamic memory
#endif
constexpr char PATTERN = 0x5a;

void allocate_shared(size_t bytes) {
    size_t all = GUARD + ((bytes + 15) & ~size_t(15)) + GUARD;
    char *memory = bytes ? static_cast<char *>(aligned_alloc(16, all)) : nullptr;
    if (memory) memset(memory, PATTERN, all);
    dynamic_memory = memory ? Bytes{memory + GUARD, memory + GUARD + bytes} : Bytes{};
}

static bool is_whole(const char *guard) {
    return std::all_of(guard, guard + GUARD, [](char c) { return c == PATTERN; });
}

void free_shared() {
    if (!dynamic_memory.start) return;
    for (const char *guard : {dynamic_memory.start - GUARD, dynamic_memory.end})
        if (!is_whole(guard))
            fault(nullptr, "out of bounds: write %s dynamic shared memory; run it with install(\"checked\"), which "
                  "names the line", guard == dynamic_memory.end ? "past the end of" : "before");
    free(dynamic_memory.start - GUARD);
    dynamic_memory = {};
}

// NaN and -1 in all of it: what was never written shows.
void poison_shared() {
    for (const Bytes &memory : {static_shared(), dynamic_memory})
        if (memory.start) memset(memory.start, 0xff, size_t(memory.end - memory.start));
}

}  // namespace emulator
