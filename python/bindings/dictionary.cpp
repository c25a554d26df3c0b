// ZstdDict: a trained dictionary.
#include <pybind11/stl.h>

#include <deque>

#include "byte_argument.h"
#include "fastcall.h"
#include "haagenti/base/error.h"
#include "haagenti/bytecodec/dictionary.h"
#include "module.h"

namespace haagenti::bindings {
namespace {

namespace py = pybind11;

std::shared_ptr<Dictionary> from_buffer(const py::object& data) {
  const ByteArgument bytes(data.ptr(), "data");
  return std::make_shared<Dictionary>(bytes.bytes());
}

std::shared_ptr<Dictionary> train(const py::iterable& samples, py::ssize_t max_size) {
  if (max_size <= 0) fail(ErrorKind::kInvalidArgument, "max_size is ", max_size, ", expected a positive number of bytes");
  std::deque<ByteArgument> held;  // grows without moving what it holds
  std::vector<ByteView> views;
  for (const py::handle sample : samples) views.push_back(held.emplace_back(sample.ptr(), "a sample").bytes());
  const GilRelease release;
  return std::make_shared<Dictionary>(train_dictionary(views, static_cast<std::size_t>(max_size)));
}

py::bytes as_bytes(const Dictionary& dictionary) {
  return {reinterpret_cast<const char*>(dictionary.bytes().data()), dictionary.bytes().size()};
}

py::object equal(const Dictionary& dictionary, const py::object& other) {
  if (!py::isinstance<Dictionary>(other)) return py::reinterpret_borrow<py::object>(Py_NotImplemented);
  return py::bool_(std::ranges::equal(dictionary.bytes(), other.cast<const Dictionary&>().bytes()));
}

constexpr const char* kDoc = R"(A dictionary of zstd, for small inputs that resemble each other.

Example:
    >>> import haagenti
    >>> samples = [b'{"layer": %d, "name": "mlp.up_proj"}' % n for n in range(2000)]
    >>> dictionary = haagenti.ZstdDict.train(samples, max_size=2048)
    >>> packed = haagenti.compress(samples[7], "zstd", dictionary=dictionary)
    >>> len(packed) < len(haagenti.compress(samples[7], "zstd"))
    True
    >>> haagenti.decompress(packed, dictionary=dictionary) == samples[7]
    True
)";

constexpr const char* kTrainDoc = R"(Makes a dictionary from samples.

Args:
    samples: Buffers like those that shall be compressed; some hundreds at least, together about 100 times max_size.
    max_size: Most bytes of the dictionary.

Raises:
    InvalidArgumentError: The samples are too few or too small for a dictionary of that size.
)";

}  // namespace

void bind_dictionary(py::module_& module) {
  py::class_<Dictionary, std::shared_ptr<Dictionary>>(module, "ZstdDict", kDoc)
      .def(py::init(&from_buffer), py::arg("data"), "Takes the bytes of a dictionary, or any bytes as a dictionary without an id.")
      .def_static("train", &train, py::arg("samples"), py::arg("max_size") = 8192, kTrainDoc)
      .def_property_readonly("id", &Dictionary::id, "The number that frames name it by; 0 for bytes that are no trained dictionary.")
      .def("as_bytes", &as_bytes, "The bytes of the dictionary, to be stored.")
      .def("__len__", [](const Dictionary& dictionary) { return dictionary.bytes().size(); })
      .def("__eq__", &equal)
      .def("__hash__", [](const Dictionary& dictionary) { return py::hash(as_bytes(dictionary)); })
      .def("__repr__",
           [](const Dictionary& dictionary) { return concat("haagenti.ZstdDict(id ", dictionary.id(), ", ", dictionary.bytes().size(), " bytes)"); })
      .def("__reduce__", [](const py::object& self) {
        return py::make_tuple(py::type::of(self), py::make_tuple(as_bytes(self.cast<const Dictionary&>())));
      });
}

}  // namespace haagenti::bindings
