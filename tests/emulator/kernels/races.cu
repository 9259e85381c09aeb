// Pairs of kernels: X, and X_fault with one fault planted.  A line that the checker may name says what it must say of
// it.

// The tiles of x, one after another through the same shared memory.
extern "C" __global__ void removed_barrier(float *x, int n) {
    __shared__ float tile[64];
    for (int start = 0; start < n; start += 32) {
        tile[threadIdx.x] = x[start + threadIdx.x % 32];
        __syncthreads();
        if (threadIdx.x < 32) x[start + threadIdx.x] = tile[63 - threadIdx.x];
        __syncthreads();
    }
}

extern "C" __global__ void removed_barrier_fault(float *x, int n) {
    __shared__ float tile[64];
    for (int start = 0; start < n; start += 32) {
        tile[threadIdx.x] = x[start + threadIdx.x % 32];  // fault: race: write of shared memory
        __syncthreads();
        if (threadIdx.x < 32) x[start + threadIdx.x] = tile[63 - threadIdx.x];  // fault: race: read of shared memory
    }
}

extern "C" __global__ void shared_race(float *x, int n) {
    __shared__ float first;
    if (threadIdx.x == 0) first = x[0];
    __syncthreads();
    x[threadIdx.x] = first;
}

extern "C" __global__ void shared_race_fault(float *x, int n) {
    __shared__ float first;
    first = x[threadIdx.x];  // fault: race: write of shared memory
    __syncthreads();
    x[threadIdx.x] = first;
}

static __device__ float block_sum(float value, float *scratch) {
    for (int step = 16; step; step /= 2) value += __shfl_xor_sync(0xffffffffu, value, step);
    if (threadIdx.x % 32 == 0) scratch[threadIdx.x / 32] = value;
    __syncthreads();
    value = scratch[0] + scratch[1];
    __syncthreads();
    return value;
}

static __device__ float block_sum_without_a_barrier_at_its_end(float value, float *scratch) {
    for (int step = 16; step; step /= 2) value += __shfl_xor_sync(0xffffffffu, value, step);
    if (threadIdx.x % 32 == 0) scratch[threadIdx.x / 32] = value;  // fault: race: write of shared memory
    __syncthreads();
    return scratch[0] + scratch[1];  // fault: race: read of shared memory
}

extern "C" __global__ void reused_scratch(float *x, int n) {
    __shared__ float scratch[2];
    float sum = block_sum(x[threadIdx.x], scratch), squares = block_sum(x[threadIdx.x] * x[threadIdx.x], scratch);
    x[threadIdx.x] = squares / n - sum / n * (sum / n);
}

extern "C" __global__ void reused_scratch_fault(float *x, int n) {
    __shared__ float scratch[2];
    float sum = block_sum_without_a_barrier_at_its_end(x[threadIdx.x], scratch);
    float squares = block_sum_without_a_barrier_at_its_end(x[threadIdx.x] * x[threadIdx.x], scratch);
    x[threadIdx.x] = squares / n - sum / n * (sum / n);
}

extern "C" __global__ void plain_sum(float *x, int n) { atomicAdd(&x[threadIdx.x % 4], 1); }

extern "C" __global__ void plain_sum_fault(float *x, int n) {
    x[threadIdx.x % 4] += 1;  // fault: race: read of argument 0
}

extern "C" __global__ void plain_sum_of_blocks(float *x, int n) {
    if (threadIdx.x == 0) atomicAdd(&x[0], 1);
}

extern "C" __global__ void plain_sum_of_blocks_fault(float *x, int n) {
    if (threadIdx.x == 0) x[0] += 1;  // fault: race: read of argument 0
}

extern "C" __global__ void missing_syncwarp(float *x, int n) {
    __shared__ float s[64];
    int warp = threadIdx.x / 32 * 32, lane = threadIdx.x % 32;
    s[threadIdx.x] = x[threadIdx.x];
    __syncwarp();
    float left = s[warp + (lane + 31) % 32];
    __syncwarp();
    s[threadIdx.x] = left;
    x[threadIdx.x] = s[threadIdx.x];
}

