// The blocks of a launch, one after another; the threads of each in turns, until all wait or are done.
#include <dlfcn.h>

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <vector>

#include "block.h"
#include "fibers.h"
#ifdef EMULATOR_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

namespace emulator {

extern "C" {
Running emulator_running;
}
Thread threads[MOST_THREADS];
int thread_count;
bool failed;
uint32_t block_epoch;
Counts counts;

static char message[2048];
static void *scheduler;  // its stack pointer while a thread runs
static void (*kernel)(void **);
static void **arguments;
static int arrived, barrier_result;
static Exchange given[MOST_THREADS / WARP], rounds[MOST_THREADS / WARP][4];
static int last_round[MOST_THREADS / WARP];
static void *dynamic_memory;
static size_t dynamic_bytes;
#ifdef EMULATOR_ASAN
static char *static_start = nullptr, *static_end = nullptr;
static const void *scheduler_stack;
static size_t scheduler_bytes;
#else
extern "C" char __start_emulated_shared[] __attribute__((weak)), __stop_emulated_shared[] __attribute__((weak));
static char *static_start = __start_emulated_shared, *static_end = __stop_emulated_shared;
#endif

void fault(const void *site, const char *format, ...) {
    if (failed) return;
    failed = true;
    int used = 0;
    Dl_info module;
    if (site && dladdr(site, &module)) {
        long offset = long((const char *)site - (const char *)module.dli_fbase) - 1;
        used = snprintf(message, sizeof message, "[+0x%lx] ", offset);
    }
    va_list values;
    va_start(values, format);
    used += vsnprintf(message + used, sizeof message - used, format, values);
    va_end(values);
    const uint3 &b = emulator_running.block_index;
    if (current()) {
        const uint3 &t = current()->index;
        snprintf(message + used, sizeof message - used, ", at block (%u,%u,%u) thread (%u,%u,%u)", b.x, b.y, b.z, t.x,
                 t.y, t.z);
    }
}

// ---- switching ------------------------------------------------------------------------------------------------------

void leave() {
    Thread *thread = current();
    counts.switches++;
#ifdef EMULATOR_ASAN
    void *fake = nullptr;
    __sanitizer_start_switch_fiber(thread->state == State::done ? nullptr : &fake, scheduler_stack, scheduler_bytes);
    emulator_switch(&thread->stack_pointer, scheduler);
    __sanitizer_finish_switch_fiber(fake, nullptr, nullptr);
#else
    emulator_switch(&thread->stack_pointer, scheduler);
#endif
}

static void thread_main() {
#ifdef EMULATOR_ASAN
    __sanitizer_finish_switch_fiber(nullptr, &scheduler_stack, &scheduler_bytes);
#endif
    kernel(arguments);
    if (copies_left(int(current()->number))) fault(nullptr, "a thread ends before it has waited for its cp.async");
    current()->state = State::done;
    abandon();
}

static void resume(Thread *thread) {
    emulator_running.thread = thread;
    if (thread->state == State::fresh) {
        thread->state = State::running;
        thread->stack_pointer = fresh(thread->stack + STACK, thread_main);
#ifdef EMULATOR_ASAN
        __asan_unpoison_memory_region(thread->stack, STACK);  // red zones of the thread that had this stack before
#endif
    }
#ifdef EMULATOR_ASAN
    void *fake;
    __sanitizer_start_switch_fiber(&fake, thread->stack, STACK);
    emulator_switch(&scheduler, thread->stack_pointer);
    __sanitizer_finish_switch_fiber(fake, nullptr, nullptr);
#else
    emulator_switch(&scheduler, thread->stack_pointer);
#endif
    emulator_running.thread = nullptr;
}

// ---- waiting --------------------------------------------------------------------------------------------------------

extern "C" void emulator_fail(const char *text) {
    fault(__builtin_return_address(0), "%s", text);
    abandon();
}

extern "C" int emulator_barrier(int predicate) {
    current()->state = State::at_barrier;
    current()->site = __builtin_return_address(0);
    arrived += predicate;
    leave();
    return barrier_result;
}

// Whether all lanes of a mask wait in one warp operation; a lane that can never come is a fault.
static bool all_came(const Thread &thread, uint32_t mask) {
    bool all = true;
    for (unsigned lane = 0; lane < WARP; lane++) {
        if (!(mask >> lane & 1)) continue;
        unsigned number = thread.warp * WARP + lane;
        if (number >= unsigned(thread_count)) emulator_fail("the mask of a warp operation names a lane beyond the block");
        const Thread &other = threads[number];
        if (other.state == State::done) emulator_fail("the mask of a warp operation names a thread that has ended");
        all = all && other.state == State::in_warp_operation && other.mask == mask;
    }
    return all;
}

extern "C" const Exchange *emulator_exchange(uint32_t mask, const void *value, size_t bytes) {
    Thread &thread = *current();
    if (bytes > EXCHANGE_BYTES) emulator_fail("a warp operation of more bytes than the emulator exchanges");
    if (!(mask >> thread.lane & 1)) emulator_fail("a warp operation whose mask leaves out the thread that calls it");
    if (bytes) memcpy(given[thread.warp][thread.lane], value, bytes);
    thread.state = State::in_warp_operation;
    thread.mask = mask;
    thread.site = __builtin_return_address(0);
    if (all_came(thread, mask)) {  // the last lane publishes what all gave, and lets them go
        int round = last_round[thread.warp] = (last_round[thread.warp] + 1) & 3;
        counts.warp_operations++;
        for (unsigned lane = 0; lane < WARP; lane++) {
            if (!(mask >> lane & 1)) continue;
            Thread &other = threads[thread.warp * WARP + lane];
            if (bytes) memcpy(rounds[thread.warp][round][lane], given[thread.warp][lane], bytes);
            other.state = State::running;
            other.round = round;
            other.warp_epoch++;
        }
    }
    if (thread.state != State::running) leave();
    return &rounds[thread.warp][thread.round];
}

extern "C" void *emulator_dynamic_shared() { return dynamic_memory; }

// ---- scheduling -----------------------------------------------------------------------------------------------------

// The order in which threads and blocks get their turn: 0 as numbered, 1 the other way round, else drawn from a seed.
struct Order {
    int kind;
    uint64_t state;

