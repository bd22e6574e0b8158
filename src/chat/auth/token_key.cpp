#include "chat/auth/token_key.hpp"

#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>

#include <stdexcept>

#include "base/base64.hpp"
#include "chat/auth/sha256.hpp"

namespace payam::chat {
namespace {

constexpr int kHalf = 32;  // bytes of a coordinate, of r, of s

template <auto Free>
struct Deleter {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};
using BioPtr = std::unique_ptr<BIO, Deleter<&BIO_free>>;
using BignumPtr = std::unique_ptr<BIGNUM, Deleter<&BN_free>>;
using SignaturePtr = std::unique_ptr<ECDSA_SIG, Deleter<&ECDSA_SIG_free>>;
using ContextPtr = std::unique_ptr<EVP_PKEY_CTX, Deleter<&EVP_PKEY_CTX_free>>;

const unsigned char* bytes(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

[[noreturn]] void broken(const char* step) { throw std::runtime_error(std::string("OpenSSL fails to ") + step); }

std::string coordinate(const EVP_PKEY* pair, const char* name) {
  BIGNUM* raw = nullptr;
  if (EVP_PKEY_get_bn_param(pair, name, &raw) != 1) broken("read a public key");
  const BignumPtr number(raw);
  std::string out(kHalf, '\0');
  if (BN_bn2binpad(number.get(), reinterpret_cast<unsigned char*>(out.data()), kHalf) != kHalf) broken("read a public key");
  return base64url_encode(out);
}

// Never asks on the terminal for a passphrase, as OpenSSL would.
int no_passphrase(char*, int, int, void*) { return -1; }

}  // namespace

TokenKey TokenKey::from_pair(std::shared_ptr<EVP_PKEY> pair) {
  TokenKey key;
  const std::string x = coordinate(pair.get(), OSSL_PKEY_PARAM_EC_PUB_X);
  const std::string y = coordinate(pair.get(), OSSL_PKEY_PARAM_EC_PUB_Y);
  // RFC 7638 section 3.2: these members, in this order, without spaces.
  const Sha256 digest = sha256(fmt::format(R"({{"crv":"P-256","kty":"EC","x":"{}","y":"{}"}})", x, y));
  key.id_ = base64url_encode({reinterpret_cast<const char*>(digest.data()), digest.size()});
  key.jwk_ =
      fmt::format(R"({{"kty":"EC","crv":"P-256","x":"{}","y":"{}","kid":"{}","alg":"ES256","use":"sig"}})", x, y, key.id_);
  key.pair_ = std::move(pair);
  return key;
}

TokenKey TokenKey::generate() {
  std::shared_ptr<EVP_PKEY> pair(EVP_EC_gen("P-256"), EVP_PKEY_free);
  if (!pair) broken("make a key");
  return from_pair(std::move(pair));
}

Result<TokenKey> TokenKey::from_pem(std::string_view pem) {
  const BioPtr bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  std::shared_ptr<EVP_PKEY> pair(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, nullptr), EVP_PKEY_free);
  if (!pair) return fail(Errc::invalid, "no private key in PEM form (encrypted ones are not supported)");
  char group[32] = "";
  if (EVP_PKEY_get_base_id(pair.get()) != EVP_PKEY_EC ||
      EVP_PKEY_get_group_name(pair.get(), group, sizeof group, nullptr) != 1 || std::string_view(group) != "prime256v1") {
    return fail(Errc::invalid, "not an elliptic key on P-256 (make one: openssl ecparam -genkey -name prime256v1 -noout)");
  }
  return from_pair(std::move(pair));
}

Result<TokenKey> TokenKey::from_secret(std::string secret) {
  if (secret.size() < kMinSecretBytes) {
    return fail(Errc::invalid, fmt::format("needs at least {} bytes (make one: openssl rand -hex 32)", kMinSecretBytes));
  }
  TokenKey key;
  key.secret_ = std::move(secret);
  return key;
}

std::string TokenKey::sign(std::string_view text) const {
  if (!pair_) {
    std::string out(SHA256_DIGEST_LENGTH, '\0');
    if (HMAC(EVP_sha256(), secret_.data(), static_cast<int>(secret_.size()), bytes(text), text.size(),
             reinterpret_cast<unsigned char*>(out.data()), nullptr) == nullptr) {
      broken("sign");
    }
    return out;
  }
  const Sha256 digest = sha256(text);
  const ContextPtr context(EVP_PKEY_CTX_new(pair_.get(), nullptr));
  std::array<unsigned char, 80> der;  // at most 72: two integers of 33 bytes, three headers of 2
  std::size_t size = der.size();
  if (!context || EVP_PKEY_sign_init(context.get()) != 1 ||
      EVP_PKEY_sign(context.get(), der.data(), &size, digest.data(), digest.size()) != 1) {
    broken("sign");
  }
  const unsigned char* cursor = der.data();
  const SignaturePtr parts(d2i_ECDSA_SIG(nullptr, &cursor, static_cast<long>(size)));
  std::string out(2 * kHalf, '\0');
  auto* to = reinterpret_cast<unsigned char*>(out.data());
  if (!parts || BN_bn2binpad(ECDSA_SIG_get0_r(parts.get()), to, kHalf) != kHalf ||
      BN_bn2binpad(ECDSA_SIG_get0_s(parts.get()), to + kHalf, kHalf) != kHalf) {
    broken("sign");
  }
  return out;
}

bool TokenKey::verify(std::string_view text, std::string_view signature) const {
  if (!pair_) {
    const std::string expected = sign(text);
    return signature.size() == expected.size() && CRYPTO_memcmp(signature.data(), expected.data(), expected.size()) == 0;
  }
  if (signature.size() != 2 * kHalf) return false;
  BignumPtr r(BN_bin2bn(bytes(signature), kHalf, nullptr));
  BignumPtr s(BN_bin2bn(bytes(signature) + kHalf, kHalf, nullptr));
  const SignaturePtr parts(ECDSA_SIG_new());
  if (!r || !s || !parts || ECDSA_SIG_set0(parts.get(), r.get(), s.get()) != 1) broken("check a signature");
  r.release(), s.release();
  std::array<unsigned char, 80> der;
  unsigned char* cursor = der.data();
  const int size = i2d_ECDSA_SIG(parts.get(), &cursor);
  const ContextPtr context(EVP_PKEY_CTX_new(pair_.get(), nullptr));
  if (size <= 0 || !context || EVP_PKEY_verify_init(context.get()) != 1) broken("check a signature");
  const Sha256 digest = sha256(text);
  return EVP_PKEY_verify(context.get(), der.data(), static_cast<std::size_t>(size), digest.data(), digest.size()) == 1;
}

std::string TokenKey::to_pem() const {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  if (!bio || PEM_write_bio_PrivateKey(bio.get(), pair_.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1)
    broken("write a key");
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return std::string(data, static_cast<std::size_t>(size));
}

}  // namespace payam::chat
