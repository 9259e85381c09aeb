// The sum over a repeated axis in two stages: y (outer,inner) of x (outer,repeated,inner).
//
// One thread a number of y leaves a GPU idle where y is small, and that is the rule: a bias, a gate, one number.  So
// the repeated axis is cut into chunks, and a chunk is dealt out to the rows of a block.  All sums are double, and what
// is added to what follows from the shape alone.

// Stage one.  A block of 256 threads is groups x rows x lanes: a group has an outer index and a tile of inner ones, a
// lane one of these, and a row every `rows`-th number of the chunk, so that a warp reads neighbours.  The rows of a
// lane are then added in a tree.  With one chunk that is y; with more, `partial` (outer,chunks,inner) is for stage two.
extern "C" __global__ void __launch_bounds__(256)
    elementwise_reduce_v2_chunks(const float *x, float *y, double *partial, long long outer, long long repeated,
                                 long long inner, int lanes, int rows, int chunks, long long chunk) {
    __shared__ double sums[256];
    int t = threadIdx.x, lane = t % lanes, row = t / lanes % rows, group = t / lanes / rows;
    long long tiles = (inner + lanes - 1) / lanes, block = blockIdx.x;
    long long i = block % tiles * lanes + lane, first = block / tiles % chunks * chunk;
    long long o = block / tiles / chunks * (256 / lanes / rows) + group;
    bool there = o < outer && i < inner;
    double sum = 0;
    if (there)
        for (long long r = first + row; r < min(first + chunk, repeated); r += rows)
            sum += x[(o * repeated + r) * inner + i];
    sums[t] = sum;
    for (int half = rows / 2; half; half /= 2) {
        __syncthreads();
        if (row < half) sums[t] += sums[t + half * lanes];
    }
    if (!there || row) return;
    if (partial) partial[(o * chunks + first / chunk) * inner + i] = sums[t];
    else y[o * inner + i] = sums[t];
}

// Stage two: the chunks of each number are added in their order.
extern "C" __global__ void elementwise_reduce_v2_combine(const double *partial, float *y, long long count, int chunks,
                                                         long long inner) {
    long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x;
    if (i >= count) return;
    const double *first = partial + i / inner * chunks * inner + i % inner;
    double sum = 0;
    for (int k = 0; k < chunks; k++) sum += first[k * inner];
    y[i] = sum;
}
