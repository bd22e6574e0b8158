#include "chat/service/uploads.hpp"

#include <algorithm>
#include <exception>
#include <limits>

#include "base/ulid.hpp"
#include "chat/media/file_name.hpp"

namespace payam::chat {

namespace {

std::unexpected<Error> over_quota() { return fail(Errc::out_of_storage, "Your uploads have come to all you may store"); }

}  // namespace

Task<std::uint64_t> Uploads::left_of_quota(UserId user) {
  if (limits_.user == 0) co_return std::numeric_limits<std::uint64_t>::max();
  const std::uint64_t used = co_await store_.uploaded_bytes(std::move(user));
  co_return limits_.user - std::min(used, limits_.user);
}

Task<Uploads::Receiving> Uploads::receive(UserId uploader) {
  const std::uint64_t left = co_await left_of_quota(uploader);
  UploadId id(new_ulid(clock_()));
  auto file = media_.receive(id, limits_.file);
  co_return Receiving(*this, std::move(uploader), std::move(id), left, std::move(file));
}

Task<Result<>> Uploads::Receiving::write(std::string_view bytes) {
  if (bytes.size() > left_) co_return over_quota();
  left_ -= bytes.size();
  co_return co_await file_->write(bytes);
}

Task<Result<Upload>> Uploads::Receiving::finish(std::string name) {
  auto kept = co_await file_->keep();
  if (!kept) co_return std::unexpected(std::move(kept.error()));
  // Again, as several may have come at once.
  const std::uint64_t left = co_await uploads_.left_of_quota(uploader_);
  if (kept->size > left) {
    co_await uploads_.media_.remove(id_);
    co_return over_quota();
  }
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
    co_await uploads_.media_.remove(id_);  // nobody would ever find it
    std::rethrow_exception(outage);
  }
  uploads_.kept_.fetch_add(1, std::memory_order_relaxed);
  uploads_.kept_bytes_.fetch_add(upload.size, std::memory_order_relaxed);
  co_return upload;
}

Task<std::optional<Uploads::Found>> Uploads::find(UploadId id, UserId viewer) {
  auto upload = co_await store_.find_upload(id, std::move(viewer));
  if (!upload) co_return std::nullopt;
  auto content = co_await media_.open(std::move(id));
  if (!content) co_return std::nullopt;
  co_return Found{std::move(*upload), std::move(*content)};
}

}  // namespace payam::chat
