// Threads, checksums, and what this build and machine are.
#include <pybind11/stl.h>

#include <string>
#include <vector>

#include "buffers.h"
#include "haagenti/base/executor.h"
#include "haagenti/base/simd.h"
#include "haagenti/base/xxh3.h"
#include "haagenti/bytecodec/byte_codec.h"
#include "module.h"

namespace haagenti::bindings {
namespace {

namespace py = pybind11;

std::uint64_t checksum(const py::object& data) {
  const HeldBuffer held = readable(data);
  const py::gil_scoped_release release;
  return xxh3_64(held.bytes());
}

constexpr py::ssize_t kMaxThreads = 4096;  // more is a mistake

void choose_threads(py::ssize_t n) {
  if (n < 0 || n > kMaxThreads) fail(ErrorKind::kInvalidArgument, "the number of threads is ", n, ", expected 0 (default) to ", kMaxThreads);
  set_num_threads(static_cast<std::size_t>(n));
}

py::dict build_info() {
  py::dict info;
  info["simd_target"] = simd_target();
  info["simd_targets"] = simd_targets();
  for (const ByteCodec& codec : byte_codec_table()) {
    if (!codec.functions.library.empty()) info[py::str(std::string(codec.functions.library))] = std::string(codec.functions.library_version);
  }
  info["xxhash"] = xxh3_library_version();
  info["highway"] = simd_library_version();
  info["compiler"] = std::string(__VERSION__);
  info["version"] = std::string(HAAGENTI_VERSION);
  return info;
}

}  // namespace

void bind_system(py::module_& module) {
  module.def("xxh3_64", &checksum, py::arg("data"), "XXH3-64, seed 0.");
  module.def("get_num_threads", &num_threads, "Threads that encoding and decoding use.");
  module.def("set_num_threads", &choose_threads, py::arg("n"), "Sets the number of threads; 0 restores the default.");
  module.def("set_default_num_threads", [](std::size_t n) { set_default_num_threads(n); }, py::arg("n"), "The default while set_num_threads was not called.");
  module.def("cpu_features", &build_info, "The instruction set chosen, those compiled, and library versions.");
  module.def("use_simd_target", &use_simd_target, py::arg("name"), "For tests: compute with one instruction set of simd_targets; an empty name lets the machine choose.");
}

}  // namespace haagenti::bindings
