// `.hct` files: a reader over a mapped file or a buffer, and the atomic writer.
#include <pybind11/stl.h>

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "buffers.h"
#include "haagenti/container/hct.h"
#include "module.h"

namespace haagenti::bindings {
namespace {

namespace py = pybind11;

py::dict as_dict(const Metadata& metadata) {
  py::dict result;
  for (const auto& [key, value] : metadata) result[py::str(key)] = py::str(value);
  return result;
}

// A reader with whatever keeps its bytes alive.
class HeldReader {
 public:
  explicit HeldReader(const std::string& path) : file_(std::make_unique<MappedFile>(path)), reader_(file_->bytes(), path) {}
  HeldReader(const py::object& data, std::string label) : held_(std::make_unique<HeldBuffer>(readable(data))), reader_(held_->bytes(), std::move(label)) {}

  const HctReader& reader() const { return reader_; }
  ByteView record(const std::string& name) const { return reader_.record(reader_.find(name)); }

 private:
  std::unique_ptr<MappedFile> file_;
  std::unique_ptr<HeldBuffer> held_;
  HctReader reader_;
};

// The bytes of one record; keeps its reader alive.
struct RecordBytes {
  std::shared_ptr<HeldReader> reader;
  ByteView bytes;
};

// A writer that several Python threads may use: one call at a time, without the GIL.
class SharedWriter {
 public:
  SharedWriter(std::string path, Metadata metadata, bool overwrite) : writer_(std::move(path), std::move(metadata), overwrite) {}

  template <class Call>
  void call(Call call) {
    const py::gil_scoped_release release;  // before the lock: its holder may need the GIL to finish
    const std::lock_guard lock(mutex_);
    call(writer_);
  }

 private:
  std::mutex mutex_;
  HctWriter writer_;
};

// A path as the file system has it, of any encoding.
std::string file_system_path(const py::object& path) { return py::module_::import("os").attr("fsencode")(path).cast<std::string>(); }

py::list names_of(const HeldReader& reader) {
  py::list names;
  for (const HctEntry& entry : reader.reader().entries()) names.append(entry.name);
  return names;
}

}  // namespace

void bind_hct(py::module_& module) {
  py::class_<RecordBytes>(module, "RecordBytes", py::buffer_protocol(), "The bytes of one record of an open .hct file, not copied.")
      .def("__len__", [](const RecordBytes& r) { return r.bytes.size(); })
      .def_buffer([](RecordBytes& r) {
        return py::buffer_info(const_cast<std::uint8_t*>(r.bytes.data()), 1, py::format_descriptor<std::uint8_t>::format(), 1,
                               {static_cast<py::ssize_t>(r.bytes.size())}, {1}, true);
      });

  py::class_<HeldReader, std::shared_ptr<HeldReader>>(module, "HctReader", "An open .hct file, header and index checked.")
      .def(py::init([](const py::object& source, std::string label) -> std::shared_ptr<HeldReader> {
             if (PyObject_CheckBuffer(source.ptr())) return std::make_shared<HeldReader>(source, label.empty() ? "<bytes>" : std::move(label));
             const std::string path = file_system_path(source);
             const py::gil_scoped_release release;
             return std::make_shared<HeldReader>(path);
           }),
           py::arg("source"), py::arg("label") = "", "Opens a path or a buffer.")
      .def("names", &names_of, "Names in the order of the file.")
      .def("metadata", [](const HeldReader& r) { return as_dict(r.reader().metadata()); })
      .def("span",
           [](const HeldReader& r, const std::string& name) {
             const HctEntry& entry = r.reader().find(name);
             return std::pair(entry.offset, entry.size);
           },
           py::arg("name"), "Offset and size of a record in the file.")
      .def("record",
           [](const std::shared_ptr<HeldReader>& r, const std::string& name) { return RecordBytes{r, r->record(name)}; },
           py::arg("name"), "The record's bytes, to give to RecordView.");

  py::class_<SharedWriter>(module, "HctWriter", "Writes a .hct file; it gets its name when finish() has made it durable.")
      .def(py::init([](const py::object& path, const std::map<std::string, std::string>& metadata, bool overwrite) {
             return std::make_unique<SharedWriter>(file_system_path(path), Metadata(metadata.begin(), metadata.end()), overwrite);
           }),
           py::arg("path"), py::arg("metadata") = std::map<std::string, std::string>(), py::arg("overwrite") = false)
      .def("append",
           [](SharedWriter& writer, const std::string& name, const py::object& record) {
             const HeldBuffer held = readable(record);
             writer.call([&](HctWriter& w) { w.append(name, held.bytes()); });
           },
           py::arg("name"), py::arg("record"))
      .def("alias",
           [](SharedWriter& writer, const std::string& name, const std::string& existing) {
             writer.call([&](HctWriter& w) { w.alias(name, existing); });
           },
           py::arg("name"), py::arg("existing"), "A second name for a record that is already there.")
      .def("finish", [](SharedWriter& writer) { writer.call([](HctWriter& w) { w.finish(); }); })
      .def("abort", [](SharedWriter& writer) { writer.call([](HctWriter& w) { w.abort(); }); });
}

}  // namespace haagenti::bindings
