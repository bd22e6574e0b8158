#include "chat/service/uploads.hpp"

#include <exception>

#include "base/ulid.hpp"
#include "chat/media/file_name.hpp"

namespace payam::chat {

Uploads::Receiving Uploads::receive(UserId uploader) {
  UploadId id(new_ulid(clock_()));
  auto file = files_.receive(id, limit_);
  return Receiving(*this, std::move(uploader), std::move(id), std::move(file));
}

Task<Result<Upload>> Uploads::Receiving::finish(std::string name) {
  auto kept = co_await file_->keep();
  if (!kept) co_return std::unexpected(std::move(kept.error()));
  Upload upload;
  upload.id = id_;
  upload.uploader = uploader_;
  upload.name = clean_file_name(name);
  upload.content_type = std::move(kept->content_type);
  upload.size = kept->size;
  upload.created_at = uploads_.clock_();
  std::exception_ptr outage;
  try {
    co_await uploads_.store_.create_upload(upload);
  } catch (...) {
    outage = std::current_exception();
  }
  if (outage) {
    co_await uploads_.files_.remove(id_);  // nobody would ever find it
    std::rethrow_exception(outage);
  }
  co_return upload;
}

Task<std::optional<Uploads::Found>> Uploads::find(UploadId id, UserId viewer) {
  auto upload = co_await store_.find_upload(id, std::move(viewer));
  if (!upload) co_return std::nullopt;
  auto descriptor = co_await files_.open(std::move(id));
  if (!descriptor) co_return std::nullopt;
  co_return Found{std::move(*upload), std::move(descriptor)};
}

}  // namespace payam::chat
