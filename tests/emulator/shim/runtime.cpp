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
#ifdef EMULATOR_ASAN
static const void *scheduler_stack;
static size_t scheduler_bytes;
#endif

// ---- faults ---------------------------------------------------------------------------------------------------------

Place place_of(const void *site) {
    Place place = {};
    Dl_info module;
    if (site && dladdr(site, &module)) {
        long offset = long((const char *)site - (const char *)module.dli_fbase) - 1;  // in the call before it
        snprintf(place.text, sizeof place.text, "[+0x%lx]", offset);
    }
    return place;
}

void fault(const void *site, const char *format, ...) {
    if (failed) return;
    failed = true;
    Place place = place_of(site);
    int used = place.text[0] ? snprintf(message, sizeof message, "%s: ", place.text) : 0;
    va_list values;
    va_start(values, format);
    used += vsnprintf(message + used, sizeof message - size_t(used), format, values);
    va_end(values);
    const uint3 &b = emulator_running.block_index;
    if (!current() || used >= int(sizeof message)) return;
    const uint3 &t = current()->index;
    snprintf(message + used, sizeof message - size_t(used), ", at block (%u,%u,%u) thread (%u,%u,%u)", b.x, b.y, b.z,
             t.x, t.y, t.z);
}

extern "C" void emulator_fail(const char *text) {
    fault(__builtin_return_address(0), "%s", text);
    abandon();
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
    const void *copy = copy_left(int(current()->number));
    if (copy) fault(copy, "a thread ends before it has waited for its cp.async");
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
    poison_shared();
    begin_waiting();
    for (int i = 0; i < thread_count; i++) {
        Thread &thread = threads[i];
        thread.number = unsigned(i);
        thread.lane = thread.number % WARP;
        thread.warp = thread.number / WARP;
        thread.state = State::fresh;
        thread.index = {thread.number % block.x, thread.number / block.x % block.y, thread.number / block.x / block.y};
        forget_copies(i);
    }
    forget_block();
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

// Memory for the stacks of a block; all libraries of a process may share it, since one launch runs at a time.
extern "C" void *emulator_new_stacks() { return new_stacks(); }

struct Launch {
    void (*function)(void **);
    unsigned grid[3], block[3];
    size_t shared_bytes;
    void **values;  // a pointer to each argument
    int order, buffer_count;
    void **buffers;  // the arrays among the arguments, with their sizes, and their places in the list of arguments
    const size_t *bytes;
    const int *positions;
    char *stacks;
};

// The fault, or null.
extern "C" const char *emulator_launch(const Launch *launch) {
    emulator_running.grid = dim3(launch->grid[0], launch->grid[1], launch->grid[2]);
    emulator_running.block = dim3(launch->block[0], launch->block[1], launch->block[2]);
    thread_count = int(launch->block[0] * launch->block[1] * launch->block[2]);
    kernel = launch->function;
    arguments = launch->values;
    failed = false;
    counts = {};
    for (int i = 0; i < thread_count; i++) threads[i].stack = stack_of(launch->stacks, i);
    allocate_shared(launch->shared_bytes);
    watch_nothing();
    for (int i = 0; i < launch->buffer_count; i++) watch(launch->buffers[i], launch->bytes[i], launch->positions[i]);
    for (const Bytes &memory : {static_shared(), dynamic_shared()})
        watch(memory.start, size_t(memory.end - memory.start), -1);

    Order order(launch->order);
    size_t block_count = size_t(launch->grid[0]) * launch->grid[1] * launch->grid[2];
    std::vector<uint32_t> blocks = order.numbers(block_count), turns = order.numbers(size_t(thread_count));
    order.shuffle(blocks);
    catch_signals();
    for (uint32_t block : blocks)
        if (!failed) run_block(block, order, turns);
    release_signals();
    emulator_running.thread = nullptr;
    free_shared();
    fflush(stdout);  // what printf has kept, before Python prints
    return failed ? message : nullptr;
}

extern "C" void emulator_counts(long *out) { memcpy(out, &counts, sizeof counts); }

}  // namespace emulator
