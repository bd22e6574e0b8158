#include "chat/auth/sealed.hpp"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include <array>
#include <memory>
#include <stdexcept>

#include "base/base64.hpp"

namespace payam::chat {
namespace {

constexpr std::string_view kVersion = "1.";
constexpr std::size_t kSalt = 16;
constexpr std::size_t kNonce = 12;
constexpr std::size_t kTag = 16;

using Key = std::array<unsigned char, 32>;

template <auto Free>
struct Deleter {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};
using KdfPtr = std::unique_ptr<EVP_KDF, Deleter<&EVP_KDF_free>>;
using KdfContextPtr = std::unique_ptr<EVP_KDF_CTX, Deleter<&EVP_KDF_CTX_free>>;
using CipherPtr = std::unique_ptr<EVP_CIPHER_CTX, Deleter<&EVP_CIPHER_CTX_free>>;

[[noreturn]] void broken(const char* step) { throw std::runtime_error(std::string("OpenSSL fails to ") + step); }

const unsigned char* bytes(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }
unsigned char* bytes(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

OSSL_PARAM octets(const char* name, std::string_view value) {
  return OSSL_PARAM_construct_octet_string(name, const_cast<char*>(value.data()), value.size());
}

Key derive(std::string_view passphrase, std::string_view salt, std::string_view label) {
  const KdfPtr hkdf(EVP_KDF_fetch(nullptr, "HKDF", nullptr));
  const KdfContextPtr context(hkdf ? EVP_KDF_CTX_new(hkdf.get()) : nullptr);
  std::string digest = "SHA256";
  const std::array<OSSL_PARAM, 5> parameters{OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest.data(), 0),
                                             octets(OSSL_KDF_PARAM_KEY, passphrase), octets(OSSL_KDF_PARAM_SALT, salt),
                                             octets(OSSL_KDF_PARAM_INFO, label), OSSL_PARAM_construct_end()};
  Key key;
  if (!context || EVP_KDF_derive(context.get(), key.data(), key.size(), parameters.data()) != 1) broken("derive a key");
  return key;
}

}  // namespace

std::string seal(std::string_view passphrase, const SealPurpose& purpose, std::string_view secret) {
  std::string box(kSalt + kNonce + secret.size() + kTag, '\0');
  if (RAND_bytes(bytes(box), kSalt + kNonce) != 1) broken("make random bytes");
  const Key key = derive(passphrase, std::string_view(box).substr(0, kSalt), purpose.label);
  unsigned char* const out = bytes(box) + kSalt + kNonce;
  const CipherPtr cipher(EVP_CIPHER_CTX_new());
  int size = 0;
  if (!cipher || EVP_EncryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, key.data(), bytes(box) + kSalt) != 1 ||
      EVP_EncryptUpdate(cipher.get(), nullptr, &size, bytes(purpose.name), static_cast<int>(purpose.name.size())) != 1 ||
      EVP_EncryptUpdate(cipher.get(), out, &size, bytes(secret), static_cast<int>(secret.size())) != 1 ||
      EVP_EncryptFinal_ex(cipher.get(), out + size, &size) != 1 ||
      EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_GET_TAG, kTag, out + secret.size()) != 1) {
    broken("encrypt");
  }
  return std::string(kVersion) + base64url_encode(box);
}

std::optional<std::string> unseal(std::string_view passphrase, const SealPurpose& purpose, std::string_view sealed) {
  if (!sealed.starts_with(kVersion)) return std::nullopt;
  auto box = base64url_decode(sealed.substr(kVersion.size()));
  if (!box || box->size() < kSalt + kNonce + kTag) return std::nullopt;
  const Key key = derive(passphrase, std::string_view(*box).substr(0, kSalt), purpose.label);
  std::string secret(box->size() - kSalt - kNonce - kTag, '\0');
  const unsigned char* const in = bytes(*box) + kSalt + kNonce;
  unsigned char* const tag = bytes(*box) + box->size() - kTag;
  const CipherPtr cipher(EVP_CIPHER_CTX_new());
  int size = 0;
  if (!cipher || EVP_DecryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, key.data(), bytes(*box) + kSalt) != 1 ||
      EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_SET_TAG, kTag, tag) != 1) {
    broken("decrypt");
  }
  if (EVP_DecryptUpdate(cipher.get(), nullptr, &size, bytes(purpose.name), static_cast<int>(purpose.name.size())) != 1 ||
      EVP_DecryptUpdate(cipher.get(), bytes(secret), &size, in, static_cast<int>(secret.size())) != 1 ||
      EVP_DecryptFinal_ex(cipher.get(), bytes(secret) + size, &size) != 1) {
    return std::nullopt;
  }
  return secret;
}

}  // namespace payam::chat
