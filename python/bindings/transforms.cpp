// Transforms over numpy arrays that are C-contiguous: sizes in, results out.
// Not responsible for strides, norms and dtypes that the core does not take: haagenti.transform makes them fit.
#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <chrono>
#include <optional>
#include <string>
#include <utility>

#include "fastcall.h"
#include "haagenti/base/checked.h"
#include "haagenti/base/error.h"
#include "haagenti/transform/dct.h"
#include "haagenti/transform/hadamard.h"
#include "module.h"

namespace haagenti::bindings {
namespace {

namespace py = pybind11;

using Clock = std::chrono::steady_clock;

// Up to this many bytes the work takes about a microsecond: giving the GIL up and taking it back from a busy thread costs more.
constexpr std::uint64_t kShort = 4096;
// A person does not see this delay; taking the GIL back costs at most the switch interval of a busy thread, 5 ms.
constexpr auto kPollInterval = std::chrono::milliseconds(20);

// Without the GIL while this exists, but for the moments in which it asks for signals.
class Interruptible {
 public:
  explicit Interruptible(std::uint64_t n_bytes) : asked_(Clock::now()), state_(n_bytes > kShort ? PyEval_SaveThread() : nullptr) {}
  ~Interruptible() {
    if (state_ != nullptr) take_gil(state_);
  }
  Interruptible(const Interruptible&) = delete;
  Interruptible& operator=(const Interruptible&) = delete;

  // Throws what a signal's handler raises (KeyboardInterrupt); the GIL then stays held, as the exception's destructor wants it.
  Poll poll() {
    return [this] {
      const auto now = Clock::now();
      if (state_ == nullptr || now - asked_ < kPollInterval) return;
      asked_ = now;
      take_gil(std::exchange(state_, nullptr));
      if (PyErr_CheckSignals() != 0) throw py::error_already_set();
      state_ = PyEval_SaveThread();
    };
  }

