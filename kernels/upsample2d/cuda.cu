// upsample2d on a GPU: y[n,i,j,c] = sum over p,q of  h[i,p] w[j,q] x[n,p,q,c],  x (N,H,W,C), y (N,H fh,W fw,C).
//
// The centre of output i lies at (i + 1/2) / f - 1/2 between those of the inputs: a whole number of 2f-th parts, so
// that the weights of the two inputs beside it are one division each, and no digit is lost however long the axis is.
#include "four.cuh"

// How much output i along an axis of `size` inputs sees of input p.
static __device__ __forceinline__ float weight_of(int i, int p, int size, int factor, int bilinear) {
    if (!bilinear) return i / factor == p;
    int centre = min(max(2 * i + 1 - factor, 0), 2 * factor * (size - 1));  // in 2f-th parts
    return max(2 * factor - abs(centre - 2 * factor * p), 0) / (2.0f * factor);
}

// The input before the centre of output i, or where that is.
static __device__ __forceinline__ int input_before(int i, int factor, int bilinear) {
    return bilinear ? max(2 * i + 1 - factor, 0) / (2 * factor) : i / factor;
}

// One thread makes one number, of at most four of x.
extern "C" __global__ void upsample2d_forward_v1_direct(const float *x, float *y, long long count, int height,
                                                        int width, int channels, int factor_h, int factor_w,
                                                        int bilinear) {
    long long index = blockIdx.x * (long long)blockDim.x + threadIdx.x;
    if (index >= count) return;
    int out_height = height * factor_h, out_width = width * factor_w;
    int c = index % channels, j = index / channels % out_width, i = index / channels / out_width % out_height;
    const float *image = x + index / channels / out_width / out_height * height * width * channels + c;
    int p0 = input_before(i, factor_h, bilinear), q0 = input_before(j, factor_w, bilinear);
    float sum = 0;
    for (int p = p0; p <= min(p0 + bilinear, height - 1); p++) {
        float weight = weight_of(i, p, height, factor_h, bilinear), row = 0;
        for (int q = q0; weight != 0 && q <= min(q0 + bilinear, width - 1); q++) {
            float part = weight_of(j, q, width, factor_w, bilinear);
            if (part != 0) row += part * image[(p * width + q) * channels];
        }
        sum += weight * row;
    }
    y[index] = sum;
}

// dx (N,H,W,C): every input gathers dy (N,H fh,W fw,C) of the outputs that see it, in their order.
extern "C" __global__ void upsample2d_backward_v1_direct(const float *dy, float *dx, long long count, int height,
                                                         int width, int channels, int factor_h, int factor_w,
                                                         int bilinear) {
    long long index = blockIdx.x * (long long)blockDim.x + threadIdx.x;
    if (index >= count) return;
    int out_height = height * factor_h, out_width = width * factor_w;
    int c = index % channels, q = index / channels % width, p = index / channels / width % height;
    const float *image = dy + index / channels / width / height * out_height * out_width * channels + c;
    int beyond_h = bilinear * factor_h, beyond_w = bilinear * factor_w;
    float sum = 0;
    for (int i = max(p * factor_h - beyond_h, 0); i < min((p + 1) * factor_h + beyond_h, out_height); i++) {
        float weight = weight_of(i, p, height, factor_h, bilinear), row = 0;
        for (int j = max(q * factor_w - beyond_w, 0); j < min((q + 1) * factor_w + beyond_w, out_width); j++) {
            float part = weight_of(j, q, width, factor_w, bilinear);
            if (weight != 0 && part != 0) row += part * image[(i * out_width + j) * channels];
        }
        sum += weight * row;
    }
    dx[index] = sum;
}

// sum += weight * four, number by number.
static __device__ __forceinline__ void add_four(Four &sum, float weight, const Four &four) {
#pragma unroll
    for (int k = 0; k < 4; k++) sum.at[k] += weight * four.at[k];
}

// One thread makes four neighbouring channels of a pixel, by accesses of 16 bytes (four.cuh), and computes the weights
// once for them.
extern "C" __global__ void upsample2d_forward_v3_vector(const float *x, float *y, long long count, int height,
                                                        int width, int channels, int factor_h, int factor_w,
                                                        int bilinear) {
    long long index = blockIdx.x * (long long)blockDim.x + threadIdx.x;
    int fours = (channels + 3) / 4, c = index % fours * 4, out_height = height * factor_h, out_width = width * factor_w;
    long long pixel = index / fours;
    if (pixel * channels >= count) return;
    int j = pixel % out_width, i = pixel / out_width % out_height;
    const float *image = x + pixel / out_width / out_height * height * width * channels + c;
    int p0 = input_before(i, factor_h, bilinear), q0 = input_before(j, factor_w, bilinear);
    Four sum = {};
    for (int p = p0; p <= min(p0 + bilinear, height - 1); p++) {
        float weight = weight_of(i, p, height, factor_h, bilinear);
        Four row = {};
        for (int q = q0; weight != 0 && q <= min(q0 + bilinear, width - 1); q++) {
            float part = weight_of(j, q, width, factor_w, bilinear);
            if (part != 0) add_four(row, part, read_four(image + (p * width + q) * channels, channels - c));
        }
        add_four(sum, weight, row);
    }
    write_four(y + pixel * channels + c, channels - c, sum);
}

// dx likewise: four neighbouring channels a thread.
extern "C" __global__ void upsample2d_backward_v3_vector(const float *dy, float *dx, long long count, int height,
                                                         int width, int channels, int factor_h, int factor_w,
                                                         int bilinear) {
    long long index = blockIdx.x * (long long)blockDim.x + threadIdx.x;
    int fours = (channels + 3) / 4, c = index % fours * 4, out_height = height * factor_h, out_width = width * factor_w;
    long long pixel = index / fours;
    if (pixel * channels >= count) return;
    int q = pixel % width, p = pixel / width % height, beyond_h = bilinear * factor_h, beyond_w = bilinear * factor_w;
    const float *image = dy + pixel / width / height * out_height * out_width * channels + c;
    Four sum = {};
    for (int i = max(p * factor_h - beyond_h, 0); i < min((p + 1) * factor_h + beyond_h, out_height); i++) {
        float weight = weight_of(i, p, height, factor_h, bilinear);
        Four row = {};
        for (int j = max(q * factor_w - beyond_w, 0); j < min((q + 1) * factor_w + beyond_w, out_width); j++) {
            float part = weight_of(j, q, width, factor_w, bilinear);
            if (weight != 0 && part != 0)
                add_four(row, part, read_four(image + (i * out_width + j) * channels, channels - c));
        }
        add_four(sum, weight, row);
    }
    write_four(dx + pixel * channels + c, channels - c, sum);
}
