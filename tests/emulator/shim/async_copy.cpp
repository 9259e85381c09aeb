// cp.async: a copy is made when its group is waited for; until then its destination is NaN, so a missing wait shows.
#include <vector>

#include "block.h"

namespace emulator {

struct Copy {
    void *to;
    const void *from;
    int bytes, bytes_from, group;
};
static std::vector<Copy> pending[MOST_THREADS];
static int groups[MOST_THREADS];

void forget_copies(int thread) {
    pending[thread].clear();
    groups[thread] = 0;
}

bool copies_left(int thread) { return !pending[thread].empty(); }

extern "C" void emulator_copy_async(void *to, const void *from, int bytes, int bytes_from) {
    const void *site = __builtin_return_address(0);
    if ((uintptr_t)to % bytes || (bytes_from && (uintptr_t)from % bytes)) emulator_fail("cp.async: misaligned address");
    if (bytes_from) emulator_access(from, size_t(bytes_from), false, false, site);
    emulator_access(to, size_t(bytes), true, false, site);
    memset(to, 0xff, size_t(bytes));
    unsigned thread = current()->number;
    pending[thread].push_back({to, from, bytes, bytes_from, groups[thread]});
}

extern "C" void emulator_copies_commit() { groups[current()->number]++; }

extern "C" void emulator_copies_wait(int groups_left) {
    auto &queue = pending[current()->number];
    int until = groups[current()->number] - groups_left;
    size_t made = 0;
    for (; made < queue.size() && queue[made].group < until; made++) {
        const Copy &copy = queue[made];
        memset(copy.to, 0, size_t(copy.bytes));
        if (copy.bytes_from) memcpy(copy.to, copy.from, size_t(copy.bytes_from));
    }
    queue.erase(queue.begin(), queue.begin() + long(made));
}

}  // namespace emulator
