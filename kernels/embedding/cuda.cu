// embedding on a GPU: y[n] = w[rows[n]], and dw[v] = the sum of dy[n] over all n with rows[n] = v; w, dw (V,E),
// y, dy (N,E).
#include "four.cuh"

// One thread makes one number.
extern "C" __global__ void embedding_forward_v1_direct(const long long *rows, const float *w, float *y, long long count,
                                                       int columns) {
    long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x;
    if (i < count) y[i] = w[rows[i / columns] * columns + i % columns];
}

// One thread makes four neighbours of a row.
extern "C" __global__ void embedding_forward_v2_vector(const long long *rows, const float *w, float *y, long long count,
                                                       int columns) {
    long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x, fours = (columns + 3) / 4;
    long long n = i / fours, first = i % fours * 4, left = columns - first;
    if (n * columns >= count) return;
    write_four(y + n * columns + first, left, read_four(w + rows[n] * columns + first, left));
}

// The uses of row v are order[first[v]] to order[first[v + 1] - 1], in rising order.  One thread makes one number of
// dw; a row may have any number of uses, so the sum is made in double.
extern "C" __global__ void embedding_backward_v1_direct(const long long *order, const long long *first,
                                                        const float *dy, float *dw, long long count, int columns) {
    long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x;
    if (i >= count) return;
    long long v = i / columns, end = first[v + 1];
    double sum = 0;
    for (long long k = first[v]; k < end; k++) sum += dy[order[k] * columns + i % columns];
    dw[i] = float(sum);
}
