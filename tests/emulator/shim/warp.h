// Operations of a warp: every lane of the mask gives its value, waits for the others, and reads theirs.
#pragma once

namespace emulator {

static inline unsigned lane() { return emulator_running.thread->lane; }

// The value of lane `source` of this lane's segment of `width`; its own where there is no such lane.
template <class T> UNWATCHED T shuffled(uint32_t mask, T value, int source, bool exists, int width) {
    unsigned first = lane() & ~unsigned(width - 1);
    const Exchange *given = emulator_exchange(mask, &value, sizeof(T));
    if (!exists) return value;
    unsigned from = first + unsigned(source & (width - 1));
    if (!(mask >> from & 1)) emulator_fail("shuffle reads a lane that is not in its mask");
    T result;
    memcpy(&result, (*given)[from], sizeof(T));
    return result;
}

static inline int in_segment(int width) { return int(lane() & unsigned(width - 1)); }

}  // namespace emulator

static inline void __syncwarp(uint32_t mask = 0xffffffffu) { emulator_exchange(mask, nullptr, 0); }

template <class T> T __shfl_sync(uint32_t mask, T value, int source, int width = 32) {
    return emulator::shuffled(mask, value, source, true, width);
}
template <class T> T __shfl_xor_sync(uint32_t mask, T value, int bits, int width = 32) {
    int source = emulator::in_segment(width) ^ bits;
    return emulator::shuffled(mask, value, source, source < width, width);
}
template <class T> T __shfl_down_sync(uint32_t mask, T value, unsigned steps, int width = 32) {
    int source = emulator::in_segment(width) + int(steps);
    return emulator::shuffled(mask, value, source, source < width, width);
}
template <class T> T __shfl_up_sync(uint32_t mask, T value, unsigned steps, int width = 32) {
    int source = emulator::in_segment(width) - int(steps);
    return emulator::shuffled(mask, value, source, source >= 0, width);
}

UNWATCHED static inline uint32_t __ballot_sync(uint32_t mask, int predicate) {
    int vote = predicate != 0;
    const emulator::Exchange *given = emulator_exchange(mask, &vote, sizeof vote);
    uint32_t votes = 0;
    for (int i = 0; i < 32; i++)
        if (mask >> i & 1) votes |= uint32_t((*given)[i][0]) << i;
    return votes;
}
static inline int __any_sync(uint32_t mask, int predicate) { return __ballot_sync(mask, predicate) != 0; }
static inline int __all_sync(uint32_t mask, int predicate) { return __ballot_sync(mask, predicate) == mask; }
