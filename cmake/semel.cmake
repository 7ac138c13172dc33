# semel_library(NAME [SOURCES ...] [HEADERS ...] [DEPS ...] [ASIO])   a module: target semel_NAME, alias semel::NAME.
#     It offers the header beside each of its sources, and HEADERS, which have no source. What it does not offer is its own
#     affair: files of its folder include that in quotes.
# semel_service(NAME MAIN main.cpp DEPS ...)            a process: executable semel-NAME
# semel_test(NAME SOURCES ... DEPS ... [LABEL unit|integration] [ASIO])   one gtest executable = one ctest entry
#
# ASIO: the target's sources use Asio or Beast: they share one precompiled header (saves some 8 s a source file).
# A pure core must not say ASIO.

# The header is compiled once, here; the others reuse it.
file(WRITE ${CMAKE_BINARY_DIR}/asio_pch.cpp "")
add_library(semel_asio_pch STATIC ${CMAKE_BINARY_DIR}/asio_pch.cpp)
target_link_libraries(semel_asio_pch PUBLIC semel_thirdparty_asio)
target_precompile_headers(semel_asio_pch PRIVATE
    <boost/asio.hpp> <boost/asio/experimental/awaitable_operators.hpp> <boost/asio/experimental/channel.hpp>
    <boost/asio/experimental/parallel_group.hpp> <boost/asio/ssl.hpp> <boost/beast.hpp> <boost/beast/ssl.hpp>
    <fmt/format.h> <chrono> <expected> <functional> <map> <memory> <optional> <string> <unordered_map> <variant> <vector>)

function(semel_apply target)
    cmake_parse_arguments(ARG "ASIO" "" "DEPS" ${ARGN})
    foreach(dep IN LISTS ARG_DEPS)
        string(REPLACE "semel::" "semel_" dep "${dep}")
        target_link_libraries(${target} ${SCOPE} ${dep})
    endforeach()
    if(ARG_ASIO)
        target_link_libraries(${target} ${SCOPE} semel_thirdparty_asio)
        get_target_property(type ${target} TYPE)
        if(NOT type STREQUAL "INTERFACE_LIBRARY")
            target_precompile_headers(${target} REUSE_FROM semel_asio_pch)
        endif()
    endif()
endfunction()

# Under a sanitizer an executable has C11's threads with it, as the first to be found.
function(semel_sanitized target)
    if(SEMEL_SANITIZE)
        target_sources(${target} PRIVATE $<TARGET_OBJECTS:semel_sanitizers>)
    endif()
endfunction()

# As what an include names the folder at hand: <base/fault.hpp>, <plan/core/leader.hpp>.
function(semel_module out)
    file(RELATIVE_PATH folder ${CMAKE_SOURCE_DIR} ${CMAKE_CURRENT_SOURCE_DIR})
    string(REGEX REPLACE "^[^/]+/(.*)$" "\\1" folder ${folder})
    set(${out} ${folder} PARENT_SCOPE)
endfunction()

