// What CUDA's language gives a kernel, each in one kernel whose result NumPy knows.
#include "ptx.cuh"

// For thread (x,y,z) of block (x,y,z): its own numbers and the sizes, at its place in the whole grid.
extern "C" __global__ void places(int *found) {
    int block = blockIdx.x + gridDim.x * (blockIdx.y + gridDim.y * blockIdx.z);
    int thread = threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z);
    int *mine = found + 12 * (block * blockDim.x * blockDim.y * blockDim.z + thread);
    uint3 numbers[] = {threadIdx, blockIdx};
    for (uint3 number : numbers) {
        *mine++ = number.x;
        *mine++ = number.y;
        *mine++ = number.z;
    }
    dim3 sizes[] = {blockDim, gridDim};
    for (dim3 size : sizes) {
        *mine++ = size.x;
        *mine++ = size.y;
        *mine++ = size.z;
    }
}

// counts[t] (3): of all threads' predicates the count, whether any holds, whether all do; between them plain barriers.
extern "C" __global__ void counted_barriers(const int *predicates, int *counts) {
    int mine = predicates[threadIdx.x];
    counts[3 * threadIdx.x] = __syncthreads_count(mine);
    __syncthreads();
    counts[3 * threadIdx.x + 1] = __syncthreads_or(mine);
    counts[3 * threadIdx.x + 2] = __syncthreads_and(mine);
}

extern "C" __global__ void shuffles(const float *x, float *y, int argument, int width) {
    int count = blockDim.x, i = threadIdx.x;
    y[i] = __shfl_sync(0xffffffffu, x[i], argument, width);
    y[count + i] = __shfl_xor_sync(0xffffffffu, x[i], argument, width);
    y[2 * count + i] = __shfl_up_sync(0xffffffffu, x[i], argument, width);
    y[3 * count + i] = __shfl_down_sync(0xffffffffu, x[i], argument, width);
}

// A lane of each its own: every lane reads where its number of x says.
extern "C" __global__ void gathered(const int *from, const double *x, double *y) {
    y[threadIdx.x] = __shfl_sync(0xffffffffu, x[threadIdx.x], from[threadIdx.x]);
}

extern "C" __global__ void votes(const int *predicates, unsigned *found) {
    int i = threadIdx.x;
    unsigned mask = 0;
    for (int lane = 0; lane < 32; lane++) mask |= unsigned(lane % 3 == i % 32 % 3) << lane;
    found[3 * i] = __ballot_sync(mask, predicates[i]);
    found[3 * i + 1] = __any_sync(mask, predicates[i]);
    found[3 * i + 2] = __all_sync(mask, predicates[i]);
}

// All threads of all blocks change the same numbers; old (N,6) are what they found there.
extern "C" __global__ void integer_atomics(const int *x, int *totals, int *old, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    int *mine = old + 7 * i;
    mine[0] = atomicAdd(&totals[0], x[i]);
    mine[1] = atomicSub(&totals[1], x[i]);
    mine[2] = atomicMax(&totals[2], x[i]);
    mine[3] = atomicMin(&totals[3], x[i]);
    mine[4] = atomicOr(&totals[4], x[i]);
    mine[5] = atomicAnd(&totals[5], x[i]);
    mine[6] = atomicXor(&totals[6], x[i]);
}

extern "C" __global__ void other_atomics(const float *x, float *sums, double *precise, long long *counts,
                                         int *chain, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    atomicAdd(&sums[i % 3], x[i]);
    atomicAdd(&precise[i % 3], x[i]);
    atomicAdd((unsigned long long *)&counts[i % 3], 1);
    chain[i + 1] = atomicExch(&chain[0], i);  // each finds the one before it
}

// The largest float, by what is the way where there is no atomicMax of floats.
extern "C" __global__ void compare_and_swap(const float *x, int *largest, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    int seen = atomicOr(largest, 0);
    for (;;) {
        if (__int_as_float(seen) >= x[i]) return;
        int found = atomicCAS(largest, seen, __float_as_int(x[i]));
        if (found == seen) return;
        seen = found;
    }
}