extern "C" __global__ void missing_syncwarp_fault(float *x, int n) {
    __shared__ float s[64];
    int warp = threadIdx.x / 32 * 32, lane = threadIdx.x % 32;
    s[threadIdx.x] = x[threadIdx.x];
    __syncwarp();
    float left = s[warp + (lane + 31) % 32];  // fault: race: read of shared memory
    s[threadIdx.x] = left;                    // fault: race: write of shared memory
    x[threadIdx.x] = s[threadIdx.x];
}

// A shuffle waits for the other lanes, and says nothing of memory.
extern "C" __global__ void shuffle_for_syncwarp(float *x, int n) {
    __shared__ float s[64];
    s[threadIdx.x] = x[threadIdx.x];
    __syncwarp();
    x[threadIdx.x] = s[threadIdx.x ^ 1];
}

extern "C" __global__ void shuffle_for_syncwarp_fault(float *x, int n) {
    __shared__ float s[64];
    s[threadIdx.x] = x[threadIdx.x];
    __shfl_xor_sync(0xffffffffu, 1, 1);
    x[threadIdx.x] = s[threadIdx.x ^ 1];  // fault: race: read of shared memory
}

// Halves of a warp wait each for itself, and then for both.
extern "C" __global__ void syncwarp_of_a_half(float *x, int n) {
    __shared__ float s[64];
    unsigned half = threadIdx.x % 32 < 16 ? 0x0000ffffu : 0xffff0000u;
    for (int i = 0; i < (half & 1 ? 3 : 1); i++) {
        s[threadIdx.x] = x[threadIdx.x] + i;
        __syncwarp(half);
    }
    __syncwarp();
    x[threadIdx.x] = s[threadIdx.x ^ 16];
}

extern "C" __global__ void syncwarp_of_a_half_fault(float *x, int n) {
    __shared__ float s[64];
    unsigned half = threadIdx.x % 32 < 16 ? 0x0000ffffu : 0xffff0000u;
    for (int i = 0; i < (half & 1 ? 3 : 1); i++) {
        s[threadIdx.x] = x[threadIdx.x] + i;  // fault: race: write of shared memory
        __syncwarp(half);
    }
    x[threadIdx.x] = s[threadIdx.x ^ 16];  // fault: race: read of shared memory
}

extern "C" __global__ void read_of_an_atomic(float *x, int n) {
    __shared__ int count;
    if (threadIdx.x == 0) count = 0;
    __syncthreads();
    atomicAdd(&count, 1);
    __syncthreads();
    x[threadIdx.x] = count;
}

extern "C" __global__ void read_of_an_atomic_fault(float *x, int n) {
    __shared__ int count;
    if (threadIdx.x == 0) count = 0;
    __syncthreads();
    atomicAdd(&count, 1);    // fault: race: write of shared memory
    x[threadIdx.x] = count;  // fault: race: read of shared memory
}

extern "C" __global__ void atomic_after_a_write(float *x, int n) {
    __shared__ int count;
    if (threadIdx.x == 0) count = 0;
    __syncthreads();
    if (threadIdx.x == n / 2) atomicAdd(&count, 1);
}

extern "C" __global__ void atomic_after_a_write_fault(float *x, int n) {
    __shared__ int count;
    if (threadIdx.x == 1) count = 0;
    __syncthreads();
    if (threadIdx.x == 0) count = 1;                  // fault: race: write of shared memory
    if (threadIdx.x == n / 2) atomicExch(&count, 1);  // fault: race: write of shared memory
}

// Two numbers of 16 bits lie in four bytes, and are of two threads.
extern "C" __global__ void numbers_of_16_bits(float *x, int n) {
    unsigned short *y = (unsigned short *)x;
    y[threadIdx.x] = threadIdx.x;
    y[threadIdx.x] += 1;
}

extern "C" __global__ void numbers_of_16_bits_fault(float *x, int n) {
    unsigned short *y = (unsigned short *)x;
    y[threadIdx.x] = threadIdx.x;  // fault: race: write of argument 0
    y[threadIdx.x + 1] += 1;       // fault: race: read of argument 0
}
