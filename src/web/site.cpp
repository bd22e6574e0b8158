#include "web/site.hpp"

#include <fmt/format.h>
#include <zlib.h>

#include <cassert>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

#include "http/header_value.hpp"
#include "web/embedded.hpp"

namespace payam::web {
namespace {

using http::Request;
using http::Response;

// Scripts, styles, pictures and connections of our own only; the reference's library sets styles in its markup.
constexpr std::string_view kPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; media-src 'self'; font-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
constexpr std::string_view kReferencePolicy =
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

std::string_view content_type(std::string_view address) {
  const auto ending = address.substr(address.rfind('.') + 1);
  if (ending == "html") return "text/html; charset=utf-8";
  if (ending == "css") return "text/css; charset=utf-8";
  if (ending == "js") return "text/javascript; charset=utf-8";
  if (ending == "svg") return "image/svg+xml";
  if (ending == "woff2") return "font/woff2";
  assert(false && "an ending in web/files.txt that has no content type here");
  return "application/octet-stream";
}

struct File {
  std::string_view content_type;
  std::string_view gzip;
  std::string etag;
};

// What gzip itself checks its content by: CRC-32 and length, its last eight bytes.
std::string etag_of(std::string_view gzip) {
  std::string etag = "\"";
  for (const unsigned char byte : gzip.substr(gzip.size() - 8)) etag += fmt::format("{:02x}", byte);
  return etag + '"';
}

const std::map<std::string_view, File>& files() {
  static const auto all = [] {
    std::map<std::string_view, File> found;
    for (const auto& [address, gzip] : embedded()) found[address] = {content_type(address), gzip, etag_of(gzip)};
    return found;
  }();
  return all;
}

std::string unpack(std::string_view gzip) {
  z_stream stream{};
  constexpr int kGzip = 15 + 16;  // the largest window, with gzip's frame
  if (inflateInit2(&stream, kGzip) != Z_OK) throw std::runtime_error("inflateInit2 failed");
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(gzip.data()));
  stream.avail_in = static_cast<uInt>(gzip.size());
  std::string out;
  int status = Z_OK;
  while (status == Z_OK) {
    const auto done = out.size();
    out.resize(done + 256 * 1024);
    stream.next_out = reinterpret_cast<Bytef*>(out.data() + done);
    stream.avail_out = static_cast<uInt>(out.size() - done);
    status = inflate(&stream, Z_NO_FLUSH);
    out.resize(out.size() - stream.avail_out);
  }
  inflateEnd(&stream);
  if (status != Z_STREAM_END) throw std::runtime_error("an embedded file is damaged");
  return out;
}

Response send(const Request& request, const File& file, std::string_view policy) {
  Response response;
  auto& headers = response.headers;
  headers.add("ETag", file.etag);
  headers.add("Cache-Control", "no-cache");  // asked for again each time, answered 304: a new version is there at once
  headers.add("Vary", "Accept-Encoding");
  headers.add("Content-Security-Policy", std::string(policy));
  headers.add("X-Content-Type-Options", "nosniff");
  headers.add("Referrer-Policy", "no-referrer");
  headers.add("Cross-Origin-Opener-Policy", "same-origin");
  if (request.headers.find("If-None-Match") == file.etag) {
    response.status = 304;
    return response;
  }
  headers.add("Content-Type", std::string(file.content_type));
  if (http::accepts_gzip(request.headers.find("Accept-Encoding"))) {
    headers.add("Content-Encoding", "gzip");
    response.body = std::string(file.gzip);
  } else {
    response.body = unpack(file.gzip);
  }
  return response;
}

Response send(const Request& request, std::string_view address, std::string_view policy = kPolicy) {
  const auto found = files().find(address);
  if (found == files().end()) return Response::json(404, R"({"detail":"Not Found"})");
  return send(request, found->second, policy);
}

}  // namespace

Response chat_page(const Request& request) { return send(request, "/web/index.html"); }

void add_routes(http::Router& router) {
  router.add(http::Method::get, "/docs",
             [](Shard&, Request& request) -> Task<Response> { co_return send(request, "/web/docs.html", kReferencePolicy); });
  router.add(http::Method::get, "/docs/events",
             [](Shard&, Request& request) -> Task<Response> { co_return send(request, "/web/events.html"); });
  router.add(http::Method::get, "/web/{file...}",
             [](Shard&, Request& request) -> Task<Response> { co_return send(request, request.path); });
}

}  // namespace payam::web
