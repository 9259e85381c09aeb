// The end of sums that were split: y = clip(the sum of its parts, in their order, + bias + residual).
#include "epilogue.cuh"

// parts (chunks, count), y (count), of which `pitch` numbers side by side are the channels.
extern "C" __global__ void conv2d_forward_chunks(const float *parts, const float *bias, const float *residual, float *y,
                                                 float low, float high, long long count, int chunks, int pitch) {
    const long long place = blockIdx.x * (long long)blockDim.x + threadIdx.x;
    if (place >= count) return;
    float sum = parts[place];
    for (int chunk = 1; chunk < chunks; chunk++) sum += parts[chunk * count + place];
    y[place] = finished(sum, bias, residual, place, place % pitch, low, high);
}
