// What the parts of the runtime share: the threads of the block that runs, and the one fault that ends a launch.
#pragma once
#include "cuda_on_cpu.h"

#undef threadIdx
#undef blockIdx
#undef blockDim
#undef gridDim

namespace emulator {

constexpr size_t STACK = 256 << 10;  // bytes of a thread

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

// A site in the text of a fault; the host replaces it by file and line.
struct Place {
    char text[24];
};
Place place_of(const void *site);

// Leave the thread that runs; it is never resumed after a fault.
void leave();
[[noreturn]] inline void abandon() {
    for (;;) leave();
}

// waiting.cpp
void begin_waiting();
bool pass_barrier();

// shared.cpp
struct Bytes {
    char *start, *end;
    bool holds(const void *p) const { return p >= start && p < end; }
};
Bytes static_shared();
Bytes dynamic_shared();
Bytes around_static_shared();  // nothing may touch what lies in here but not in static_shared()
bool in_shared(const void *p, size_t bytes);
void allocate_shared(size_t bytes);
void free_shared();
void poison_shared();

// async_copy.cpp
void forget_copies(int thread);
const void *copy_left(int thread);  // where the first cp.async stands that was not waited for

// signals.cpp
void catch_signals();
void release_signals();

// checker.cpp
void watch(const void *start, size_t bytes, int argument);  // argument < 0: shared memory
void watch_nothing();
void forget_block();  // a new block begins
void order_lanes(unsigned warp, uint32_t mask);  // what they did is seen by each other from now on
void set_in_flight(const void *to, size_t bytes, bool in_flight);
[[noreturn]] void misaligned(const char *what, const void *p, unsigned multiple, const void *site);

}  // namespace emulator
