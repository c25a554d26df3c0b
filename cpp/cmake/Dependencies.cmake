# Finds the C libraries (zstd, lz4, xxhash), Threads and, for the tests, GoogleTest; names the Debian packages that bring what is missing.
# Not responsible for Highway (Highway.cmake) nor for pybind11, which comes from the Python build environment.
#
# HAAGENTI_DEPS_PREFIX (cache or environment variable): folder of unpacked Debian packages, searched in place of the system:
#   apt-get download libzstd-dev liblz4-dev libxxhash-dev libgtest-dev && for p in *.deb; do dpkg -x "$p" "$PREFIX"; done
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
  foreach(name IN ITEMS ZSTD LZ4 XXHASH GTEST GTEST_MAIN)
    unset(HAAGENTI_${name}_INCLUDE_DIR CACHE)
    unset(HAAGENTI_${name}_LIBRARY CACHE)
  endforeach()
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

# haagenti_find_library(<name> HEADER <file> PACKAGE <deb> [ANY_KIND]): defines the target haagenti::<name>, or notes the package as missing.
function(haagenti_find_library name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "ANY_KIND" "HEADER;PACKAGE" "")
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
    set(haagenti_missing_packages ${haagenti_missing_packages} ${arg_PACKAGE} PARENT_SCOPE)
    return()
  endif()
  message(STATUS "${name}: ${${prefix}_LIBRARY}")
  add_library(haagenti::${name} UNKNOWN IMPORTED)
  set_target_properties(haagenti::${name} PROPERTIES
    IMPORTED_LOCATION "${${prefix}_LIBRARY}" INTERFACE_INCLUDE_DIRECTORIES "${${prefix}_INCLUDE_DIR}")
endfunction()

find_package(Threads REQUIRED)
haagenti_find_library(zstd HEADER zstd.h PACKAGE libzstd-dev)
haagenti_find_library(lz4 HEADER lz4hc.h PACKAGE liblz4-dev)
haagenti_find_library(xxhash HEADER xxh3.h PACKAGE libxxhash-dev)
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
