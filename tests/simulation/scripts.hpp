#pragma once
// Lua 5.1, as Redis has it: the scripts that run here are the product's own.

#include <redis/client.hpp>

#include <functional>
#include <map>
#include <string>
#include <vector>

struct lua_State;

namespace semel::simulation {

class scripts {
  public:
    using command = std::function<semel::redis::reply(const std::vector<std::string>&)>;

    scripts();
    scripts(const scripts&) = delete;
    scripts& operator=(const scripts&) = delete;
    ~scripts();

    /// Throws std::logic_error for a script that is not one, or that fails.
    semel::redis::reply run(const std::string& source, const std::vector<std::string>& keys,
                            const std::vector<std::string>& args, const command& call);

  private:
    void load(const std::string& source);
    void set(const char* name, const std::vector<std::string>& values);
    static int call(lua_State*);
    static int error_reply(lua_State*);

    lua_State* lua_;
    std::map<std::string, int> loaded_; // by source
    const command* call_ = nullptr;     // of the script that runs
};

} // namespace semel::simulation
