# Compiler settings of every target of haagenti: build type, ccache, warnings, floating point, sanitizers.
# Not responsible for third-party code, which never links haagenti_settings.
include_guard(GLOBAL)

if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Build type" FORCE)
endif()

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

find_program(HAAGENTI_CCACHE ccache)
if(HAAGENTI_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_C_COMPILER_LAUNCHER "${HAAGENTI_CCACHE}")
  set(CMAKE_CXX_COMPILER_LAUNCHER "${HAAGENTI_CCACHE}")
endif()

add_library(haagenti_settings INTERFACE)
# -ffp-contract=off: `q * s + m` is two roundings on every compiler, so that all machines decode to the same bits.
target_compile_options(haagenti_settings INTERFACE
  $<$<COMPILE_LANGUAGE:CXX>:-Wall;-Wextra;-Wshadow;-Wnon-virtual-dtor;-ffp-contract=off>)
# GCC 12 believes that joining two strings may overlap (GCC bug 105651).
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  target_compile_options(haagenti_settings INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-Wno-restrict>)
endif()
if(HAAGENTI_WERROR)
  target_compile_options(haagenti_settings INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-Werror>)
endif()

if(HAAGENTI_SANITIZE)
  # Directory-wide, so that Highway is instrumented with the rest.
  add_compile_options($<$<COMPILE_LANGUAGE:C,CXX>:-fsanitize=address,undefined>
    $<$<COMPILE_LANGUAGE:C,CXX>:-fno-sanitize-recover=all> $<$<COMPILE_LANGUAGE:C,CXX>:-fno-omit-frame-pointer>)
  add_link_options(-fsanitize=address,undefined)
endif()
