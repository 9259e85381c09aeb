// pad2d on a GPU: x (N,H,W,C) in the middle of y (N,top+H+bottom,left+W+right,C), `value` around it.

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