# A root of its own for each library: links to the headers that it offers, and nothing else. It comes with DEPS alone, so
# that who forgets the one cannot include the other (docs/decisions/0021-one-root-a-library.md). One place for all presets:
# with a path of its own for each, the compiler cache would know nothing of what another preset compiled.
function(semel_offer name scope)
    set(root ${CMAKE_SOURCE_DIR}/build/include/${name})
    semel_module(module)
    set(offered "")
    foreach(header IN LISTS ARGN)
        if(NOT EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/${header})
            message(FATAL_ERROR "semel_library(${name}): ${header} of HEADERS is not in ${CMAKE_CURRENT_SOURCE_DIR}")
        endif()
        set(link ${root}/${module}/${header})
        list(APPEND offered ${link})
        if(NOT EXISTS ${link})
            get_filename_component(folder ${link} DIRECTORY)
            file(MAKE_DIRECTORY ${folder})
            file(CREATE_LINK ${CMAKE_CURRENT_SOURCE_DIR}/${header} ${link} SYMBOLIC)
        endif()
    endforeach()
    file(GLOB_RECURSE links LIST_DIRECTORIES false ${root}/*) # also what it offered before it was last configured
    foreach(link IN LISTS links)
        if(NOT link IN_LIST offered)
            file(REMOVE ${link})
        endif()
    endforeach()
    target_include_directories(semel_${name} ${scope} ${root})
endfunction()

# A header compiles by itself. One that stands beside a source does so there, as the first include (tests/rules/agree);
# the others get a source of one line.
function(semel_alone name asio)
    semel_module(module)
    set(sources "")
    foreach(header IN LISTS ARGN)
        string(REPLACE / - source ${header})
        file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/alone/${name}/${source}.cpp CONTENT "#include <${module}/${header}>\n")
        list(APPEND sources ${CMAKE_BINARY_DIR}/alone/${name}/${source}.cpp)
    endforeach()
    if(sources)
        add_library(semel_${name}_alone OBJECT ${sources})
        set(SCOPE PRIVATE)
        semel_apply(semel_${name}_alone ${asio} DEPS semel::${name})
    endif()
endfunction()

function(semel_library name)
    cmake_parse_arguments(ARG "ASIO" "" "SOURCES;HEADERS;DEPS" ${ARGN})
    set(target semel_${name})
    set(asio "")
    if(ARG_ASIO)
        set(asio ASIO)
    endif()
    if(ARG_SOURCES)
        add_library(${target} STATIC ${ARG_SOURCES})
        set(SCOPE PUBLIC)
    else()
        add_library(${target} INTERFACE)
        set(SCOPE INTERFACE)
    endif()
    set(headers ${ARG_HEADERS})
    foreach(source IN LISTS ARG_SOURCES)
        string(REGEX REPLACE "\\.cpp$" ".hpp" header ${source})
        if(NOT IS_ABSOLUTE ${header} AND EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/${header})
            list(APPEND headers ${header})
        endif()
    endforeach()
    semel_offer(${name} ${SCOPE} ${headers})
    semel_apply(${target} ${asio} DEPS ${ARG_DEPS})
    add_library(semel::${name} ALIAS ${target})
    semel_alone(${name} "${asio}" ${ARG_HEADERS})
endfunction()

function(semel_service name)
    cmake_parse_arguments(ARG "" "MAIN" "DEPS" ${ARGN})
    set(target semel-${name})
    add_executable(${target} ${ARG_MAIN})
    set(SCOPE PRIVATE)
    semel_apply(${target} ASIO DEPS ${ARG_DEPS})
    semel_sanitized(${target})
    if(NOT SEMEL_SANITIZE) # sanitizers bring an allocator of their own
        target_link_libraries(${target} PRIVATE semel_thirdparty_jemalloc)
    endif()
endfunction()

function(semel_test name)
    cmake_parse_arguments(ARG "ASIO" "LABEL;TIMEOUT" "SOURCES;DEPS" ${ARGN})
    set(target ${name}_test)
    set(asio "")
    if(ARG_ASIO)
        set(asio ASIO)
    endif()
    add_executable(${target} ${ARG_SOURCES})
    set(SCOPE PRIVATE)
    semel_apply(${target} ${asio} DEPS ${ARG_DEPS})
    semel_sanitized(${target})
    target_link_libraries(${target} PRIVATE semel::support semel_thirdparty_gtest)
    if(NOT ARG_LABEL)
        set(ARG_LABEL unit)
    endif()
    if(NOT ARG_TIMEOUT)
        set(ARG_TIMEOUT 120)
    endif()
    if(SEMEL_SANITIZE)
        math(EXPR ARG_TIMEOUT "6 * ${ARG_TIMEOUT}") # so much slower it may be
    endif()
    add_test(NAME ${name} COMMAND ${target} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
    set_tests_properties(${name} PROPERTIES LABELS ${ARG_LABEL} TIMEOUT ${ARG_TIMEOUT})
endfunction()
