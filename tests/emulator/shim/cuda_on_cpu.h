// The CUDA language for a host compiler: included in front of an unmodified .cu file, which g++ then compiles.
//
// One operating system thread executes one block at a time; the threads of the block are fibers that are switched
// where they wait for each other, so that barriers and warp operations do what they do on a GPU (runtime.cpp).
//
// A kernel file keeps to this, and runs here and on a GPU alike:
//   * kernels are  extern "C" __global__ void name(...),  their variants made by -D macros
//   * dynamic shared memory is declared by  DYNAMIC_SHARED(type, name);
//   * PTX stands in kernels/include/ptx.cuh alone, of which ptx.cuh in this folder is the twin
//   * no __shared__ array inside a template: g++ drops its section there, and the checker would not see it (build.py
//     refuses such a file)
#pragma once
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>  // printf, which a GPU has too
#include <cstring>
#include <type_traits>
#include <utility>

#define __CUDA_ARCH__ 900  // without what sm_90a alone has
#define __global__ __attribute__((noinline))
#define __device__
#define __host__
#define __constant__ static
#define __forceinline__ inline __attribute__((always_inline))
#define __noinline__ __attribute__((noinline))
#define __launch_bounds__(...)
#define __align__(n) __attribute__((aligned(n)))
#ifdef EMULATOR_ASAN
#define __shared__ static  // AddressSanitizer puts a red zone around each array
#else
#define __shared__ static __attribute__((section("emulated_shared"), aligned(16)))  // one place to poison and to watch
#endif
#define UNWATCHED __attribute__((no_sanitize("thread")))

#include "vectors.h"

#include "runtime.h"

#include "intrinsics.h"

#include "warp.h"

#include "atomics.h"

#include "ptx.cuh"

#include "entry.h"
