// Functions and methods called through METH_FASTCALL: reading their arguments, and turning C++ exceptions into Python's.
// pybind11's dispatcher takes 150 to 220 ns a call, as long as compressing a few bytes. Not responsible for what arguments mean.
#pragma once

#include <pybind11/pybind11.h>
#include <unistd.h>

#include <array>
#include <string>
#include <vector>

namespace haagenti::bindings {

// Sets Python's error from the exception being handled.
void set_error_from_exception() noexcept;

// Calls body; null with Python's error set when it throws.
template <class Body>
PyObject* guarded(Body body) noexcept {
  try {
    return body();
  } catch (...) {
    set_error_from_exception();
    return nullptr;
  }
}

// What a function accepts: its parameters in order; the first n_required must be given, the first n_positional may be given by position.
template <std::size_t kN>
struct Parameters {
  const char* function;
  std::array<const char*, kN> names;
  std::size_t n_required;
  std::size_t n_positional = kN;

  // Null for a parameter that is not given. Throws TypeError as Python functions do.
  std::array<PyObject*, kN> read(PyObject* const* args, Py_ssize_t n_args, PyObject* keywords) const {
    std::array<PyObject*, kN> values{};
    const auto n_given = static_cast<std::size_t>(n_args);
    if (n_given > n_positional) {
      throw pybind11::type_error(std::string(function) + "() takes at most " + std::to_string(n_positional) + " positional arguments (" +
                                 std::to_string(n_given) + " given)");
    }
    for (std::size_t i = 0; i < n_given; ++i) values[i] = args[i];
    if (keywords != nullptr) read_keywords(args + n_args, keywords, values);
    for (std::size_t i = 0; i < n_required; ++i) {
      if (values[i] == nullptr) throw pybind11::type_error(std::string(function) + "() missing required argument: '" + names[i] + "'");
    }
    return values;
  }

  // As read, for tp_new.
  std::array<PyObject*, kN> read_tuple(PyObject* args, PyObject* keywords) const {
    std::vector<PyObject*> values;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(args); ++i) values.push_back(PyTuple_GET_ITEM(args, i));
    PyObject *key, *value;
    Py_ssize_t at = 0;
    pybind11::list names_given;
    while (keywords != nullptr && PyDict_Next(keywords, &at, &key, &value)) {
      names_given.append(pybind11::handle(key));
      values.push_back(value);
    }
    const pybind11::tuple names_tuple(names_given);
    return read(values.data(), PyTuple_GET_SIZE(args), names_tuple.ptr());
  }

 private:
  void read_keywords(PyObject* const* values_given, PyObject* keywords, std::array<PyObject*, kN>& values) const {
    const Py_ssize_t n = PyTuple_GET_SIZE(keywords);
    for (Py_ssize_t i = 0; i < n; ++i) set(PyTuple_GET_ITEM(keywords, i), values_given[i], values);
  }

  void set(PyObject* key, PyObject* value, std::array<PyObject*, kN>& values) const {
    for (std::size_t i = 0; i < kN; ++i) {
      if (PyUnicode_CompareWithASCIIString(key, names[i]) != 0) continue;
      if (values[i] != nullptr) throw pybind11::type_error(std::string(function) + "() got multiple values for argument '" + names[i] + "'");
      values[i] = value;
      return;
    }
    throw pybind11::type_error(std::string(function) + "() got an unexpected keyword argument '" + pybind11::str(key).cast<std::string>() + "'");
  }
};

// Takes the GIL back. A thread that the ending interpreter refuses it is unwound by force: it sleeps instead of running destructors that
// would touch Python, as Python 3.14 does.
inline void take_gil(PyThreadState* state) {
  struct Park {
    bool done = false;
    ~Park() {
      while (!done) ::pause();
    }
  } park;
  PyEval_RestoreThread(state);
  park.done = true;
}

// Lets other Python threads run while this exists, unless the work is too short for that to be worth its price.
class GilRelease {
 public:
  explicit GilRelease(bool wanted = true) : state_(wanted ? PyEval_SaveThread() : nullptr) {}
  ~GilRelease() {
    if (state_ != nullptr) take_gil(state_);
  }
  GilRelease(const GilRelease&) = delete;
  GilRelease& operator=(const GilRelease&) = delete;

 private:
  PyThreadState* state_;
};

}  // namespace haagenti::bindings
