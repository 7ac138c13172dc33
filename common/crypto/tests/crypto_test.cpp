#include <crypto/hash.hpp>
#include <crypto/public_key.hpp>
#include <crypto/seal.hpp>
#include <crypto/signature.hpp>

#include <gtest/gtest.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

using namespace semel;

namespace {

std::string pem_of_new_p256_key() {
    EVP_PKEY* key = EVP_EC_gen("P-256");
    BIO* bio = BIO_new(BIO_s_mem());
    PEM_write_bio_PKCS8PrivateKey(bio, key, nullptr, nullptr, 0, nullptr, nullptr);
    char* data = nullptr;
    const auto size = BIO_get_mem_data(bio, &data);
    std::string pem(data, static_cast<std::size_t>(size));
    BIO_free(bio);
    EVP_PKEY_free(key);
    return pem;
}

} // namespace

TEST(Hash, FollowsThePublishedVectors) {
    EXPECT_EQ(base::to_hex(base::as_view(crypto::sha256("abc"))),
              "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    // RFC 4231, test case 2
    EXPECT_EQ(base::to_hex(base::as_view(crypto::hmac_sha256("Jefe", "what do ya want for nothing?"))),
              "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    crypto::hasher h;
    h.update("a").update("bc");
    EXPECT_EQ(h.finish(), crypto::sha256("abc"));
    EXPECT_EQ(h.finish(), crypto::sha256(""));
}

TEST(Hash, FieldsKeepTheirBorders) {
    EXPECT_NE(crypto::sha256_of_fields({"ab", "c"}), crypto::sha256_of_fields({"a", "bc"}));
}

TEST(Seal, OpensOnlyWithTheSameKeyAtTheSamePlace) {
    const auto key = crypto::key256::random();
    const auto sealed = crypto::seal(key, "door code", "dispatch|1");
    EXPECT_EQ(crypto::open(key, sealed, "dispatch|1"), "door code");
    EXPECT_FALSE(crypto::open(key, sealed, "dispatch|2"));
    EXPECT_FALSE(crypto::open(crypto::key256::random(), sealed, "dispatch|1"));
    EXPECT_FALSE(crypto::open(key, "short", "dispatch|1"));
    for (std::size_t i = 0; i < sealed.size(); ++i) {
        auto bent = sealed;
        bent[i] = static_cast<char>(bent[i] ^ 1);
        EXPECT_FALSE(crypto::open(key, bent, "dispatch|1")) << "byte " << i;
    }
    EXPECT_EQ(crypto::open(key, crypto::seal(key, "", ""), ""), "");
}

TEST(Signature, Es256IsRawAndVerifies) {
    const auto pem = pem_of_new_p256_key();
    const auto key = crypto::private_key::from_pem(pem);
    ASSERT_TRUE(key);
    const auto token = crypto::jwt_es256(*key, R"({"alg":"ES256"})", R"({"iss":"T"})");
    ASSERT_TRUE(token);
    const auto dot = token->rfind('.');
    const auto raw = base::from_base64url(token->substr(dot + 1));
    ASSERT_TRUE(raw);
    ASSERT_EQ(raw->size(), 64U);

    // Verified by OpenSSL's own DER form.
    ECDSA_SIG* sig = ECDSA_SIG_new();
    const auto* bytes = reinterpret_cast<const unsigned char*>(raw->data());
    ECDSA_SIG_set0(sig, BN_bin2bn(bytes, 32, nullptr), BN_bin2bn(bytes + 32, 32, nullptr));
    unsigned char* der = nullptr;
    const int size = i2d_ECDSA_SIG(sig, &der);
    BIO* bio = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
    EVP_PKEY* pub = PEM_read_bio_PrivateKey(bio, nullptr, nullptr, nullptr);
    EVP_MD_CTX* ctx = EVP_MD_CTX_new();
    EVP_DigestVerifyInit(ctx, nullptr, EVP_sha256(), nullptr, pub);
    EXPECT_EQ(EVP_DigestVerify(ctx, der, static_cast<std::size_t>(size),
                               reinterpret_cast<const unsigned char*>(token->data()), dot),
              1);
    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(pub);
    BIO_free(bio);
    OPENSSL_free(der);
    ECDSA_SIG_free(sig);
    EXPECT_FALSE(key->sign_rs256("x"));
    EXPECT_FALSE(crypto::private_key::from_pem("nonsense"));
}

TEST(PublicKey, FollowsThePublishedVectors) {
    const auto bytes = [](const char* text) { return base::from_base64url(text).value(); };
    using crypto::signature_scheme;
    // RFC 8037, appendix A.4
    const auto ed = crypto::public_key::ed25519(bytes("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"));
    ASSERT_TRUE(ed);
    const std::string of_ed = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
    const auto by_ed = bytes("hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg");
    EXPECT_TRUE(ed->verifies(signature_scheme::ed25519, of_ed, by_ed));
    EXPECT_FALSE(ed->verifies(signature_scheme::ed25519, of_ed + "x", by_ed));
    // RFC 7515, appendix A.3
    const auto ec = crypto::public_key::p256(bytes("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"),
                                             bytes("x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"));
    ASSERT_TRUE(ec);
    const std::string of_ec = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt"
                              "cGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
    const auto by_ec = bytes("DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q");
    EXPECT_TRUE(ec->verifies(signature_scheme::es256, of_ec, by_ec));
    EXPECT_FALSE(ec->verifies(signature_scheme::es256, of_ec + "x", by_ec));
    EXPECT_FALSE(ec->verifies(signature_scheme::ed25519, of_ed, by_ed)) << "a key of another kind";
    EXPECT_FALSE(ec->verifies(signature_scheme::es256, of_ec, std::string(64, '\0')));
}
