#include "scripts.hpp"

#include <lua.hpp>

#include <stdexcept>
#include <utility>

namespace semel::simulation {

using semel::redis::reply;

namespace {

void push(lua_State* lua, const reply& r) {
    switch (r.type) {
    case reply::kind::nil:
        lua_pushboolean(lua, 0);
        break;
    case reply::kind::integer:
        lua_pushnumber(lua, static_cast<lua_Number>(r.integer));
        break;
    case reply::kind::text:
        lua_pushlstring(lua, r.text.data(), r.text.size());
        break;
    case reply::kind::status:
    case reply::kind::error:
        lua_createtable(lua, 0, 1);
        lua_pushlstring(lua, r.text.data(), r.text.size());
        lua_setfield(lua, -2, r.type == reply::kind::error ? "err" : "ok");
        break;
    case reply::kind::array:
        lua_createtable(lua, static_cast<int>(r.array.size()), 0);
        for (std::size_t i = 0; i < r.array.size(); ++i) {
            push(lua, r.array[i]);
            lua_rawseti(lua, -2, static_cast<int>(i + 1));
        }
        break;
    }
}

std::string text_at(lua_State* lua, int index) {
    std::size_t size = 0;
    const char* text = lua_tolstring(lua, index, &size);
    return text == nullptr ? std::string{} : std::string{text, size};
}

reply array_at(lua_State* lua, int table);

/// As Redis turns what a script returns into a reply.
reply reply_at(lua_State* lua, int index) {
    switch (lua_type(lua, index)) {
    case LUA_TNUMBER:
        return {.type = reply::kind::integer,
                .integer = static_cast<std::int64_t>(lua_tonumber(lua, index)),
                .text = {},
                .array = {}};
    case LUA_TSTRING:
        return {.type = reply::kind::text, .integer = 0, .text = text_at(lua, index), .array = {}};
    case LUA_TBOOLEAN:
        return lua_toboolean(lua, index) != 0
                   ? reply{.type = reply::kind::integer, .integer = 1, .text = {}, .array = {}}
                   : reply{};
    case LUA_TTABLE:
        return array_at(lua, index);
    default:
        return {};
    }
}

reply array_at(lua_State* lua, int table) {
    lua_getfield(lua, table, "err");
    if (lua_type(lua, -1) == LUA_TSTRING) {
        reply error{.type = reply::kind::error, .integer = 0, .text = text_at(lua, -1), .array = {}};
        lua_pop(lua, 1);
        return error;
    }
    lua_pop(lua, 1);
    reply all{.type = reply::kind::array, .integer = 0, .text = {}, .array = {}};
    for (int i = 1;; ++i) {
        lua_rawgeti(lua, table, i);
        if (lua_isnil(lua, -1)) {
            lua_pop(lua, 1);
            return all;
        }
        all.array.push_back(reply_at(lua, lua_gettop(lua)));
        lua_pop(lua, 1);
    }
}

} // namespace

scripts::scripts()
    : lua_(luaL_newstate()) {
    luaL_openlibs(lua_);
    lua_createtable(lua_, 0, 2);
    lua_pushlightuserdata(lua_, this);
    lua_pushcclosure(lua_, &scripts::call, 1);
    lua_setfield(lua_, -2, "call");
    lua_pushcfunction(lua_, &scripts::error_reply);
    lua_setfield(lua_, -2, "error_reply");
    lua_setglobal(lua_, "redis");
}

scripts::~scripts() {
    lua_close(lua_);
}

int scripts::call(lua_State* lua) {
    auto* self = static_cast<scripts*>(lua_touserdata(lua, lua_upvalueindex(1)));
    std::vector<std::string> words;
    for (int i = 1; i <= lua_gettop(lua); ++i) {
        words.push_back(text_at(lua, i));
    }
    push(lua, (*self->call_)(words));
    return 1;
}

int scripts::error_reply(lua_State* lua) {
    lua_createtable(lua, 0, 1);
    lua_pushvalue(lua, 1);
    lua_setfield(lua, -2, "err");
    return 1;
}

void scripts::load(const std::string& source) {
    auto& reference = loaded_[source];
    if (reference == 0) {
        if (luaL_loadbuffer(lua_, source.data(), source.size(), "script") != 0) {
            throw std::logic_error{"a script cannot be read: " + text_at(lua_, -1)};
        }
        reference = luaL_ref(lua_, LUA_REGISTRYINDEX);
    }
    lua_rawgeti(lua_, LUA_REGISTRYINDEX, reference);
}

void scripts::set(const char* name, const std::vector<std::string>& values) {
    lua_createtable(lua_, static_cast<int>(values.size()), 0);
    for (std::size_t i = 0; i < values.size(); ++i) {
        lua_pushlstring(lua_, values[i].data(), values[i].size());
        lua_rawseti(lua_, -2, static_cast<int>(i + 1));
    }
    lua_setglobal(lua_, name);
}

reply scripts::run(const std::string& source, const std::vector<std::string>& keys,
                   const std::vector<std::string>& args, const command& call) {
    set("KEYS", keys);
    set("ARGV", args);
    load(source);
    call_ = &call;
    const auto failed = lua_pcall(lua_, 0, 1, 0) != 0;
    call_ = nullptr;
    if (failed) {
        throw std::logic_error{"a script fails: " + text_at(lua_, -1)};
    }
    auto said = reply_at(lua_, lua_gettop(lua_));
    lua_settop(lua_, 0);
    return said;
}

} // namespace semel::simulation
