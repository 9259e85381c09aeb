// Four numbers side by side, read and written at once where VECTOR is 4: then all rows begin on 16 bytes.
#pragma once

static __device__ __forceinline__ float4 four_zeros() { return make_float4(0, 0, 0, 0); }

// Up to four numbers side by side, zeros after the first `left`.
static __device__ __forceinline__ float4 four_of(const float *from, int left) {
#if VECTOR == 4
    return left > 0 ? *(const float4 *)from : four_zeros();
#else
    return make_float4(left > 0 ? from[0] : 0, left > 1 ? from[1] : 0, left > 2 ? from[2] : 0, left > 3 ? from[3] : 0);
#endif
}

// to[0] to to[3], of which the first `left` are there.
static __device__ __forceinline__ void put_four(float *to, float4 four, int left) {
#if VECTOR == 4
    if (left > 0) *(float4 *)to = four;
#else
    if (left > 0) to[0] = four.x;
    if (left > 1) to[1] = four.y;
    if (left > 2) to[2] = four.z;
    if (left > 3) to[3] = four.w;
#endif
}
