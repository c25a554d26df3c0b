// The parts of the module `_core`, one function a file.
#pragma once

#include <pybind11/pybind11.h>

namespace haagenti::bindings {

void bind_errors(pybind11::module_& module);
void bind_tables(pybind11::module_& module);
void bind_system(pybind11::module_& module);
void bind_records(pybind11::module_& module);
void bind_hct(pybind11::module_& module);
void bind_transforms(pybind11::module_& module);
void bind_dictionary(pybind11::module_& module);
void bind_codec_functions(pybind11::module_& module);
void bind_codec_objects(pybind11::module_& module);
void bind_codec_streams(pybind11::module_& module);

}  // namespace haagenti::bindings
