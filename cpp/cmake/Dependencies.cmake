# Finds the C libraries (zstd, lz4, brotli, libdeflate, zlib, ISA-L, xxhash), Eigen's headers, Threads and, for the tests, GoogleTest; names the
# Debian packages that bring what is missing. ISA-L may be missing: zlib does its work then.
# Not responsible for Highway (Highway.cmake) nor for pybind11, which comes from the Python build environment.
#
# HAAGENTI_DEPS_PREFIX (cache or environment variable): folder of unpacked Debian packages, searched in place of the system:
#   apt-get download PACKAGE... && for p in *.deb; do dpkg -x "$p" "$PREFIX"; done
include_guard(GLOBAL)

set(HAAGENTI_DEPS_PREFIX "" CACHE PATH "Unpacked Debian packages to use in place of the system's libraries")
set(haagenti_prefix "${HAAGENTI_DEPS_PREFIX}")
if(NOT haagenti_prefix)
  set(haagenti_prefix "$ENV{HAAGENTI_DEPS_PREFIX}")
endif()
set(haagenti_missing_packages "")

# What an earlier run found elsewhere, or in another kind of library, is not what this one looks for.
set(haagenti_search "${haagenti_prefix}:${HAAGENTI_STATIC_DEPS}")
if(NOT haagenti_search STREQUAL "${HAAGENTI_LAST_SEARCH}")
  foreach(name IN ITEMS ZSTD LZ4 BROTLICOMMON BROTLIDEC BROTLIENC DEFLATE Z ISAL XXHASH GTEST GTEST_MAIN)
    unset(HAAGENTI_${name}_INCLUDE_DIR CACHE)
    unset(HAAGENTI_${name}_LIBRARY CACHE)
    unset(HAAGENTI_${name}_SHARED_LIBRARY CACHE)
  endforeach()
  unset(HAAGENTI_EIGEN_INCLUDE_DIR CACHE)
  set(HAAGENTI_LAST_SEARCH "${haagenti_search}" CACHE INTERNAL "Where and for what the libraries were last searched")
endif()

if(haagenti_prefix)
  if(NOT IS_DIRECTORY "${haagenti_prefix}")
    message(FATAL_ERROR "HAAGENTI_DEPS_PREFIX=${haagenti_prefix} is not a folder")
  endif()
  file(GLOB haagenti_multiarch_folders "${haagenti_prefix}/usr/lib/*-linux-gnu*")
  set(haagenti_where PATHS "${haagenti_prefix}/usr/include" "${haagenti_prefix}/include"
    ${haagenti_multiarch_folders} "${haagenti_prefix}/usr/lib" "${haagenti_prefix}/lib" NO_DEFAULT_PATH)
  message(STATUS "Libraries are taken from ${haagenti_prefix}")
else()
  set(haagenti_where "")
endif()

# haagenti_find_library(<name> HEADER <file> PACKAGE <deb> [ANY_KIND] [OPTIONAL]): defines the target haagenti::<name>, or notes the package as
# missing. ANY_KIND: a shared library will do where static ones are wanted.
function(haagenti_find_library name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "ANY_KIND;OPTIONAL" "HEADER;PACKAGE" "")
  set(file_names "lib${name}.a")
  if(arg_ANY_KIND OR NOT HAAGENTI_STATIC_DEPS)
    set(file_names "${name}" ${file_names})
  endif()
  string(TOUPPER "HAAGENTI_${name}" prefix)
  find_path(${prefix}_INCLUDE_DIR "${arg_HEADER}" ${haagenti_where})
  find_library(${prefix}_LIBRARY NAMES ${file_names} ${haagenti_where})
  mark_as_advanced(${prefix}_INCLUDE_DIR ${prefix}_LIBRARY)
  if(NOT ${prefix}_INCLUDE_DIR OR NOT ${prefix}_LIBRARY)
    message(STATUS "${name}: not found (${arg_HEADER} or ${file_names})")
    if(NOT arg_OPTIONAL)
      set(haagenti_missing_packages ${haagenti_missing_packages} ${arg_PACKAGE} PARENT_SCOPE)
    endif()
    return()
  endif()
  message(STATUS "${name}: ${${prefix}_LIBRARY}")
  add_library(haagenti::${name} UNKNOWN IMPORTED)
  set_target_properties(haagenti::${name} PROPERTIES
    IMPORTED_LOCATION "${${prefix}_LIBRARY}" INTERFACE_INCLUDE_DIRECTORIES "${${prefix}_INCLUDE_DIR}")
