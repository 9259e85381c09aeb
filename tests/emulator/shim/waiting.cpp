// Where threads wait for each other: barriers of the block, and the operations of a warp.
#include "block.h"

namespace emulator {

static int arrived, barrier_result;
alignas(16) static Exchange given[MOST_THREADS / WARP], rounds[MOST_THREADS / WARP][4];
static int last_round[MOST_THREADS / WARP];
static const char *const NAMES[] = {"__syncwarp",       "__shfl_sync",   "__shfl_xor_sync", "__shfl_up_sync",
                                    "__shfl_down_sync", "__ballot_sync", "__any_sync",      "__all_sync",
                                    "ldmatrix",         "mma.sync"};

static const char *name_of(const Thread &thread) { return NAMES[int(thread.operation)]; }

void begin_waiting() { arrived = 0; }

// ---- the block's barrier --------------------------------------------------------------------------------------------

extern "C" int emulator_barrier(int predicate, int barrier) {
    Thread &thread = *current();
    thread.state = State::at_barrier;
    thread.barrier = barrier;
    thread.site = __builtin_return_address(0);
    arrived += predicate;
    leave();
    return barrier_result;
}

// Why threads of a warp operation wait forever.
static void tell_deadlock(Thread &thread) {
    emulator_running.thread = &thread;  // whom the fault names
    for (unsigned lane = 0; lane < WARP; lane++) {
        if (!(thread.mask >> lane & 1)) continue;
        const Thread &other = threads[thread.warp * WARP + lane];
        if (other.state == State::done)
            return fault(thread.site, "the mask 0x%08x of a %s names lane %u, which has ended", thread.mask,
                         name_of(thread), lane);
        if (other.state == State::at_barrier)
            return fault(thread.site, "deadlock: lane %u waits in a %s for lane %u, which waits at a barrier, %s",
                         thread.lane, name_of(thread), lane, place_of(other.site).text);
        if (other.mask != thread.mask)
            return fault(thread.site, "deadlock: lane %u waits with mask 0x%08x in a %s, and lane %u with 0x%08x, %s",
                         thread.lane, thread.mask, name_of(thread), lane, other.mask, place_of(other.site).text);
    }
}

// All threads wait or are done: let those at a barrier pass.  False when the block has ended, or can never end.
bool pass_barrier() {
    int at_barrier = 0;
    Thread *one = nullptr, *other = nullptr;
    for (int i = 0; i < thread_count; i++) {
        Thread &thread = threads[i];
        if (thread.state == State::in_warp_operation) {
            tell_deadlock(thread);
            return false;
        }
        if (thread.state != State::at_barrier) continue;
        at_barrier++;
        if (!one) one = &thread;
        else if (one->barrier != thread.barrier) other = &thread;
    }
    emulator_running.thread = other ? other : one;
    if (other)
        fault(other->site, "barrier divergence: threads of one block wait at different barriers, here and at %s",
              place_of(one->site).text);
    else if (at_barrier && at_barrier != thread_count)
        fault(one->site, "barrier divergence: %d of %d threads wait at a barrier, and the others have ended",
              at_barrier, thread_count);
    emulator_running.thread = nullptr;
    if (failed || !at_barrier) return false;
    barrier_result = arrived;
    arrived = 0;
    block_epoch++;
    counts.barriers++;
    for (int i = 0; i < thread_count; i++) threads[i].state = State::running;
    return true;
}

// ---- the operations of a warp ---------------------------------------------------------------------------------------

// Whether all lanes of a thread's mask wait in the same operation; a lane that can never come is a fault.
static bool all_came(const Thread &thread) {
    bool all = true;
    for (unsigned lane = 0; lane < WARP; lane++) {
        if (!(thread.mask >> lane & 1)) continue;
        unsigned number = thread.warp * WARP + lane;
        const Thread &other = threads[number];
        const char *why = nullptr;
        if (number >= unsigned(thread_count)) why = "is beyond the block";
        else if (other.state == State::done) why = "has ended";
        if (why) {
            fault(thread.site, "the mask 0x%08x of a %s names lane %u, which %s", thread.mask, name_of(thread), lane,
                  why);
            abandon();
        }
        bool waits = other.state == State::in_warp_operation && other.mask == thread.mask;
        if (waits && other.operation != thread.operation) {
            fault(thread.site, "lane %u comes to a %s, and lane %u to a %s, %s", thread.lane, name_of(thread), lane,
                  name_of(other), place_of(other.site).text);
            abandon();
        }
        all = all && waits;
    }
    return all;
}

// Give each lane of the mask what all gave, and let it go on.
static void publish(const Thread &thread, size_t bytes) {
    int round = last_round[thread.warp] = (last_round[thread.warp] + 1) & 3;
    counts.warp_operations++;
    if (thread.operation == Operation::syncwarp) order_lanes(thread.warp, thread.mask);
    for (unsigned lane = 0; lane < WARP; lane++) {
        if (!(thread.mask >> lane & 1)) continue;
        Thread &other = threads[thread.warp * WARP + lane];
        if (bytes) memcpy(rounds[thread.warp][round][lane], given[thread.warp][lane], bytes);
        other.state = State::running;
        other.round = round;
    }
}

extern "C" const Exchange *emulator_exchange(Operation operation, uint32_t mask, const void *value, size_t bytes) {
    Thread &thread = *current();
    thread.site = __builtin_return_address(0);
    thread.mask = mask;
    thread.operation = operation;
    if (!(mask >> thread.lane & 1)) {
        fault(thread.site, "the mask 0x%08x of a %s leaves out lane %u, which calls it", mask, name_of(thread),
              thread.lane);
        abandon();
    }
    if (bytes) memcpy(given[thread.warp][thread.lane], value, bytes);
    thread.state = State::in_warp_operation;
    if (all_came(thread)) publish(thread, bytes);
    leave();  // also the last to come: the others read what it gave in this round before it gives in others
    return &rounds[thread.warp][thread.round];
}

}  // namespace emulator
