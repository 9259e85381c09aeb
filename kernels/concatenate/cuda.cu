// concatenate on a GPU: arrays (R,width) side by side in y (R,pitch), each from its own column `first` on.
//
// Everything from the axis on is a row: along the channels of (N,H,W,C) a row is a pixel, along the images all.
//
// v1_direct.  One thread copies one number.
// v2_vector.  One idea: a thread copies four neighbours of a row, which one access of 16 bytes reads or writes where
// the row allows it (four.cuh).
#include "four.cuh"

extern "C" __global__ void concatenate_forward_v1_direct(const float *x, float *y, long long count, long long width,
                                                         long long pitch, long long first) {
    long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x;
    if (i < count) y[i / width * pitch + first + i % width] = x[i];
}

extern "C" __global__ void concatenate_backward_v1_direct(const float *dy, float *piece, long long count,
                                                          long long width, long long pitch, long long first) {
    long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x;
    if (i < count) piece[i] = dy[i / width * pitch + first + i % width];
}

extern "C" __global__ void concatenate_forward_v2_vector(const float *x, float *y, long long count, long long width,
                                                         long long pitch, long long first) {
    long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x, fours = (width + 3) / 4;
    long long row = i / fours, k = i % fours * 4;
    if (row * width < count)
        write_four(y + row * pitch + first + k, width - k, read_four(x + row * width + k, width - k));
}

extern "C" __global__ void concatenate_backward_v2_vector(const float *dy, float *piece, long long count,
                                                          long long width, long long pitch, long long first) {
    long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x, fours = (width + 3) / 4;
    long long row = i / fours, k = i % fours * 4;
    if (row * width < count)
        write_four(piece + row * width + k, width - k, read_four(dy + row * pitch + first + k, width - k));
}