 private:
  Clock::time_point asked_;
  PyThreadState* state_;  // null: the GIL is held
};

// Two arrays of n_a * n_b * n_c elements, the same or apart.
struct Operands {
  DType dtype;
  const std::uint8_t* src;
  std::uint8_t* dst;
  std::uint64_t n_bytes;
};

std::uint64_t bytes_of(DType dtype, std::uint64_t n_a, std::uint64_t n_b, std::uint64_t n_c) {
  const auto plane = checked_mul(n_b, n_c);
  const auto n_elements = plane ? checked_mul(n_a, *plane) : std::nullopt;
  const auto n_bytes = n_elements ? dtype_bytes(dtype, *n_elements) : std::nullopt;
  if (!n_bytes) fail(ErrorKind::kInvalidArgument, "shape: ", n_a, " x ", n_b, " x ", n_c, " elements are more than memory can hold");
  return *n_bytes;
}

Operands operands(const std::string& dtype_text, const py::array& src, py::array& dst, std::uint64_t n_a, std::uint64_t n_b, std::uint64_t n_c) {
  const DType dtype = dtype_from_name(dtype_text);
  const std::uint64_t n_bytes = bytes_of(dtype, n_a, n_b, n_c);
  const auto check = [n_bytes](const char* name, const py::array& array) {
    const auto found = static_cast<std::uint64_t>(array.nbytes());
    if (found != n_bytes) fail(ErrorKind::kInvalidArgument, name, ": expected ", n_bytes, " bytes, found ", found);
    if ((array.flags() & py::array::c_style) == 0) fail(ErrorKind::kInvalidArgument, name, ": expected a C-contiguous array");
  };
  check("src", src);
  check("dst", dst);
  const Operands found{dtype, static_cast<const std::uint8_t*>(src.data()), static_cast<std::uint8_t*>(dst.mutable_data()), n_bytes};
  const bool apart = found.src + n_bytes <= found.dst || found.dst + n_bytes <= found.src;
  if (found.src != found.dst && !apart) fail(ErrorKind::kInvalidArgument, "dst: expected src itself or memory apart from it, found an overlap");
  return found;
}

DctType dct_type(int type) {
  if (type != 2 && type != 3) fail(ErrorKind::kInvalidArgument, "type: expected 2 or 3, found ", type);
  return static_cast<DctType>(type);
}

void transform_axis(int type, const std::string& dtype, const py::array& src, py::array& dst, std::uint64_t outer, std::uint64_t n, std::uint64_t inner) {
  const Operands found = operands(dtype, src, dst, outer, n, inner);
  Interruptible work(found.n_bytes);
  dct_axis(dct_type(type), {found.dtype, found.src, found.dst}, outer, n, inner, work.poll());
}

void transform_planes(int type, const std::string& dtype, const py::array& src, py::array& dst, std::uint64_t batch, std::uint64_t rows, std::uint64_t cols) {
  const Operands found = operands(dtype, src, dst, batch, rows, cols);
  Interruptible work(found.n_bytes);
  dct_planes(dct_type(type), {found.dtype, found.src, found.dst}, batch, rows, cols, work.poll());
}

void transform_tiles(int type, const std::string& dtype, const py::array& src, py::array& dst, std::uint64_t batch, std::uint64_t rows, std::uint64_t cols,
                     std::uint64_t block_rows, std::uint64_t block_cols) {
  if (block_rows == 0 || block_cols == 0) fail(ErrorKind::kInvalidArgument, "block: expected positive numbers, found ", block_rows, " x ", block_cols);
  const Operands found = operands(dtype, src, dst, batch, rows, cols);
  const TileGrid grid{rows, cols, cols, cols, block_rows, block_cols};
  const std::uint64_t matrix_bytes = batch == 0 ? 0 : found.n_bytes / batch;
  Interruptible work(found.n_bytes);
  const Poll poll = work.poll();
  for (std::uint64_t i = 0; i < batch; ++i) {
    dct_tiles(dct_type(type), {found.dtype, found.src + i * matrix_bytes, found.dst + i * matrix_bytes}, grid, poll);
    poll();
  }
}

void transform_hadamard(const std::string& dtype, const py::array& src, py::array& dst, std::uint64_t rows, std::uint64_t cols, std::uint64_t block,
                        std::optional<std::uint32_t> seed, bool inverse) {
  const Operands found = operands(dtype, src, dst, rows, cols, 1);
  Interruptible work(found.n_bytes);
  hadamard({.dtype = found.dtype,
            .src = found.src,
            .dst = found.dst,
            .rows = rows,
            .cols = cols,
            .src_stride = cols,
            .dst_stride = cols,
            .block = block,
            .seed = seed,
            .inverse = inverse},
           work.poll());
}

}  // namespace

void bind_transforms(py::module_& module) {
  module.def("dct_axis", &transform_axis, py::arg("type"), py::arg("dtype"), py::arg("src"), py::arg("dst"), py::arg("outer"), py::arg("n"), py::arg("inner"),
             "Orthonormal DCT of type 2 or 3 along the middle axis of (outer, n, inner).");
  module.def("dct_planes", &transform_planes, py::arg("type"), py::arg("dtype"), py::arg("src"), py::arg("dst"), py::arg("batch"), py::arg("rows"),
             py::arg("cols"), "The same along both of the last axes of (batch, rows, cols).");
  module.def("dct_tiles", &transform_tiles, py::arg("type"), py::arg("dtype"), py::arg("src"), py::arg("dst"), py::arg("batch"), py::arg("rows"),
             py::arg("cols"), py::arg("block_rows"), py::arg("block_cols"), "The same of each tile of block_rows x block_cols of each matrix.");
  module.def("hadamard", &transform_hadamard, py::arg("dtype"), py::arg("src"), py::arg("dst"), py::arg("rows"), py::arg("cols"), py::arg("block"),
             py::arg("seed"), py::arg("inverse"), "Orthonormal Walsh-Hadamard transform of blocks of rows, with random signs if a seed is given.");
}

}  // namespace haagenti::bindings
