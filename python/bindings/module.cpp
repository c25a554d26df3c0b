// The Python module `_core`: buffers in, buffers out. No algorithm here.
#include "module.h"

PYBIND11_MODULE(_core, module, pybind11::mod_gil_not_used()) {
  using namespace haagenti::bindings;
  module.doc() = "The C++ core of haagenti. The package haagenti is the interface to use.";
  bind_errors(module);
  bind_tables(module);
  bind_system(module);
  bind_records(module);
  bind_hct(module);
  bind_transforms(module);
  bind_dictionary(module);
  bind_codec_functions(module);
  bind_codec_objects(module);
  bind_codec_streams(module);
}
