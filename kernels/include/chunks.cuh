// An array (R,C) that is cut into chunks of rows (_gpu/chunks.py): a block of 32 x 8 threads takes 32 * LANES columns
// of a chunk, of which each row of threads takes a row in turn; then what the blocks found is combined in order.
#pragma once
#include "read_ahead.cuh"
#include "reduce.cuh"
#include "vector.cuh"

// The numbers of this thread: `count` of them (or vectors), `step` apart, the first at `first`, all of one column, of
// which the block has `rows`, and one channel.  What it finds of the column is its chunk's number `result`, which one
// thread `writes`.
struct Part {
    long long first, step, result;
    int count, rows, channel;
    bool writes;
};

// `size` numbers, `width` in a row, which are those of some pixels of `channels`; `rows` in a chunk.
static __device__ __forceinline__ Part part_of(long long size, int width, int rows, int channels) {
    int groups = (width + 32 * LANES - 1) / (32 * LANES);
    int column = (blockIdx.x % groups * 32 + threadIdx.x) * LANES;
    long long chunk = blockIdx.x / groups, first_row = chunk * rows;
    long long left = size / width + (column < size % width) - first_row;  // rows from the chunk on that have the column
    int own_rows = column < width ? int(min(left, (long long)rows)) : 0;
    return {(first_row + threadIdx.y) * width + column, 8LL * width, chunk * width + column,
            share(own_rows, threadIdx.y, 8), own_rows, column % channels, threadIdx.y == 0 && column < width};
}

// use(x[..], k) for every vector of this thread, k being its number among them.
template <class Use> static __device__ __forceinline__ void each_of(Part part, const float *x, Use use) {
    read_ahead(part.count, [=](int k) { return loaded(x + part.first + k * part.step); }, use);
}

struct Pair {
    Vector x, dy;
};

// use({x[..], dy[..]}, k) likewise.
template <class Use>
static __device__ __forceinline__ void each_of(Part part, const float *x, const float *dy, Use use) {
    auto read = [=](int k) {
        long long i = part.first + k * part.step;
        return Pair{loaded(x + i), loaded(dy + i)};
    };
    read_ahead(part.count, read, use);
}

// The sum of read(i) over the places i of column c of partial results (R,C), by a block of 32 x 32 threads.
template <class Read>
static __device__ __forceinline__ double column_sum(int rows, int channels, int c, double *scratch, Read read) {
    double sum = 0;
    long long first = (long long)threadIdx.y * channels + c;
    read_ahead(
        c < channels ? share(rows, threadIdx.y, 32) : 0, [=](int k) { return read(first + 32LL * k * channels); },
        [&](double value, int) { sum += value; });
    return folded(sum, scratch, [](double a, double b) { return a + b; });
}

static __device__ __forceinline__ double column_total(const double *partial, int rows, int channels, int c,
                                                      double *scratch) {
    return column_sum(rows, channels, c, scratch, [=](long long i) { return partial[i]; });
}
