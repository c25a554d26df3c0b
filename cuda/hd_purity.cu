// Compiles every header of haagenti/hd/ for host and device, which proves that no function there calls host-only code.
// Not responsible for results: tests/cpp runs the same functions on the CPU.
//
// hd_headers.inc is written by CMake: one #include for each header of cpp/include/haagenti/hd/.
#include "hd_headers.inc"
