// Faults for AddressSanitizer and UndefinedBehaviorSanitizer: two arrays of shared memory, and a pointer into the
// first.

static __device__ void fill(float *to, int count) {
    for (int i = threadIdx.x; i < count; i += blockDim.x) to[i] = 1;
}

// Right for n = 64; one more lands in a neighbour, which is the block's own memory.
extern "C" __global__ void neighbours(float *x, int n) {
    __shared__ float first[64], second[64];
    fill(first, n);
    fill(second, n);
    __syncthreads();
    x[threadIdx.x] = first[threadIdx.x] + second[threadIdx.x];
}

extern "C" __global__ void global_array(float *x, int n) { fill(x, n); }

extern "C" __global__ void vector_at(float *x, int i) { *(float4 *)&x[i] = make_float4(1, 2, 3, 4); }

// Everything that makes the sanitizer follow the stacks of threads: barriers, shuffles, arrays of a thread's own.
extern "C" __global__ void long_way(float *x, int n) {
    __shared__ float sums[2];
    volatile float mine[16];
    for (int i = 0; i < 16; i++) mine[i] = x[threadIdx.x] + i;
    float sum = mine[n % 16];
    for (int step = 16; step; step /= 2) sum += __shfl_xor_sync(0xffffffffu, sum, step);
    if (threadIdx.x % 32 == 0) sums[threadIdx.x / 32] = sum;
    __syncthreads();
    x[threadIdx.x] = sums[1 - threadIdx.x / 32];
}