    explicit Order(int kind) : kind(kind), state(0x9E3779B97F4A7C15ull * uint64_t(kind + 1)) {}

    uint32_t draw() {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        return uint32_t(state >> 16);
    }
    std::vector<uint32_t> numbers(size_t count) {
        std::vector<uint32_t> all(count);
        for (size_t i = 0; i < count; i++) all[i] = uint32_t(kind == 1 ? count - 1 - i : i);
        return all;
    }
    void shuffle(std::vector<uint32_t> &all) {
        if (kind < 2) return;
        for (size_t i = all.size(); i > 1; i--) std::swap(all[i - 1], all[draw() % i]);
    }
};

static void begin_block(size_t number) {
    const dim3 &grid = emulator_running.grid, &block = emulator_running.block;
    emulator_running.block_index = {unsigned(number % grid.x), unsigned(number / grid.x % grid.y),
                                    unsigned(number / grid.x / grid.y)};
    block_epoch = 1;
    arrived = 0;
    if (dynamic_bytes) memset(dynamic_memory, 0xff, dynamic_bytes);  // NaN and -1: what was never written shows
    if (static_end > static_start) memset(static_start, 0xff, size_t(static_end - static_start));
    forget_shared();
    for (int i = 0; i < thread_count; i++) {
        Thread &thread = threads[i];
        thread.number = unsigned(i);
        thread.lane = thread.number % WARP;
        thread.warp = thread.number / WARP;
        thread.state = State::fresh;
        thread.warp_epoch = 1;
        thread.index = {thread.number % block.x, thread.number / block.x % block.y, thread.number / block.x / block.y};
        forget_copies(i);
    }
}

// All threads wait or are done: let those at a barrier pass.  False when the block has ended, or can never end.
static bool pass_barrier() {
    int at_barrier = 0, in_warp = 0;
    const void *site = nullptr;
    bool several = false;
    for (int i = 0; i < thread_count; i++) {
        const Thread &thread = threads[i];
        in_warp += thread.state == State::in_warp_operation;
        if (thread.state != State::at_barrier) continue;
        at_barrier++;
        several = several || (site && site != thread.site);
        site = thread.site;
    }
    if (in_warp) {
        for (int i = 0; i < thread_count; i++)
            if (threads[i].state == State::in_warp_operation) site = threads[i].site;
        fault(site, "deadlock: %d threads wait in a warp operation and %d at __syncthreads()", in_warp, at_barrier);
    } else if (several) {
        fault(site, "barrier divergence: threads of one block wait at different __syncthreads()");
    } else if (at_barrier && at_barrier != thread_count) {
        fault(site, "barrier divergence: %d of %d threads wait at __syncthreads(), the others have ended", at_barrier,
              thread_count);
    }
    if (failed || !at_barrier) return false;
    barrier_result = arrived;
    arrived = 0;
    block_epoch++;
    counts.barriers++;
    for (int i = 0; i < thread_count; i++) threads[i].state = State::running;
    return true;
}

static void run_block(size_t number, Order &order, std::vector<uint32_t> &turns) {
    begin_block(number);
    for (bool going = true; going && !failed;) {
        order.shuffle(turns);
        bool runnable = false;
        for (uint32_t i : turns) {
            if (threads[i].state <= State::running && !failed) resume(&threads[i]);
        }
        for (int i = 0; i < thread_count; i++) runnable = runnable || threads[i].state <= State::running;
        if (!runnable && !failed) going = pass_barrier();
    }
}

// ---- the host's door ------------------------------------------------------------------------------------------------

// `sizes` are grid (x,y,z) and block (x,y,z); `buffers` are the arrays among the arguments.  The fault, or null.
extern "C" const char *emulator_launch(void (*function)(void **), const unsigned *sizes, size_t shared_bytes,
                                       void **values, int order_kind, int buffer_count, void **buffers,
                                       const size_t *bytes, const int *positions) {
    emulator_running.grid = dim3(sizes[0], sizes[1], sizes[2]);
    emulator_running.block = dim3(sizes[3], sizes[4], sizes[5]);
    thread_count = int(sizes[3] * sizes[4] * sizes[5]);
    kernel = function;
    arguments = values;
    failed = false;
    counts = {};
    for (int i = 0; i < thread_count; i++)
        if (!threads[i].stack) threads[i].stack = new_stack();
    dynamic_bytes = shared_bytes;
    dynamic_memory = shared_bytes ? aligned_alloc(16, (shared_bytes + 15) & ~size_t(15)) : nullptr;
    watch_nothing();
    for (int i = 0; i < buffer_count; i++) watch(buffers[i], bytes[i], positions[i]);
    if (dynamic_bytes) watch(dynamic_memory, dynamic_bytes, -1);
    if (static_end > static_start) watch(static_start, size_t(static_end - static_start), -2);

    Order order(order_kind);
    size_t block_count = size_t(sizes[0]) * sizes[1] * sizes[2];
    std::vector<uint32_t> blocks = order.numbers(block_count), turns = order.numbers(size_t(thread_count));
    order.shuffle(blocks);
    for (uint32_t block : blocks)
        if (!failed) run_block(block, order, turns);

    emulator_running.thread = nullptr;
    free(dynamic_memory);
    dynamic_memory = nullptr;
    return failed ? message : nullptr;
}

extern "C" void emulator_counts(long *out) { memcpy(out, &counts, sizeof counts); }

}  // namespace emulator
