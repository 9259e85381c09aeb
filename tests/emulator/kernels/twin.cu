// Every function of ptx.cuh, each in a kernel that shows what it does.
#include "ptx.cuh"

// y (5,N): the bits of x as TF32, as bfloat16 and as half; then of each pair with the negative number, x below.
extern "C" __global__ void conversions(const float *x, unsigned *y, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    y[i] = tf32_of_float(x[i]);
    y[n + i] = bfloat16_of_float(x[i]);
    y[2 * n + i] = half_of_float(x[i]);
    y[3 * n + i] = two_bfloat16(x[i], -x[i]);
    y[4 * n + i] = two_halves(x[i], -x[i]);
}

// y (2,65536): all bfloat16 and all half as floats.
extern "C" __global__ void all_of_16_bits(float *y) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    y[i] = float_of_bfloat16((unsigned short)i);
    y[65536 + i] = float_of_half((unsigned short)i);
}

// d (W,32,4) += a b of each warp, from the registers a (W,32,4) and b (W,32,2) of its lanes.
#define PRODUCT_OF_REGISTERS(name)                              \
    float mine[4];                                              \
    unsigned left[4], right[2];                                 \
    for (int k = 0; k < 4; k++) {                               \
        mine[k] = d[4 * threadIdx.x + k];                       \
        left[k] = a[4 * threadIdx.x + k];                       \
        right[k % 2] = b[2 * threadIdx.x + k % 2];              \
    }                                                           \
    name(mine, left, right);                                    \
    for (int k = 0; k < 4; k++) d[4 * threadIdx.x + k] = mine[k]

extern "C" __global__ void mma_tf32_of_registers(float *d, const unsigned *a, const unsigned *b) {
    PRODUCT_OF_REGISTERS(mma_tf32);
}

extern "C" __global__ void mma_bfloat16_of_registers(float *d, const unsigned *a, const unsigned *b) {
    PRODUCT_OF_REGISTERS(mma_bfloat16);
}

extern "C" __global__ void mma_half_of_registers(float *d, const unsigned *a, const unsigned *b) {
    PRODUCT_OF_REGISTERS(mma_half);
}

// d (2,32,4): four matrices (4,8,8) of 16 bits by ldmatrix, as they are and transposed.
extern "C" __global__ void matrices(const unsigned short *x, unsigned *d) {
    __shared__ __align__(16) unsigned short rows[32][8];
    for (int k = 0; k < 8; k++) rows[threadIdx.x][k] = x[8 * threadIdx.x + k];
    __syncthreads();
    unsigned found[4];
    ldmatrix_x4(found, rows[threadIdx.x]);
    for (int k = 0; k < 4; k++) d[4 * threadIdx.x + k] = found[k];
    ldmatrix_x4_trans(found, rows[threadIdx.x]);
    for (int k = 0; k < 4; k++) d[128 + 4 * threadIdx.x + k] = found[k];
}

// c (16,8) = a (16,16) b (16,8) of halves, as kernels do it: rows of a by ldmatrix, of b by its transposed form.
extern "C" __global__ void product_of_halves(const unsigned short *a, const unsigned short *b, float *c) {
    __shared__ __align__(16) unsigned short left[16][16], right[16][8];
    int lane = threadIdx.x;
    for (int i = lane; i < 256; i += 32) left[i / 16][i % 16] = a[i];
    for (int i = lane; i < 128; i += 32) right[i / 8][i % 8] = b[i];
    __syncthreads();
    unsigned of_a[4], of_b[4];
    ldmatrix_x4(of_a, &left[lane % 16][lane / 16 * 8]);
    ldmatrix_x4_trans(of_b, right[lane % 16]);
    float d[4] = {};
    unsigned two[2] = {of_b[0], of_b[1]};
    mma_half(d, of_a, two);
    for (int i = 0; i < 4; i++) c[(lane / 4 + 8 * (i / 2)) * 8 + 2 * (lane % 4) + i % 2] = d[i];
}

// y (4,N,4): groups of four floats, copied by 16, 8, 4 and again 16 bytes, of which the first bytes_from are taken.
extern "C" __global__ void copies(const float *x, float *y, int bytes_from, int n) {
    DYNAMIC_SHARED(float, memory);
    int i = threadIdx.x;
    float *one = memory + 4 * i, *two = memory + 4 * (n + i), *four = memory + 4 * (2 * n + i);
    float *cached = memory + 4 * (3 * n + i);
    copy_async(one, x + 4 * i, bytes_from);
    copy_async_cached(cached, x + 4 * i, bytes_from);
    copies_commit();
    for (int k = 0; k < 2; k++) copy_async_8(two + 2 * k, x + 4 * i + 2 * k, min(max(bytes_from - 8 * k, 0), 8));
    copies_commit();
    for (int k = 0; k < 4; k++) copy_async_4(four + k, x + 4 * i + k, min(max(bytes_from - 4 * k, 0), 4));
    copies_commit();
    copies_wait<2>();
    for (int k = 0; k < 4; k++) y[4 * i + k] = one[k];
    copies_wait<0>();
    for (int k = 0; k < 4; k++) {
        y[4 * (n + i) + k] = two[k];
        y[4 * (2 * n + i) + k] = four[k];
        y[4 * (3 * n + i) + k] = cached[k];
    }
}
