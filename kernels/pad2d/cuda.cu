// pad2d on a GPU: x (N,H,W,C) in the middle of y (N,top+H+bottom,left+W+right,C), `value` around it.
#include "four.cuh"

// One thread makes one number.
extern "C" __global__ void pad2d_forward_v1_direct(const float *x, float *y, float value, long long count, int height,
                                                   int width, int channels, int out_height, int out_width, int top,
                                                   int left) {
    long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x;
    if (i >= count) return;
    int c = i % channels, column = i / channels % out_width - left, row = i / channels / out_width % out_height - top;
    long long n = i / channels / out_width / out_height;
    bool inside = row >= 0 && row < height && column >= 0 && column < width;
    y[i] = inside ? x[((n * height + row) * width + column) * channels + c] : value;
}

// dx (N,H,W,C) = the middle of dy (N,top+H+bottom,left+W+right,C).
extern "C" __global__ void pad2d_backward_v1_direct(const float *dy, float *dx, long long count, int height, int width,
                                                    int channels, int out_height, int out_width, int top, int left) {
    long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x;
    if (i >= count) return;
    int c = i % channels, column = i / channels % width + left, row = i / channels / width % height + top;
    long long n = i / channels / width / height;
    dx[i] = dy[((n * out_height + row) * out_width + column) * channels + c];
}

// One thread makes four neighbouring channels of a pixel, by accesses of 16 bytes (four.cuh).
extern "C" __global__ void pad2d_forward_v2_vector(const float *x, float *y, float value, long long count, int height,
                                                   int width, int channels, int out_height, int out_width, int top,
                                                   int left) {
    long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x;
    int fours = (channels + 3) / 4, c = i % fours * 4;
    long long pixel = i / fours, n = pixel / out_width / out_height;
    if (pixel * channels >= count) return;
    int column = pixel % out_width - left, row = pixel / out_width % out_height - top;
    bool inside = row >= 0 && row < height && column >= 0 && column < width;
    Four four = {{value, value, value, value}};
    if (inside) four = read_four(x + ((n * height + row) * width + column) * channels + c, channels - c);
    write_four(y + pixel * channels + c, channels - c, four);
}

extern "C" __global__ void pad2d_backward_v2_vector(const float *dy, float *dx, long long count, int height, int width,
                                                    int channels, int out_height, int out_width, int top, int left) {
    long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x;
    int fours = (channels + 3) / 4, c = i % fours * 4;
    long long pixel = i / fours, n = pixel / width / height;
    if (pixel * channels >= count) return;
    int column = pixel % width + left, row = pixel / width % height + top;
    const float *from = dy + ((n * out_height + row) * out_width + column) * channels + c;
    write_four(dx + pixel * channels + c, channels - c, read_four(from, channels - c));
}
