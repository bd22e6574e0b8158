#include "http/server/compress.hpp"

#include <zlib.h>

#include <stdexcept>

#include "http/header_value.hpp"

namespace payam::http {
namespace {

constexpr std::size_t kMin = 1024;
constexpr std::size_t kMax = 1 << 20;  // about 10 ms at the fastest level

bool is_text(std::string_view content_type) {
  auto type = content_type.substr(0, content_type.find(';'));
  while (type.ends_with(' ')) type.remove_suffix(1);
  for (const std::string_view text : {"application/json", "application/javascript", "image/svg+xml", "text/html", "text/plain",
                                      "text/css", "text/javascript"}) {
    if (equals_ignoring_case(type, text)) return true;
  }
  return false;
}

}  // namespace

std::string gzip(std::string_view text) {
  z_stream stream{};
  constexpr int kGzip = 15 + 16;  // the largest window, with gzip's frame
  if (deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, kGzip, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
    throw std::runtime_error("deflateInit2 failed");
  }
  std::string out(deflateBound(&stream, text.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int status = deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  if (status != Z_STREAM_END) throw std::runtime_error("deflate failed");
  return out;
}

void compress(const Request& request, Response& response) {
  const auto* text = std::get_if<std::string>(&response.body);
  if (text == nullptr || text->size() < kMin || text->size() > kMax || response.status == 206) return;
  if (!is_text(response.headers.find("Content-Type").value_or(""))) return;
  if (response.headers.has("Content-Encoding") || response.headers.has("ETag")) return;
  add_vary(response.headers, "Accept-Encoding");
  if (!accepts_gzip(request.headers.find("Accept-Encoding"))) return;
  auto packed = gzip(*text);
  if (packed.size() >= text->size()) return;
  packed.shrink_to_fit();  // it may have to wait for its reader
  response.body = std::move(packed);
  response.headers.add("Content-Encoding", "gzip");
}

}  // namespace payam::http