endfunction()

find_package(Threads REQUIRED)
haagenti_find_library(zstd HEADER zstd.h PACKAGE libzstd-dev)
# An archive of zstd built without threads (Debian's) gives way to the shared library, which has them.
if(TARGET haagenti::zstd AND HAAGENTI_ZSTD_LIBRARY MATCHES "\\.a$")
  file(STRINGS "${HAAGENTI_ZSTD_LIBRARY}" haagenti_zstd_threads REGEX "pthread_create" LIMIT_COUNT 1)
  if(NOT haagenti_zstd_threads)
    find_library(HAAGENTI_ZSTD_SHARED_LIBRARY zstd ${haagenti_where})
    mark_as_advanced(HAAGENTI_ZSTD_SHARED_LIBRARY)
    if(HAAGENTI_ZSTD_SHARED_LIBRARY)
      message(STATUS "zstd: ${HAAGENTI_ZSTD_LIBRARY} has no threads, using ${HAAGENTI_ZSTD_SHARED_LIBRARY}")
      set_target_properties(haagenti::zstd PROPERTIES IMPORTED_LOCATION "${HAAGENTI_ZSTD_SHARED_LIBRARY}")
    else()
      message(WARNING "zstd: ${HAAGENTI_ZSTD_LIBRARY} has no threads and there is no shared library: zstd will compress with one thread only")
    endif()
  endif()
endif()
haagenti_find_library(lz4 HEADER lz4hc.h PACKAGE liblz4-dev)
haagenti_find_library(brotlicommon HEADER brotli/types.h PACKAGE libbrotli-dev)
haagenti_find_library(brotlidec HEADER brotli/decode.h PACKAGE libbrotli-dev)
haagenti_find_library(brotlienc HEADER brotli/encode.h PACKAGE libbrotli-dev)
haagenti_find_library(deflate HEADER libdeflate.h PACKAGE libdeflate-dev)
# Debian's archive of zlib is not position-independent; the shared library is on every system.
haagenti_find_library(z ANY_KIND HEADER zlib.h PACKAGE zlib1g-dev)
haagenti_find_library(isal ANY_KIND OPTIONAL HEADER isa-l/igzip_lib.h PACKAGE libisal-dev)
haagenti_find_library(xxhash HEADER xxh3.h PACKAGE libxxhash-dev)

# Headers alone, included as <eigen3/...>.
find_path(HAAGENTI_EIGEN_INCLUDE_DIR eigen3/Eigen/Core ${haagenti_where})
mark_as_advanced(HAAGENTI_EIGEN_INCLUDE_DIR)
if(HAAGENTI_EIGEN_INCLUDE_DIR)
  message(STATUS "eigen: ${HAAGENTI_EIGEN_INCLUDE_DIR}/eigen3")
  add_library(haagenti_eigen INTERFACE)
  target_include_directories(haagenti_eigen SYSTEM INTERFACE "${HAAGENTI_EIGEN_INCLUDE_DIR}" "${HAAGENTI_EIGEN_INCLUDE_DIR}/eigen3")
  add_library(haagenti::eigen ALIAS haagenti_eigen)
else()
  message(STATUS "eigen: not found (eigen3/Eigen/Core)")
  list(APPEND haagenti_missing_packages libeigen3-dev)
endif()

if(HAAGENTI_TESTS)
  haagenti_find_library(gtest ANY_KIND HEADER gtest/gtest.h PACKAGE libgtest-dev)
  haagenti_find_library(gtest_main ANY_KIND HEADER gtest/gtest.h PACKAGE libgtest-dev)
endif()

if(haagenti_missing_packages)
  list(REMOVE_DUPLICATES haagenti_missing_packages)
  list(JOIN haagenti_missing_packages " " packages)
  if(haagenti_prefix)
    message(FATAL_ERROR "HAAGENTI_DEPS_PREFIX=${haagenti_prefix} lacks: ${packages}\nUnpack them there:\n"
      "  apt-get download ${packages} && for p in *.deb; do dpkg -x \"$p\" \"${haagenti_prefix}\"; done")
  endif()
  message(FATAL_ERROR "Libraries are missing. On Debian and Ubuntu this brings them:\n  apt-get install ${packages}\n"
    "Where nothing can be installed, unpack the packages somewhere and pass -DHAAGENTI_DEPS_PREFIX=FOLDER (CONTRIBUTING.md).")
endif()
