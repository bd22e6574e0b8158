// Contract section 4: upload and download.
#include <algorithm>
#include <boost/describe/class.hpp>
#include <charconv>

#include "base/network.hpp"
#include "base/utf8.hpp"
#include "chat/api/bearer.hpp"
#include "chat/api/limited.hpp"
#include "chat/api/media_cookie.hpp"
#include "chat/api/replies.hpp"
#include "chat/api/rest.hpp"
#include "chat/media/file_name.hpp"
#include "http/multipart.hpp"
#include "http/range.hpp"

namespace payam::chat::api {
namespace {

using http::Answer;
using http::Method;
using http::Nothing;

// A form around the file: heads, boundaries, other fields.
constexpr std::uint64_t kFormBytes = 64 * 1024;

http::Fault missing_file() { return {"missing", {"body", "file"}, "Field required", nullptr, {}}; }

http::Refusal not_a_form() { return Error{Errc::bad_request, "There was an error parsing the body"}; }

// Of a file in a form of this length, if it says its length.
std::uint64_t least_size(const http::Request& request) {
  const auto text = request.headers.find("Content-Length").value_or("");
  std::uint64_t length = 0;
  std::from_chars(text.data(), text.data() + text.size(), length);
  return length - std::min(length, kFormBytes);
}

// The first file called `file`, written to disk as it arrives.
Task<Answer<UploadReply>> receive(Services& services, Call call, http::BodySource& body) {
  const auto boundary = http::multipart_boundary(call.request.headers.find("Content-Type").value_or(""));
  if (!boundary) co_return std::unexpected(http::Refusal(http::Faults{missing_file()}));
  http::MultipartReader reader(*boundary);
  std::optional<Uploads::Receiving> receiving;
  std::string name;
  bool in_file = false;

  using Event = http::MultipartReader::Event;
  for (Event event = reader.next(); event != Event::end; event = reader.next()) {
    if (event == Event::need_input) {
      const auto piece = co_await body.read();
      if (!piece) co_return std::unexpected(piece.error());
      if (piece->empty()) {
        reader.finish();
      } else {
        reader.give(*piece);
      }
    } else if (event == Event::part) {
      in_file = !receiving && reader.part().name == "file" && reader.part().filename;
      if (in_file) {
        name = is_valid_utf8(*reader.part().filename) ? *reader.part().filename : "";
        auto begun = co_await services.uploads.receive({network_of(call.request.peer), call.identity.user.str()},
                                                       least_size(call.request));
        if (!begun) co_return std::unexpected(begun.error());
        receiving.emplace(std::move(*begun));
      }
    } else if (event == Event::data && in_file) {
      const auto written = co_await receiving->write(reader.data());
      if (!written) co_return std::unexpected(written.error());
    } else if (event == Event::malformed) {
      co_return std::unexpected(not_a_form());
    }
  }
  if (!receiving) co_return std::unexpected(http::Refusal(http::Faults{missing_file()}));
  const auto upload = co_await receiving->finish(std::move(name));
  if (!upload) co_return std::unexpected(upload.error());
  co_return upload_reply(*upload);
}

struct MediaPath {
  UploadId id;
  std::string name;
};
BOOST_DESCRIBE_STRUCT(MediaPath, (), (id, name))
struct MediaInput {
  MediaPath path;
};

// A bearer token, or else the cookie.
Task<Result<Principal>> identify(Services& services, Shard& shard, const http::Request& request) {
  if (request.headers.has("Authorization")) {
    auto token = bearer_token(request.headers.find("Authorization"));
    if (!token) co_return fail(Errc::unauthorized, "Not authenticated");
    co_return co_await services.authenticator.authenticate(shard, std::move(*token));
  }
  auto token = cookie(request.headers.find("Cookie"), kMediaCookie);
  if (!token) co_return fail(Errc::unauthorized, "Not authenticated");
  co_return co_await services.authenticator.authenticate(shard, std::move(*token), Audience::media);
}

Task<Answer<http::Response>> send_media(Services& services, Call call, MediaPath path) {
  const auto principal = co_await identify(services, call.shard, call.request);
  if (!principal) co_return std::unexpected(principal.error());
  auto found = co_await services.uploads.find(path.id, principal->user);
  if (!found || found->upload.name != path.name) co_return fail(Errc::not_found, "Not Found");
  const Upload& upload = found->upload;
  auto response = http::serve_file(call.request, std::move(found->content), '"' + upload.id.str() + '"');
  response.headers.add("Cache-Control", "private, max-age=31536000, immutable");
  response.headers.add("X-Content-Type-Options", "nosniff");
  // Nothing in it runs, loads or submits anything, should a browser take it for a document.
  response.headers.add("Content-Security-Policy",
                       "default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'; sandbox");
  response.headers.add("Content-Disposition", content_disposition(upload.name, upload.content_type));
  if (response.status == 200 || response.status == 206) response.headers.add("Content-Type", upload.content_type);
  co_return response;
}

}  // namespace

void add_media_endpoints(Api& api, Services& services) {
  http::RouteOptions streamed{.max_body = services.uploads.limit() + kFormBytes};
  add_limited<Nothing>(
      api, services, Act::upload,
      {.method = Method::post,
       .path = "/chat/upload_media/",
       .summary = "Upload a file",
       .tag = "media",
       .description =
           "A form (multipart/form-data) with one `file`. Send its id as an attachment, or its `file_url` as a message.",
       .replies = {{400, "The form cannot be read"},
                   {413, "The file is too large, or all of yours together (`reason` is `quota`)"},
                   {422, "No file"},
                   {507, "The disk is full"}},
       .options = streamed,
       .request_type = "multipart/form-data",
       .request_schema = http::json::object{{"type", "object"},
                                            {"required", {"file"}},
                                            {"properties", {{"file", {{"type", "string"}, {"format", "binary"}}}}}}},
      [&services](Call call, Nothing, http::BodySource& body) { return receive(services, std::move(call), body); });

  add_limited<MediaInput>(
      api, services, Act::download,
      {.method = Method::get,
       .path = "/media/{id}/{name}",
       .summary = "The bytes of an upload",
       .tag = "media",
       .description =
           "For its uploader and the members of a room it was sent to. A bearer token, or the cookie set at sign-in.",
       .auth = http::Auth::none,
       .replies = {{200, "The file", "*/*"},
                   {206, "The part asked for", "*/*"},
                   {304, "The file the client has"},
                   {401, "Neither token nor cookie"},
                   {404, "No such upload, or not yours to see"},
                   {416, "The range is not there"}}},
      [&services](Call call, MediaInput in) { return send_media(services, std::move(call), std::move(in.path)); });
}

}  // namespace payam::chat::api
