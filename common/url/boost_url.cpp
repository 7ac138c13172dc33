// Boost.URL itself, compiled once: Debian's library of it need not be there.
#include <boost/url/src.hpp>
