// What the parts of the runtime share: the threads of the block that runs, and the one fault that ends a launch.
#pragma once
#include "cuda_on_cpu.h"

#undef threadIdx
#undef blockIdx
#undef blockDim
#undef gridDim

namespace emulator {

extern Thread threads[MOST_THREADS];
extern int thread_count;
extern bool failed;
extern uint32_t block_epoch;  // how many barriers this block has passed

struct Counts {
    long switches, barriers, warp_operations, accesses;
};
extern Counts counts;

inline Thread *current() { return emulator_running.thread; }

inline uint32_t block_number() {
    const dim3 &grid = emulator_running.grid;
    const uint3 &at = emulator_running.block_index;
    return at.x + grid.x * (at.y + grid.y * at.z);
}

// Keep the first fault of the launch, with the thread that runs; `site` is where in the code.
void fault(const void *site, const char *format, ...) __attribute__((format(printf, 2, 3)));

// Leave the thread that runs; it is never resumed after a fault.
void leave();
[[noreturn]] inline void abandon() {
    for (;;) leave();
}

// async_copy.cpp
void forget_copies(int thread);
bool copies_left(int thread);

// checker.cpp
void watch(const void *start, size_t bytes, int argument);  // argument < 0: shared memory
void watch_nothing();
void forget_shared();  // a new block begins

}  // namespace emulator
