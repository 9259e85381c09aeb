// cp.async: a copy is made when its group is waited for; until then its destination is NaN, so a missing wait shows.
#include <vector>

#include "block.h"

namespace emulator {

struct Copy {
    void *to;
    const void *from;
    int bytes, bytes_from, group;
    const void *site;
};
static std::vector<Copy> pending[MOST_THREADS];
static int groups[MOST_THREADS];

void forget_copies(int thread) {
    pending[thread].clear();
    groups[thread] = 0;
}

const void *copy_left(int thread) { return pending[thread].empty() ? nullptr : pending[thread].front().site; }

static const char *wrong(const Copy &copy) {
    if (copy.bytes_from < 0 || copy.bytes_from > copy.bytes)
        return "a cp.async of more bytes than it writes, or less than 0";
    if (!in_shared(copy.to, size_t(copy.bytes))) return "out of bounds: a cp.async to what is no shared memory";
    return nullptr;
}

extern "C" void emulator_copy_async(void *to, const void *from, int bytes, int bytes_from) {
    const void *site = __builtin_return_address(0);
    unsigned thread = current()->number;
    Copy copy{to, from, bytes, bytes_from, groups[thread], site};
    if (const char *text = wrong(copy)) {
        fault(site, "%s", text);
        abandon();
    }
    if (uintptr_t(to) % unsigned(bytes)) misaligned("destination of a cp.async", to, unsigned(bytes), site);
    if (bytes_from && uintptr_t(from) % unsigned(bytes))
        misaligned("source of a cp.async", from, unsigned(bytes), site);
    if (bytes_from) emulator_access(from, size_t(bytes_from), false, false, site);
    emulator_access(to, size_t(bytes), true, false, site);
    memset(to, 0xff, size_t(bytes));
    set_in_flight(to, size_t(bytes), true);
    pending[thread].push_back(copy);
}

extern "C" void emulator_copies_commit() { groups[current()->number]++; }

extern "C" void emulator_copies_wait(int groups_left) {
    auto &queue = pending[current()->number];
    int until = groups[current()->number] - groups_left;
    size_t made = 0;
    for (; made < queue.size() && queue[made].group < until; made++) {
        const Copy &copy = queue[made];
        set_in_flight(copy.to, size_t(copy.bytes), false);
        // As if it were written now: others see it after a barrier from here on.
        emulator_access(copy.to, size_t(copy.bytes), true, false, copy.site);
        memset(copy.to, 0, size_t(copy.bytes));
        if (copy.bytes_from) memcpy(copy.to, copy.from, size_t(copy.bytes_from));
    }
    queue.erase(queue.begin(), queue.begin() + long(made));
}

extern "C" const void *emulator_shared_row(const void *row) {
    const void *site = __builtin_return_address(0);
    if (uintptr_t(row) % 16) misaligned("row of an ldmatrix", row, 16, site);
    if (!in_shared(row, 16)) {
        fault(site, "out of bounds: a row of an ldmatrix that is no shared memory");
        abandon();
    }
    emulator_access(row, 16, false, false, site);
    return row;
}

}  // namespace emulator
