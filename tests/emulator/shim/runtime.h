// What a kernel on the CPU asks of the runtime: who it is, barriers, exchange within a warp, asynchronous copies.
//
// A fault names the line of the kernel by the address that the runtime returns to.  So whatever stands between a kernel
// and the runtime is forced inline, or a macro.
#pragma once

namespace emulator {

constexpr int WARP = 32;
constexpr int MOST_THREADS = 1024;
constexpr int EXCHANGE_BYTES = 32;  // that a lane can give to one warp operation

enum class State { fresh, running, at_barrier, in_warp_operation, done };
enum class Operation { syncwarp, shfl, shfl_xor, shfl_up, shfl_down, ballot, any, all, ldmatrix, mma };

struct Thread {
    uint3 index;  // threadIdx
    unsigned number, lane, warp;
    State state;
    const void *site;     // where it waits
    int barrier;          // at which __syncthreads()
    uint32_t mask;        // with which lanes
    Operation operation;  // in which warp operation
    int round;            // which exchange of its warp it took part in last
    void *stack_pointer;
    char *stack;
};

struct Running {  // what a kernel reads without naming it
    Thread *thread;
    dim3 grid, block;
    uint3 block_index;
};
extern "C" Running emulator_running;

typedef char Exchange[WARP][EXCHANGE_BYTES];

}  // namespace emulator

extern "C" {
void *emulator_dynamic_shared();
int emulator_barrier(int predicate, int barrier);  // how many threads of the block came with one that is not 0
const emulator::Exchange *emulator_exchange(emulator::Operation operation, uint32_t mask, const void *given,
                                            size_t bytes);
[[noreturn]] void emulator_fail(const char *message);
void emulator_access(const void *place, size_t bytes, bool write, bool atomic, const void *site);
void emulator_atomic(const void *place, size_t bytes, const void *site);
const void *emulator_shared_row(const void *row);  // 16 bytes of shared memory, that a lane gives to ldmatrix
void emulator_copy_async(void *to, const void *from, int bytes, int bytes_from);
void emulator_copies_commit();
void emulator_copies_wait(int groups_left);
}

#define threadIdx (emulator::emulator_running.thread->index)
#define blockIdx (emulator::emulator_running.block_index)
#define blockDim (emulator::emulator_running.block)
#define gridDim (emulator::emulator_running.grid)
constexpr int warpSize = emulator::WARP;

#define DYNAMIC_SHARED(T, name) T *name = static_cast<T *>(emulator_dynamic_shared())

#define __syncthreads() ((void)emulator_barrier(1, __COUNTER__))
#define __syncthreads_count(predicate) emulator_barrier((predicate) != 0, __COUNTER__)
#define __syncthreads_or(predicate) int(emulator_barrier((predicate) != 0, __COUNTER__) != 0)
#define __syncthreads_and(predicate) int(emulator_barrier((predicate) == 0, __COUNTER__) == 0)
static inline void __threadfence() {}
static inline void __threadfence_block() {}