// y (N,4) = x reversed in each group of four, by all sizes of vectors.
extern "C" __global__ void vectors(const float *x, float *y, const unsigned char *bytes, unsigned char *reversed) {
    int i = threadIdx.x;
    float4 v = ((const float4 *)x)[i];
    float2 low = make_float2(v.w, v.z);
    ((float2 *)y)[2 * i] = low;
    ((float2 *)y)[2 * i + 1] = {v.y, v.x};
    uchar4 b = ((const uchar4 *)bytes)[i];
    ((uchar4 *)reversed)[i] = make_uchar4(b.w, b.z, b.y, b.x);
}

// sizes (14): bytes and alignments of the vector types, which are those of nvcc.
extern "C" __global__ void layouts(int *sizes) {
    int found[] = {sizeof(float2),    alignof(float2),    sizeof(float3),  alignof(float3),
                   sizeof(float4),    alignof(float4),    sizeof(uchar4),  alignof(uchar4),
                   sizeof(ushort4),   alignof(ushort4),   sizeof(double2), alignof(double2),
                   sizeof(longlong4), alignof(longlong4)};
    for (int size : found) *sizes++ = size;
}

// A transposed tile by static shared memory, sums of its rows by dynamic shared memory.
extern "C" __global__ void tiles(const float *x, float *transposed, float *sums, int rows, int columns) {
    __shared__ float tile[8][8 + 1];
    DYNAMIC_SHARED(float, partial);
    int row = blockIdx.y * 8 + threadIdx.y, column = blockIdx.x * 8 + threadIdx.x;
    float value = row < rows && column < columns ? x[row * columns + column] : 0;
    tile[threadIdx.y][threadIdx.x] = value;
    partial[threadIdx.y * 8 + threadIdx.x] = value;
    __syncthreads();
    int from = blockIdx.x * 8 + threadIdx.y, to = blockIdx.y * 8 + threadIdx.x;
    if (from < columns && to < rows) transposed[from * rows + to] = tile[threadIdx.x][threadIdx.y];
    for (int step = 4; step; step /= 2) {
        if (threadIdx.x < step) partial[threadIdx.y * 8 + threadIdx.x] += partial[threadIdx.y * 8 + threadIdx.x + step];
        __syncthreads();
    }
    if (threadIdx.x == 0 && row < rows) sums[row * gridDim.x + blockIdx.x] = partial[threadIdx.y * 8];
}

extern "C" __global__ void dynamic_size(int *found, int count) {
    DYNAMIC_SHARED(double, memory);
    memory[count - 1] = count;
    *found = (int)memory[count - 1];
}

// y (K,N): functions of x.
extern "C" __global__ void functions(const float *x, float *y, int n) {
    int i = threadIdx.x;
    if (i >= n) return;
    float v = x[i];
    float all[] = {__expf(v), __logf(v), rsqrtf(v), __fdividef(1, v), __frcp_rn(v), __fsqrt_rn(v), __fadd_rn(v, 1),
                   __fmul_rn(v, v), __fsub_rn(v, 1), __fmaf_rn(v, v, 1), __fdiv_rn(v, 3), __powf(v, 1.5f),
                   (float)__float2int_rn(v), (float)__float2int_rd(v), min(v, 1.0f), max(v, 1.0f)};
    for (float value : all) {
        y[i] = value;
        y += n;
    }
}

extern "C" __global__ void bits(const int *x, unsigned *y, int n) {
    int i = threadIdx.x;
    if (i >= n) return;
    unsigned all[] = {(unsigned)__popc(x[i]), (unsigned)__clz(x[i]), (unsigned)__ffs(x[i]),
                      __umulhi(x[i], 0x9E3779B9u), (unsigned)min(x[i], 5), (unsigned)max(x[i], 5),
                      max(x[i], 7u), __float_as_uint(__uint_as_float(x[i]))};
    for (unsigned value : all) {
        y[i] = value;
        y += n;
    }
}

// A number of each type, as the host must give it.
extern "C" __global__ void numbers(int a, unsigned b, long long c, float d, double e, unsigned char f, unsigned short g,
                                   double *y) {
    double all[] = {(double)a, (double)b, (double)c, d, e, (double)f, (double)g};
    for (double value : all) *y++ = value;
}
