// Records: encode, and a view to decode. Inputs are buffers in the order of the record's matrix.
#include <pybind11/stl.h>

#include <memory>
#include <optional>
#include <string>

#include "buffers.h"
#include "haagenti/base/buffer.h"
#include "haagenti/encoding/choose_transform.h"
#include "haagenti/encoding/encode.h"
#include "haagenti/encoding/record.h"
#include "module.h"

namespace haagenti::bindings {
namespace {

namespace py = pybind11;

// A view together with the Python buffer that it looks at.
class HeldRecord {
 public:
  HeldRecord(const py::object& data, std::string name, bool prefix) : held_(readable(data)), view_(held_.bytes(), std::move(name), prefix) {}

  const RecordView& view() const { return view_; }
  const RecordHeader& header() const { return view_.header(); }

 private:
  HeldBuffer held_;
  RecordView view_;
};

template <class T>
py::tuple as_tuple(const std::vector<T>& values) {
  py::tuple result(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) result[i] = py::int_(values[i]);
  return result;
}

py::object error_of(const HeldRecord& record) {
  if (!record.header().measured) return py::none();
  const ErrorSums& e = record.header().error;
  return py::make_tuple(e.signal_energy, e.error_energy, e.dot, e.max_abs, e.max_abs_error);
}

std::string_view kind_name(SegmentKind kind) {
  switch (kind) {
    case SegmentKind::kCodes: return "codes";
    case SegmentKind::kScales: return "scales";
    case SegmentKind::kIndex: return "index";
    case SegmentKind::kMask: return "mask";
  }
  return "unknown";
}

std::optional<double> gain_of(const HeldRecord& record) {
  const TransformParams& params = record.header().transform_params;
  return params.measured ? std::optional(params.gain_db()) : std::nullopt;
}

py::list segments_of(const HeldRecord& record) {
  py::list rows;
  for (const Segment& segment : record.header().segments) {
    py::dict row;
    row["kind"] = std::string(kind_name(segment.kind));
    row["codec"] = std::string(segment.codec->name);
    row["offset"] = segment.offset;
    row["n_bytes"] = segment.size;
    row["n_chunks"] = segment.chunks.size();
    rows.append(row);
  }
  return rows;
}

TensorView view_of(ByteView bytes, const std::string& dtype, std::vector<std::uint64_t> shape, const std::vector<int>& perm, std::uint64_t n_rows,
                   std::uint64_t row_length, const std::string& name) {
  TensorView tensor{bytes, dtype_from_name(dtype), std::move(shape), {}, n_rows, row_length, name};
  for (const int axis : perm) {
    if (axis < 0 || axis > 255) fail(ErrorKind::kInvalidArgument, "tensor '", name, "': perm has axis ", axis);
    tensor.perm.push_back(static_cast<std::uint8_t>(axis));
  }
  return tensor;
}

// Name, gain in decibels, signal-to-noise ratio and bits a weight of each.
py::list measure(const py::object& data, const std::string& dtype, std::vector<std::uint64_t> shape, const std::vector<int>& perm, std::uint64_t n_rows,
                 std::uint64_t row_length, const std::string& encoding, const std::string& name) {
  const HeldBuffer held = readable(data);
  std::vector<TransformMeasure> measures;
  {
    const py::gil_scoped_release release;
    const EncodingSpec spec = parse_encoding(encoding);
    measures = measure_transforms(view_of(held.bytes(), dtype, std::move(shape), perm, n_rows, row_length, name), spec);
  }
  py::list rows;
  for (const TransformMeasure& one : measures) {
    py::dict row;
    row["transform"] = transform_text(one.id, one.params);
    row["gain_db"] = one.gain_db;
    row["snr_db"] = one.snr_db;
    row["bits_per_weight"] = one.bits_per_weight;
    rows.append(row);
  }
  return rows;
}

py::tuple encode_buffer(const py::object& data, const std::string& dtype, std::vector<std::uint64_t> shape, const std::vector<int>& perm,
                        std::uint64_t n_rows, std::uint64_t row_length, const std::string& encoding, const std::string& name) {
  const HeldBuffer held = readable(data);
  EncodedTensor encoded;
  {
    const py::gil_scoped_release release;
    encoded = encode(view_of(held.bytes(), dtype, std::move(shape), perm, n_rows, row_length, name), parse_encoding(encoding));
  }
  return py::make_tuple(std::make_unique<Buffer>(std::move(encoded.record)), encoded.fallback_reason);
}

template <class Decode>
void decode_to(const HeldRecord& record, const py::object& out, const std::string& dtype, Decode decode) {
  const HeldBuffer held = writable(out);
  const DType out_dtype = dtype_from_name(dtype);
  const py::gil_scoped_release release;
  decode(record.view(), held.mutable_bytes(), out_dtype);
}

}  // namespace

void bind_records(py::module_& module) {
  py::class_<Buffer>(module, "Buffer", py::buffer_protocol(), "Owned, 64-aligned, read-only bytes.")
      .def("__len__", &Buffer::size)
      .def_buffer([](Buffer& buffer) {
        return py::buffer_info(buffer.data(), 1, py::format_descriptor<std::uint8_t>::format(), 1, {static_cast<py::ssize_t>(buffer.size())}, {1}, true);
      });

  module.def("encode", &encode_buffer, py::arg("data"), py::arg("dtype"), py::arg("shape"), py::arg("perm"), py::arg("n_rows"), py::arg("row_length"),
             py::arg("encoding"), py::arg("name") = "", "Encodes a tensor given in the order of its matrix; returns the record and why it fell back to raw, if it did.");

  module.def("measure_transforms", &measure, py::arg("data"), py::arg("dtype"), py::arg("shape"), py::arg("perm"), py::arg("n_rows"), py::arg("row_length"),
             py::arg("encoding"), py::arg("name") = "",
             "What each transform gains over the identity on a sample: transform, gain_db, snr_db, bits_per_weight of each. Empty when nothing can be measured.");

  py::class_<HeldRecord>(module, "RecordView", "A checked record header, and its decoder; holds the buffer it was made from.")
      .def(py::init<const py::object&, std::string, bool>(), py::arg("data"), py::arg("name") = "", py::arg("prefix") = false)
      .def_property_readonly("dtype", [](const HeldRecord& r) { return std::string(dtype_name(r.header().dtype)); })
      .def_property_readonly("shape", [](const HeldRecord& r) { return as_tuple(r.header().dims); })
      .def_property_readonly("perm", [](const HeldRecord& r) { return as_tuple(r.header().perm); })
      .def_property_readonly("encoding", [](const HeldRecord& r) { return describe_stages(r.header().stages()); })
      .def_property_readonly("transform", [](const HeldRecord& r) { return transform_text(r.header().transform, r.header().transform_params); })
      .def_property_readonly("transform_name", [](const HeldRecord& r) { return std::string(transform(r.header().transform).name); })
      .def_property_readonly("transform_block", [](const HeldRecord& r) { return r.header().transform_params.block; })
      .def_property_readonly("transform_seed", [](const HeldRecord& r) { return r.header().transform_params.seed; })
      .def_property_readonly("transform_gain", &gain_of, "Decibels of the best transform that was measured over the identity; None when none was.")
      .def_property_readonly("mean", [](const HeldRecord& r) { return r.header().mean(); }, "Added to every element after the inverse transform.")
      .def_property_readonly("n_rows", [](const HeldRecord& r) { return r.header().grid.n_rows; })
      .def_property_readonly("row_length", [](const HeldRecord& r) { return r.header().grid.row_length; })
      .def_property_readonly("chunk_rows", [](const HeldRecord& r) { return r.header().grid.chunk_rows; })
      .def_property_readonly("chunk_cols", [](const HeldRecord& r) { return r.header().grid.chunk_cols; })
      .def_property_readonly("n_chunks", [](const HeldRecord& r) { return r.header().segments[0].chunks.size(); })
      .def_property_readonly("n_bytes", [](const HeldRecord& r) { return r.header().record_size; })
      .def_property_readonly("n_elements", [](const HeldRecord& r) { return r.header().n_elements; })
      .def_property_readonly("lossy", [](const HeldRecord& r) { return !r.header().quantizer->functions.lossless; })
      .def_property_readonly("header_size", [](const HeldRecord& r) { return r.header().header_size; })
      .def_property_readonly("header_checksum", [](const HeldRecord& r) { return r.header().header_checksum; })
      .def_property_readonly("error", &error_of, "signal_energy, error_energy, dot, max_abs, max_abs_error of a lossy record.")
      .def_property_readonly("segments", &segments_of, "kind, codec, offset, n_bytes and n_chunks of each segment.")
      .def("verify",
           [](const HeldRecord& r) {
             const py::gil_scoped_release release;
             r.view().verify();
           },
           "Checks every chunk against its checksum.")
      .def("decode_into",
           [](const HeldRecord& r, const py::object& out, const std::string& dtype) {
             decode_to(r, out, dtype, [](const RecordView& view, MutableByteView bytes, DType to) { view.decode(bytes, to); });
           },
           py::arg("out"), py::arg("dtype"), "Decodes all elements, in the order of the matrix, to a writable buffer.")
      .def("decode_rows_into",
           [](const HeldRecord& r, std::uint64_t begin, std::uint64_t end, const py::object& out, const std::string& dtype) {
             decode_to(r, out, dtype, [=](const RecordView& view, MutableByteView bytes, DType to) { view.decode_rows(begin, end, bytes, to); });
           },
           py::arg("row_start"), py::arg("row_stop"), py::arg("out"), py::arg("dtype"), "Decodes rows of the matrix.")
      .def("decode_coefficients_into",
           [](const HeldRecord& r, std::uint64_t begin, std::uint64_t end, const py::object& out, const std::string& dtype) {
             decode_to(r, out, dtype, [=](const RecordView& view, MutableByteView bytes, DType to) { view.decode_coefficients(begin, end, bytes, to); });
           },
           py::arg("row_start"), py::arg("row_stop"), py::arg("out"), py::arg("dtype"),
           "Decodes rows of the matrix without the inverse transform, and without the mean.")
      .def("decode_elements_into",
           [](const HeldRecord& r, std::uint64_t begin, std::uint64_t end, const py::object& out, const std::string& dtype) {
             decode_to(r, out, dtype, [=](const RecordView& view, MutableByteView bytes, DType to) { view.decode_elements(begin, end, bytes, to); });
           },
           py::arg("start"), py::arg("stop"), py::arg("out"), py::arg("dtype"), "Decodes elements counted along the rows of the matrix.");
}

}  // namespace haagenti::bindings
