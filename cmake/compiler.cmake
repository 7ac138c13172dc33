# One set of flags for every target: precompiled headers are shared between targets, and that needs equal flags.
if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang" OR CMAKE_CXX_COMPILER_VERSION VERSION_LESS 19)
    message(FATAL_ERROR "Semel is built with clang 19 or newer: g++ 12 miscompiles aggregates inside co_await "
                        "(docs/decisions/0001-compiler.md). Use a preset: cmake --preset release")
endif()

set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
# For all alike: CMake would give executables -fPIE, and the precompiled header is shared with them.
add_compile_options(-fPIC)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

option(SEMEL_WERROR "Treat warnings as errors" ON)
option(SEMEL_FAILPOINTS "Compile the named failpoints of common/failpoint (tests only)" OFF)
set(SEMEL_SANITIZE "" CACHE STRING "Sanitizers, e.g. address,undefined or thread")

add_compile_options(-Wall -Wextra -Wpedantic -Wno-mismatched-new-delete "SHELL:-Xclang -fno-pch-timestamp")
if(SEMEL_WERROR)
    add_compile_options(-Werror)
endif()
if(SEMEL_SANITIZE)
    add_compile_options(-fsanitize=${SEMEL_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
    add_link_options(-fsanitize=${SEMEL_SANITIZE})
    # Objects of everything that is linked (semel_sanitized): an archive's would be taken only if something asked for them.
    add_library(semel_sanitizers OBJECT ${CMAKE_CURRENT_LIST_DIR}/sanitizers.c)
    add_link_options("LINKER:--export-dynamic-symbol=thrd_*,--export-dynamic-symbol=mtx_*,--export-dynamic-symbol=cnd_*,--export-dynamic-symbol=call_once")
    add_compile_definitions(SEMEL_SANITIZED)
endif()
add_link_options(-fuse-ld=lld-19)
add_compile_definitions(BOOST_ASIO_NO_DEPRECATED BOOST_ASIO_DISABLE_BOOST_COROUTINE FMT_HEADER_ONLY=0)

find_program(CCACHE ccache)
if(CCACHE)
    # The same answer from every build folder and checkout of this project; precompiled headers need the sloppiness.
    set(launcher ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1
        CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime ${CCACHE})
    set(CMAKE_CXX_COMPILER_LAUNCHER ${launcher})
    set(CMAKE_C_COMPILER_LAUNCHER ${launcher})
endif()
