// Pairs of kernels, as in races.cu: of threads that wait for each other at barriers and in operations of a warp.

extern "C" __global__ void one_barrier(float *x, int n) {
    if (threadIdx.x < 40) x[threadIdx.x] = 1;
    __syncthreads();
    x[threadIdx.x] += 1;
}

extern "C" __global__ void one_barrier_fault(float *x, int n) {
    if (threadIdx.x < 40) {
        x[threadIdx.x] = 1;
        __syncthreads();  // fault: barrier divergence: threads of one block wait at different barriers
    } else {
        __syncthreads();  // fault: barrier divergence: threads of one block wait at different barriers
    }
    x[threadIdx.x] += 1;
}

extern "C" __global__ void all_threads_stay(float *x, int n) {
    if (threadIdx.x < n - 1) x[threadIdx.x] = 1;
    __syncthreads();
}

extern "C" __global__ void all_threads_stay_fault(float *x, int n) {
    if (threadIdx.x >= n - 1) return;
    x[threadIdx.x] = 1;
    __syncthreads();  // fault: barrier divergence: 63 of 64 threads wait at a barrier, and the others have ended
}

extern "C" __global__ void barrier_or_shuffle(float *x, int n) {
    x[threadIdx.x] = __shfl_sync(0xffffffffu, x[threadIdx.x], 0);
    __syncthreads();
}

extern "C" __global__ void barrier_or_shuffle_fault(float *x, int n) {
    if (threadIdx.x % 32 < 8) __syncthreads();
    x[threadIdx.x] = __shfl_sync(0xffffffffu, x[threadIdx.x], 0);  // fault: which waits at a barrier
    if (threadIdx.x % 32 >= 8) __syncthreads();
}

// Whole warps leave together; those of the others name none of them.
extern "C" __global__ void ended_lane(float *x, int n) {
    if (threadIdx.x < 32) return;
    x[threadIdx.x] = __shfl_down_sync(0xffffffffu, x[threadIdx.x], 1);
}

extern "C" __global__ void ended_lane_fault(float *x, int n) {
    if (threadIdx.x % 32 == 5) return;
    x[threadIdx.x] = __shfl_down_sync(0xffffffffu, x[threadIdx.x], 1);  // fault: names lane 5, which has ended
}

extern "C" __global__ void mask_with_its_lane(float *x, int n) {
    unsigned odd = threadIdx.x % 2 ? 0xaaaaaaaau : 0x55555555u;
    x[threadIdx.x] = __shfl_xor_sync(odd, x[threadIdx.x], 2);
}

extern "C" __global__ void mask_with_its_lane_fault(float *x, int n) {
    unsigned odd = threadIdx.x % 2 ? 0xaaaaaaaau : 0x55555555u;
    x[threadIdx.x] = __shfl_xor_sync(~odd, x[threadIdx.x], 2);  // fault: of a __shfl_xor_sync leaves out lane
}

extern "C" __global__ void source_in_the_mask(float *x, int n) {
    if (threadIdx.x % 32 < 16) x[threadIdx.x] = __shfl_sync(0xffffu, x[threadIdx.x], 15);
}

extern "C" __global__ void source_in_the_mask_fault(float *x, int n) {
    if (threadIdx.x % 32 < 16)
        x[threadIdx.x] = __shfl_sync(0xffffu, x[threadIdx.x], 16);  // fault: reads a lane that is not in its mask
}

extern "C" __global__ void one_operation(float *x, int n) {
    int all = __all_sync(0xffffffffu, x[threadIdx.x] < 1), any = __any_sync(0xffffffffu, x[threadIdx.x] < 1);
    x[threadIdx.x] = threadIdx.x % 2 ? all : any;
}

extern "C" __global__ void one_operation_fault(float *x, int n) {
    int found;
    if (threadIdx.x % 2)
        found = __all_sync(0xffffffffu, x[threadIdx.x] < 1);  // fault: comes to a __all_sync, and lane
    else
        found = __any_sync(0xffffffffu, x[threadIdx.x] < 1);  // fault: comes to a __any_sync, and lane
    x[threadIdx.x] = found;
}

extern "C" __global__ void one_mask(float *x, int n) {
    unsigned mask = threadIdx.x % 32 < 8 ? 0xffu : 0xffffff00u;
    x[threadIdx.x] = __ballot_sync(mask, 1);
}

extern "C" __global__ void one_mask_fault(float *x, int n) {
    unsigned mask = threadIdx.x % 32 < 8 ? 0xffu : 0xffffffffu;
    x[threadIdx.x] = __ballot_sync(mask, 1);  // fault:
}

extern "C" __global__ void lanes_of_the_block(float *x, int n) {
    unsigned mask = threadIdx.x < 32 ? 0xffffffffu : 0xffffu;
    x[threadIdx.x] = __ballot_sync(mask, 1);
}

extern "C" __global__ void lanes_of_the_block_fault(float *x, int n) {
    x[threadIdx.x] = __ballot_sync(0xffffffffu, 1);  // fault: names lane 16, which is beyond the block
}

extern "C" __global__ void power_of_two(float *x, int n) {
    x[threadIdx.x] = __shfl_up_sync(0xffffffffu, x[threadIdx.x], 1, 16);
}

extern "C" __global__ void power_of_two_fault(float *x, int n) {
    x[threadIdx.x] = __shfl_up_sync(0xffffffffu, x[threadIdx.x], 1, 12);  // fault: width is no power of two
}

extern "C" __global__ void trap(float *x, int n) {
    if (n < 0) __trap();
}

extern "C" __global__ void trap_fault(float *x, int n) {
    if (n > 0) __trap();  // fault: __trap()
}
