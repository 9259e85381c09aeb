// dense on a GPU, one idea: with a few rows of x the time goes into reading w, so every number of it is read once, 16
// bytes an access, and meets all the rows in registers.
//
//     y (R,O) = x (R,I) @ w (I,O)      dx (R,I) = dy (R,O) @ w (I,O) turned      dw (I,O) = x (R,I) turned @ dy (R,O)
//
// A block takes ROWS rows of x or dy; for more of them there are more blocks, which read w again.
//
// ROWS comes from cuda_stream.py.
#include "epilogue.cuh"
#include "four.cuh"

#ifndef ROWS
#define ROWS 4
#endif
#define WARPS 8                         // of a block of the forward product, which walk down w side by side
#define WIDTH 128                       // columns of w that a warp reads at once
#define SLICE 128                       // rows of w whose x lie in shared memory
#define AHEAD (ROWS > 4 ? 2 : 4)        // rows of w that a warp reads at once, as registers allow
#define TOGETHER (ROWS < 4 ? ROWS : 4)  // rows of y that a block adds up at once
#define HEIGHT 4                        // rows of w that a warp multiplies with the same numbers of dy
#define STRIP 8                         // rows of dw that a thread makes

// Whether rows of so many floats all begin on 16 bytes.
static __device__ __forceinline__ bool whole_rows(const float *matrix, int columns) {
    return columns % 4 == 0 && whole_four(matrix, 4);
}

// Four numbers of a row of which `left` remain.  That rows are WHOLE is known before the loops, so that several loads
// are on their way at a time, with no branch in between.
template <bool WHOLE> static __device__ __forceinline__ Four four_of_row(const float *row, int left) {
    if (!WHOLE) return read_four(row, left);
    const float4 four = left > 0 ? *reinterpret_cast<const float4 *>(row) : make_float4(0, 0, 0, 0);
    return {{four.x, four.y, four.z, four.w}};
}

// sums += x (ROWS,count) @ four columns of w (count,outputs), every WARPS-th row of it from this warp's on.
template <bool WHOLE>
static __device__ __forceinline__ void add_slice(const float (&xs)[SLICE][ROWS], const float *w, int outputs, int left,
                                                 int count, float (&sums)[ROWS][4]) {
#pragma unroll AHEAD
    for (int i = threadIdx.x / 32; i < count; i += WARPS) {
        const Four weights = four_of_row<WHOLE>(w + (long long)i * outputs, left);
#pragma unroll
        for (int r = 0; r < ROWS; r++)
#pragma unroll
            for (int q = 0; q < 4; q++) sums[r][q] += xs[i][r] * weights.at[q];
    }
}

// y = clip(x @ w + bias + residual, low, high) in parts (gridDim.y,R,O), of `chunk` rows of w each.  A thread holds the
// sums of four columns, over every WARPS-th row of w; those of all warps are added in their order.
extern "C" __global__ void __launch_bounds__(32 * WARPS, 2)
    dense_forward_v3_stream(const float *x, const float *w, const float *bias, const float *residual, float *y,
                            float low, float high, int rows, int inputs, int outputs, int chunk) {
    __shared__ float xs[SLICE][ROWS];
    __shared__ float parts[WARPS][TOGETHER][WIDTH];
    const int warp = threadIdx.x / 32, quad = threadIdx.x % 32 * 4, panels = (outputs + WIDTH - 1) / WIDTH;
    const int column0 = blockIdx.x % panels * WIDTH, row0 = blockIdx.x / panels * ROWS;
    const int first = blockIdx.y * chunk, last = min(first + chunk, inputs);
    const int left = outputs - column0 - quad;
    const bool whole = whole_rows(w, outputs);
    float sums[ROWS][4] = {};
    for (int slice = first; slice < last; slice += SLICE) {
        __syncthreads();
        for (int k = threadIdx.x; k < SLICE * ROWS; k += 32 * WARPS) {
            const int row = row0 + k % ROWS, i = slice + k / ROWS;
            xs[k / ROWS][k % ROWS] = row < rows && i < last ? x[(long long)row * inputs + i] : 0;
        }
        __syncthreads();
        const float *here = w + (long long)slice * outputs + column0 + quad;
        const int count = min(SLICE, last - slice);
        if (whole) add_slice<true>(xs, here, outputs, left, count, sums);
        else add_slice<false>(xs, here, outputs, left, count, sums);
    }
    y += (long long)blockIdx.y * rows * outputs;
#pragma unroll
    for (int r0 = 0; r0 < ROWS; r0 += TOGETHER) {
        __syncthreads();
#pragma unroll
        for (int r = 0; r < TOGETHER; r++)
#pragma unroll
            for (int q = 0; q < 4; q++) parts[warp][r][quad + q] = sums[r0 + r][q];
        __syncthreads();
        for (int k = threadIdx.x; k < TOGETHER * WIDTH; k += 32 * WARPS) {
            const int row = row0 + r0 + k / WIDTH, o = column0 + k % WIDTH;
            if (row >= rows || o >= outputs) continue;
            float sum = parts[0][k / WIDTH][k % WIDTH];
            for (int other = 1; other < WARPS; other++) sum += parts[other][k / WIDTH][k % WIDTH];
            const long long place = (long long)row * outputs + o;
            y[place] = finished(sum, bias, residual, place, o, low, high);
        }
    }
}

