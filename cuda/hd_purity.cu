// Compiles every header of haagenti/hd/ for host and device, which proves that no function there calls host-only code. Templates are
// instantiated below: unused ones are not compiled. Not responsible for results: tests/cpp runs the same functions on the CPU.
//
// hd_headers.inc is written by CMake: one #include for each header of cpp/include/haagenti/hd/.
#include "hd_headers.inc"

namespace haagenti::hd {

// A line a thread, in registers; 2 x 16 elements.
__global__ void dct_lines(const float* x, float* y, const float* factors, const float* plain) {
  float in[16], out[16];
  for (int i = 0; i < 16; ++i) in[i] = x[16 * threadIdx.x + i];
  dct2_line<16, true>(in, out, factors, plain);
  dct3_line<16>(out, in, factors, plain);
  for (int i = 0; i < 16; ++i) y[16 * threadIdx.x + i] = in[i];
}

__global__ void hadamard_pairs(float* x, unsigned seed) {
  if (hadamard_negates(seed, threadIdx.x)) x[threadIdx.x] = -x[threadIdx.x];
  hadamard_step(x[2 * threadIdx.x], x[2 * threadIdx.x + 1]);
}

}  // namespace haagenti::hd
