// channel_sum on a GPU: y[c] = sum over r of x[r,c], x (R,C).
//
// v3_chunks.  One idea: the rows are cut into chunks, so that many blocks read at once; the chunks' sums are added in
// order by a second launch.  A thread adds at most 128 numbers in float, whatever comes after is double.
// v4_vector.  The same with LANES channels a thread, which one access of 16 bytes reads.
//
// LANES comes from cuda_chunks.py, which asks _gpu/lanes.py.
#include "chunks.cuh"

extern "C" __global__ void __launch_bounds__(256)
    channel_sum_chunks(const float *x, double *sums, long long size, int width, int rows, int channels) {
    __shared__ Lanes<double> scratch[256];
    Part part = part_of(size, width, rows, channels);
    Vector sum = all_lanes(0.0f);
    each_of(part, x, [&](Vector value, int) { sum = sum + value; });
    Lanes<double> total = folded(doubles(sum), scratch, [](Lanes<double> a, Lanes<double> b) { return a + b; });
    if (part.writes) store(sums + part.result, total);
}

extern "C" __global__ void __launch_bounds__(1024)
    channel_sum_total(const double *sums, float *y, int rows, int channels) {
    __shared__ double scratch[1024];
    int c = blockIdx.x * 32 + threadIdx.x;
    double sum = column_total(sums, rows, channels, c, scratch);
    if (threadIdx.y == 0 && c < channels) y[c] = float(sum);
}