// sums += rows of w (high,outputs) times rows of dy (several,outputs), over every 32nd four of their numbers.
template <bool WHOLE>
static __device__ __forceinline__ void add_dots(const float *dy, const float *w, int several, int high, int outputs,
                                                float (&sums)[HEIGHT][ROWS]) {
    for (int o = threadIdx.x % 32 * 4; o < outputs; o += 128) {
        Four weights[HEIGHT];
#pragma unroll
        for (int h = 0; h < HEIGHT; h++)
            weights[h] = four_of_row<WHOLE>(w + (long long)h * outputs + o, h < high ? outputs - o : 0);
#pragma unroll
        for (int r = 0; r < ROWS; r++) {
            const Four gradients = four_of_row<WHOLE>(dy + (long long)r * outputs + o, r < several ? outputs - o : 0);
#pragma unroll
            for (int h = 0; h < HEIGHT; h++)
#pragma unroll
                for (int q = 0; q < 4; q++) sums[h][r] += gradients.at[q] * weights[h].at[q];
        }
    }
}

// dx[r,i] = the sum over o of dy[r,o] * w[i,o]: a warp walks along HEIGHT rows of w, four numbers of each a lane, and
// adds up its lanes' sums at the end.
extern "C" __global__ void __launch_bounds__(128, 4)
    dense_backward_input_v3_stream(const float *dy, const float *w, float *dx, int rows, int inputs, int outputs) {
    const int strips = (inputs + HEIGHT - 1) / HEIGHT, blocks = (strips + 3) / 4, lane = threadIdx.x % 32;
    const int i0 = (blockIdx.x % blocks * 4 + threadIdx.x / 32) * HEIGHT, row0 = blockIdx.x / blocks * ROWS;
    const float *gradients = dy + (long long)row0 * outputs, *weights = w + (long long)i0 * outputs;
    float sums[HEIGHT][ROWS] = {};
    if (whole_rows(w, outputs) && whole_rows(dy, outputs))
        add_dots<true>(gradients, weights, rows - row0, inputs - i0, outputs, sums);
    else add_dots<false>(gradients, weights, rows - row0, inputs - i0, outputs, sums);
#pragma unroll
    for (int h = 0; h < HEIGHT; h++)
#pragma unroll
        for (int r = 0; r < ROWS; r++) {
            float sum = sums[h][r];
#pragma unroll
            for (int apart = 16; apart; apart /= 2) sum += __shfl_xor_sync(0xffffffffu, sum, apart);
            if (lane == (h * ROWS + r) % 32 && i0 + h < inputs && row0 + r < rows)
                dx[(long long)(row0 + r) * inputs + i0 + h] = sum;
        }
}

// dw[i,o] = the sum over r of x[r,i] * dy[r,o]: a thread makes four columns of STRIP rows, and they are written once.
extern "C" __global__ void __launch_bounds__(128)
    dense_backward_weights_v3_stream(const float *x, const float *dy, float *dw, int rows, int inputs, int outputs) {
    const int i0 = blockIdx.x * STRIP, o = (blockIdx.y * 128 + threadIdx.x) * 4;
    if (o >= outputs) return;
    float sums[STRIP][4] = {};
    for (int r = 0; r < rows; r++) {
        const Four gradients = read_four(dy + (long long)r * outputs + o, outputs - o);
        const float *values = x + (long long)r * inputs + i0;
#pragma unroll
        for (int h = 0; h < STRIP; h++) {
            const float value = i0 + h < inputs ? values[h] : 0;
#pragma unroll
            for (int q = 0; q < 4; q++) sums[h][q] += value * gradients.at[q];
        }
    }
#pragma unroll
    for (int h = 0; h < STRIP; h++)
        if (i0 + h < inputs)
            write_four(dw + (long long)(i0 + h) * outputs + o, outputs - o,
                       {{sums[h][0], sums[h][1], sums[h][2], sums[h][3]}});
}
