// The weight gradient of conv2d on a GPU: a sum over all pixels of all images for each weight.
//
//     dw[a,b,c,f] = sum over n,i,j of  x[n, i sh - top + a dh, j sw - left + b dw, c] * dy[n,i,j,f]
//
// x (N,H,W,C), dy (N,OH,OW,F), dw (KH,KW,C/groups,F); positions outside the image add nothing.  There are few weights
// and many pixels: the N OH rows of dy are cut into chunks, whose number depends on the shapes alone, and every chunk
// makes a dw of its own.  Added in order they give the same bits in every run, which atomics would not.
// `channels` and `filters` are those of one group.

// parts (chunks,KH,KW,C/groups,F): one thread for one number of one chunk, neighbouring threads neighbouring filters.
// A row of dy is summed before it is added to the rest: rounding errors grow with the terms of one sum.
extern "C" __global__ void conv2d_backward_weights_v1_direct(
    const float *x, const float *dy, float *parts, long long count, int rows, int chunk_rows, int height, int width,
    int channels, int out_height, int out_width, int filters, int taps_h, int taps_w, int step_h, int step_w, int top,
    int left, int gap_h, int gap_w, int groups) {
    long long place = blockIdx.x * (long long)blockDim.x + threadIdx.x;
    if (place >= count) return;
    int x_pitch = channels * groups, y_pitch = filters * groups;
    int f = place % y_pitch, c = place / y_pitch % channels;
    int b = place / y_pitch / channels % taps_w, a = place / y_pitch / channels / taps_w % taps_h;
    int first = place / y_pitch / channels / taps_w / taps_h * chunk_rows;
    float sum = 0;
    for (int row = first; row < min(first + chunk_rows, rows); row++) {
        int image_row = row % out_height * step_h - top + a * gap_h;
        if (image_row < 0 || image_row >= height) continue;
        const float *pixels = x + ((long long)(row / out_height) * height + image_row) * width * x_pitch
                            + f / filters * channels + c;
        const float *gradients = dy + (long long)row * out_width * y_pitch + f;
        float row_sum = 0;
        for (int j = 0; j < out_width; j++) {
            int column = j * step_w - left + b * gap_w;
            if (column >= 0 && column < width) row_sum += pixels[column * x_pitch] * gradients[j * y_pitch];
        }
        sum += row_sum;
    }
    parts[place] = sum;
}

// dw (count) = the sum of parts (chunks,count), in their order; there are so many chunks that they would lose bits in a
// float.
extern "C" __global__ void conv2d_backward_weights_sum(const float *parts, float *dw, long long count, int chunks) {
    long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x;
    if (i >= count) return;
    double sum = 0;
    for (int chunk = 0; chunk < chunks; chunk++) sum += parts[chunk * count + i];
    dw[i] = float(sum);
}
