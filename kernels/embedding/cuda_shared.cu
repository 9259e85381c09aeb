// embedding's gradient on a GPU: dw[v] = the sum of dy[n] over all n with rows[n] = v; dw (V,E), dy (N,E).
//
// v2_shared.  One idea: words are used very differently often, so the uses of a row are shared out among the thread
// rows of a block, and their sums folded in a tree.  A block makes 32 numbers of one row of dw; the uses of row v are
// order[first[v]] to order[first[v + 1] - 1], in rising order.
#include "reduce.cuh"

extern "C" __global__ void __launch_bounds__(256)
    embedding_backward_v2_shared(const long long *order, const long long *first, const float *dy, float *dw,
                                 int columns) {
    __shared__ double scratch[256];
    int groups = (columns + 31) / 32, column = blockIdx.x % groups * 32 + threadIdx.x;
    long long v = blockIdx.x / groups, end = first[v + 1];
    double sum = 0;
    if (column < columns)
        for (long long k = first[v] + threadIdx.y; k < end; k += blockDim.y) sum += dy[order[k] * columns + column];
    sum = folded(sum, scratch, [](double a, double b) { return a + b; });
    if (threadIdx.y == 0 && column < columns) dw[v * columns + column] = float(sum);
}
