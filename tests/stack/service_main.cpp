// Stands in for every service: the real bootstrap around nothing. Its name is its file's: semel-NAME.
#include <runtime/serve.hpp>

#include <filesystem>

namespace {

boost::asio::awaitable<void> nothing(semel::runtime::context& ctx) {
    ctx.ready();
    co_await ctx.stop_requested();
}

} // namespace

int main(int argc, char** argv) {
    const auto name = std::filesystem::path{argv[0]}.filename().string().substr(std::string_view{"semel-"}.size());
    return semel::runtime::serve(argc, argv, name, nothing);
}
