// HGT_HD: marks a function that means the same on the host and on a GPU.
// Not responsible for anything else: no other macro of the project lives here.
#pragma once

#if defined(__CUDACC__)
#define HGT_HD __host__ __device__ __forceinline__
#else
#define HGT_HD inline
#endif
