// HGT_HD: marks a function that means the same on the host and on a GPU. HGT_UNROLL(n): unrolls the loop after it n times, on either.
// Not responsible for anything else: no other macro of the project lives here.
#pragma once

#if defined(__CUDACC__)
#define HGT_HD __host__ __device__ __forceinline__
#else
#define HGT_HD inline
#endif

#define HGT_PRAGMA(text) _Pragma(#text)
#if defined(__CUDACC__)
#define HGT_UNROLL(n) HGT_PRAGMA(unroll n)
#elif defined(__clang__)
#define HGT_UNROLL(n) HGT_PRAGMA(clang loop unroll_count(n))
#else
#define HGT_UNROLL(n) HGT_PRAGMA(GCC unroll n)
#endif
