// Arithmetic and bit intrinsics.  What NVRTC accepts and this lacks is a line more.
#pragma once
template <class T> static __forceinline__ T __ldg(const T *p) { return *p; }
template <class T> static __forceinline__ T __ldcg(const T *p) { return *p; }
template <class T> static __forceinline__ T __ldcs(const T *p) { return *p; }
template <class T> static __forceinline__ void __stcg(T *p, T v) { *p = v; }
template <class T> static __forceinline__ void __stcs(T *p, T v) { *p = v; }

#define __expf(x) expf(x)  // macros, since glibc has or may get functions of these names
#define __logf(x) logf(x)
#define __powf(x, y) powf(x, y)
#define rsqrtf(x) emulator::reciprocal_root(x)
#define __frsqrt_rn(x) emulator::reciprocal_root(x)
namespace emulator {
static inline float reciprocal_root(float x) { return float(1.0 / sqrt(double(x))); }
}  // namespace emulator
static inline float __fdividef(float a, float b) { return a / b; }
static inline float __fdiv_rn(float a, float b) { return a / b; }
static inline float __frcp_rn(float a) { return 1.0f / a; }
static inline float __fsqrt_rn(float a) { return sqrtf(a); }
static inline float __fmaf_rn(float a, float b, float c) { return fmaf(a, b, c); }
// Not to be fused with what stands around them, which is what kernels use them for.
static __noinline__ float __fadd_rn(float a, float b) { return a + b; }
static __noinline__ float __fsub_rn(float a, float b) { return a - b; }
static __noinline__ float __fmul_rn(float a, float b) { return a * b; }

template <class To, class From> static inline To same_bits(From from) {
    static_assert(sizeof(To) == sizeof(From));
    To to;
    memcpy(&to, &from, sizeof to);
    return to;
}
static inline int __float_as_int(float f) { return same_bits<int>(f); }
static inline unsigned __float_as_uint(float f) { return same_bits<unsigned>(f); }
static inline float __int_as_float(int i) { return same_bits<float>(i); }
static inline float __uint_as_float(unsigned i) { return same_bits<float>(i); }
static inline int __float2int_rn(float f) { return int(lrintf(f)); }
static inline int __float2int_rd(float f) { return int(floorf(f)); }

static inline int __popc(unsigned x) { return __builtin_popcount(x); }
static inline int __clz(int x) { return x ? __builtin_clz(unsigned(x)) : 32; }
static inline int __ffs(int x) { return __builtin_ffs(x); }
static inline unsigned __umulhi(unsigned a, unsigned b) { return unsigned((uint64_t(a) * b) >> 32); }
static __forceinline__ void __trap() { emulator_fail("__trap()"); }

// Of two types the larger; of floats the number where the other is NaN, as CUDA's overloads do.
template <class A, class B> static inline std::common_type_t<A, B> min(A a, B b) {
    using T = std::common_type_t<A, B>;
    if constexpr (std::is_floating_point_v<T>) return std::fmin(T(a), T(b));
    else return T(b) < T(a) ? T(b) : T(a);
}
template <class A, class B> static inline std::common_type_t<A, B> max(A a, B b) {
    using T = std::common_type_t<A, B>;
    if constexpr (std::is_floating_point_v<T>) return std::fmax(T(a), T(b));
    else return T(a) < T(b) ? T(b) : T(a);
}
