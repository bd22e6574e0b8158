// The server's side of TLS: one context a process, shared by all shards.
#pragma once

#include <openssl/types.h>

#include <memory>
#include <string>

namespace payam {

class TlsContext {
 public:
  // PEM files: the certificate with its chain, the key. Throws std::runtime_error that names the file and the reason.
  // TLS 1.2 and 1.3 with AEAD suites alone, ALPN `http/1.1`.
  TlsContext(const std::string& certificate_file, const std::string& key_file);

  SSL_CTX* native() const { return context_.get(); }

 private:
  struct Free {
    void operator()(SSL_CTX* context) const;
  };
  std::unique_ptr<SSL_CTX, Free> context_;
};

}  // namespace payam
