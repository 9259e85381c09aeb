// The shared memory of the block that runs: static arrays in a section of the library, dynamic ones on the heap.
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

void allocate_shared(size_t bytes) {
    char *memory = bytes ? static_cast<char *>(aligned_alloc(16, (bytes + 15) & ~size_t(15))) : nullptr;
    dynamic_memory = {memory, memory + bytes};
}

void free_shared() {
    free(dynamic_memory.start);
    dynamic_memory = {};
}

// NaN and -1 in all of it: what was never written shows.
void poison_shared() {
    for (const Bytes &memory : {static_shared(), dynamic_memory})
        if (memory.start) memset(memory.start, 0xff, size_t(memory.end - memory.start));
}

}  // namespace emulator
