// A loop over memory that does not wait for one number before it asks for the next.
#pragma once

static const int AHEAD = 4;

// use(read(k), k) for k = 0 to count - 1 in order, of which AHEAD reads are under way together.
template <class Read, class Use> static __device__ __forceinline__ void read_ahead(int count, Read read, Use use) {
    int k = 0;
    for (; k + AHEAD <= count; k += AHEAD) {
        decltype(read(0)) values[AHEAD];
#pragma unroll
        for (int i = 0; i < AHEAD; i++) values[i] = read(k + i);
#pragma unroll
        for (int i = 0; i < AHEAD; i++) use(values[i], k + i);
    }
    for (; k < count; k++) use(read(k), k);
}
