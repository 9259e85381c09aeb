// Operations of a warp: every lane of the mask gives its value, waits for the others, and reads theirs.
#pragma once

namespace emulator {

static __forceinline__ unsigned lane() { return emulator_running.thread->lane; }

static __forceinline__ int in_segment(int width) {
    if (width < 1 || width > WARP || (width & (width - 1)))
        emulator_fail("a shuffle's width is no power of two from 1 to 32");
    return int(lane() & unsigned(width - 1));
}

// The value of lane `source` of this lane's segment of `width`; its own where there is no such lane.
template <class T>
__forceinline__ T shuffled(Operation operation, uint32_t mask, T value, int source, bool exists, int width) {
    static_assert(std::is_arithmetic_v<T>, "CUDA shuffles numbers alone");
    unsigned first = lane() & ~unsigned(width - 1);
    const Exchange *given = emulator_exchange(operation, mask, &value, sizeof(T));
    if (!exists) return value;
    unsigned from = first + unsigned(source & (width - 1));
    if (!(mask >> from & 1)) emulator_fail("a shuffle reads a lane that is not in its mask");
    T result;
    memcpy(&result, (*given)[from], sizeof(T));
    return result;
}

// A bit for each lane of the mask whose predicate holds.
static __forceinline__ uint32_t votes(Operation operation, uint32_t mask, int predicate) {
    char vote = predicate != 0;
    const Exchange *given = emulator_exchange(operation, mask, &vote, 1);
    uint32_t bits = 0;
    for (int i = 0; i < WARP; i++)
        if (mask >> i & 1) bits |= uint32_t((*given)[i][0]) << i;
    return bits;
}

}  // namespace emulator

static __forceinline__ void __syncwarp(uint32_t mask = 0xffffffffu) {
    emulator_exchange(emulator::Operation::syncwarp, mask, nullptr, 0);
}

template <class T> __forceinline__ T __shfl_sync(uint32_t mask, T value, int source, int width = 32) {
    emulator::in_segment(width);
    return emulator::shuffled(emulator::Operation::shfl, mask, value, source, true, width);
}
template <class T> __forceinline__ T __shfl_xor_sync(uint32_t mask, T value, int bits, int width = 32) {
    int source = emulator::in_segment(width) ^ bits;
    return emulator::shuffled(emulator::Operation::shfl_xor, mask, value, source, source < width, width);
}
template <class T> __forceinline__ T __shfl_down_sync(uint32_t mask, T value, unsigned steps, int width = 32) {
    int source = emulator::in_segment(width) + int(steps);
    return emulator::shuffled(emulator::Operation::shfl_down, mask, value, source, source < width, width);
}
template <class T> __forceinline__ T __shfl_up_sync(uint32_t mask, T value, unsigned steps, int width = 32) {
    int source = emulator::in_segment(width) - int(steps);
    return emulator::shuffled(emulator::Operation::shfl_up, mask, value, source, source >= 0, width);
}

static __forceinline__ uint32_t __ballot_sync(uint32_t mask, int predicate) {
    return emulator::votes(emulator::Operation::ballot, mask, predicate);
}
static __forceinline__ int __any_sync(uint32_t mask, int predicate) {
    return emulator::votes(emulator::Operation::any, mask, predicate) != 0;
}
static __forceinline__ int __all_sync(uint32_t mask, int predicate) {
    return emulator::votes(emulator::Operation::all, mask, predicate) == mask;
}
