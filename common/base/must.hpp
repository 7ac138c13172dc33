#pragma once
// For the edges of a process: a fault it cannot go on with becomes the exception that ends it, with the fault's words.

#include <base/fault.hpp>

#include <stdexcept>
#include <type_traits>
#include <utility>

namespace semel::base {

template <class T>
T must(result<T> r) {
    if (!r) {
        throw std::runtime_error{r.error().why()};
    }
    if constexpr (!std::is_void_v<T>) {
        return std::move(*r);
    }
}

} // namespace semel::base
