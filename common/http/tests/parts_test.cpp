#include <http/json.hpp>
#include <http/router.hpp>
#include <http/url.hpp>

#include <gtest/gtest.h>

#include <stdexcept>

namespace semel::http {
namespace {

struct routes {
    route_table table;
    std::size_t list = table.add("GET", "/v1/campaigns");
    std::size_t create = table.add("POST", "/v1/campaigns");
    std::size_t show = table.add("GET", "/v1/campaigns/{id}");
    std::size_t fresh = table.add("GET", "/v1/campaigns/new");
    std::size_t wave = table.add("GET", "/v1/campaigns/{id}/waves/{wave}");

    route_table::found hit(std::string_view method, std::string_view path) const {
        return std::get<route_table::found>(table.find(method, path));
    }
    template <class Verdict>
    bool is(std::string_view method, std::string_view path) const {
        return std::holds_alternative<Verdict>(table.find(method, path));
    }
};

TEST(Router, TakesByMethodAndPath) {
    const routes r;
    EXPECT_EQ(r.hit("GET", "/v1/campaigns").route, r.list);
    EXPECT_EQ(r.hit("POST", "/v1/campaigns").route, r.create);
    const auto found = r.hit("GET", "/v1/campaigns/a%20b/waves/2");
    EXPECT_EQ(found.route, r.wave);
    EXPECT_EQ(found.values, (parameters{{"id", "a b"}, {"wave", "2"}}));
}

TEST(Router, ALiteralGoesBeforeAParameter) {
    const routes r;
    EXPECT_EQ(r.hit("GET", "/v1/campaigns/new").route, r.fresh);
    EXPECT_EQ(r.hit("GET", "/v1/campaigns/newer").route, r.show);
}

TEST(Router, TellsAnUnknownPathFromAWrongMethod) {
    const routes r;
    EXPECT_TRUE(r.is<route_table::no_such_path>("GET", "/v1"));
    EXPECT_TRUE(r.is<route_table::no_such_path>("GET", "/v1/campaigns/"));
    EXPECT_TRUE(r.is<route_table::no_such_path>("GET", "/v1/campaigns/x/waves"));
    const auto verdict = r.table.find("DELETE", "/v1/campaigns");
    EXPECT_EQ(std::get<route_table::wrong_method>(verdict).allowed, "GET, POST");
}

TEST(Router, LetsNoPathOutOfAParameter) {
    const routes r;
    for (const auto* path : {"/v1/campaigns/..", "/v1/campaigns/%2e%2E", "/v1/campaigns/.",
                             "/v1/campaigns/..%2F..%2Fetc", "/v1/campaigns/a%5Cb", "/v1/campaigns/a%00",
                             "/v1/campaigns/%", "/v1/campaigns/%zz", "/v1/campaigns/a%0d%0ab", "v1"}) {
        EXPECT_TRUE(r.is<route_table::bad_path>("GET", path)) << path;
    }
    EXPECT_EQ(r.hit("GET", "/v1/campaigns/..a").values.at("id"), "..a");
}

TEST(Router, RefusesTheSameRouteTwice) {
    routes r;
    EXPECT_THROW(r.table.add("GET", "/v1/campaigns/{other}"), std::invalid_argument);
    EXPECT_THROW(r.table.add("GET", "v1"), std::invalid_argument);
}

TEST(Url, TakesItsPartsApart) {
    const auto u = parse_url("https://[::1]:8443/base/");
    ASSERT_TRUE(u);
    EXPECT_TRUE(u->tls);
    EXPECT_EQ(u->host, "::1");
    EXPECT_EQ(u->port, 8443);
    EXPECT_EQ(u->base, "/base");
    EXPECT_EQ(parse_url("http://example.com")->port, 80);
    EXPECT_EQ(parse_url("https://example.com")->port, 443);
}

TEST(Url, RefusesWhatIsNone) {
    for (const auto* text :
         {"example.com", "ftp://example.com", "http://", "http://a:b", "http://a:0", "http://a:70000", "http://a:80x",
          "http://u@a", "http://a?x", "http://[::1", "http://[::1]x", "http://a b"}) {
        EXPECT_FALSE(parse_url(text)) << text;
    }
}

TEST(Url, PercentEncodingIsItsOwnInverse) {
    std::string all;
    for (int c = 0; c < 256; ++c) {
        all += static_cast<char>(c);
    }
    EXPECT_EQ(percent_decode(percent_encode(all)), all);
    EXPECT_EQ(percent_encode("a/b c~"), "a%2Fb%20c~");
    EXPECT_EQ(percent_decode("%4"), std::nullopt);
}

TEST(Url, ReadsQueries) {
    EXPECT_EQ(parse_query("a=1&b=%26+x&c&a=2"), (parameters{{"a", "2"}, {"b", "& x"}, {"c", ""}}));
    EXPECT_EQ(parse_query("a=%"), std::nullopt);
}

TEST(Json, ReadsAndSaysWhereItIsBroken) {
    const auto good = json::read(R"({"name": "x", "n": 3})");
    ASSERT_TRUE(good);
    EXPECT_EQ(*json::find_text(good->as_object(), "name"), "x");
    EXPECT_EQ(json::find_text(good->as_object(), "n"), nullptr);
    EXPECT_EQ(json::find_text(good->as_object(), "none"), nullptr);
    for (const auto* text : {"", "{", "[1,]", "{} x", "nul", "\"\x01\""}) {
        EXPECT_FALSE(json::read(text)) << text;
    }
    EXPECT_NE(json::read("[1,x]").error().why().find("byte 3"), std::string::npos) << json::read("[1,x]").error().why();
    EXPECT_FALSE(json::read(std::string(100, '[') + std::string(100, ']')));
}

TEST(Json, IsIndentedForPeople) {
    EXPECT_EQ(json::pretty({{"a", {1, "x"}}, {"b", json::object{}}}),
              "{\n  \"a\": [\n    1,\n    \"x\"\n  ],\n  \"b\": {}\n}\n");
}

TEST(Json, ReadUniqueTakesNoMemberTwice) {
    EXPECT_TRUE(json::read_unique(R"({"a":{"a":1},"b":[{"a":1},{"a":2}]})"));
    for (const auto* text : {R"({"a":1,"a":1})", R"({"a":1,"b":2,"\u0061":3})", R"([{"b":{"a":1,"a":2}}])",
                             R"({"":1,"":2})", R"({"a":1)", R"({"a":1}x)", ""}) {
        EXPECT_FALSE(json::read_unique(text)) << text;
    }
    EXPECT_FALSE(json::read_unique(std::string(33, '[') + std::string(33, ']')));
    const auto whole = json::read_unique(R"({"a":[1,-2,3.5,true,null,"x"]})");
    ASSERT_TRUE(whole);
    EXPECT_EQ(*whole, json::read(R"({"a":[1,-2,3.5,true,null,"x"]})").value());
}

} // namespace
} // namespace semel::http
