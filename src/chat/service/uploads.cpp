#include "chat/service/uploads.hpp"

#include <algorithm>
#include <exception>
#include <unordered_set>

#include "base/ulid.hpp"
#include "chat/media/file_name.hpp"
#include "chat/rules.hpp"

namespace payam::chat {
namespace {

constexpr int kSweptAtOnce = 500;

std::unexpected<Error> over_quota() {
  return std::unexpected(Error{Errc::too_large, "Your uploads have come to all you may store", "quota"});
}

std::unexpected<Error> no_space() { return fail(Errc::out_of_storage, std::string(rules::kNoSpace)); }

std::unexpected<Error> too_many(Budget::Over whose) {
  if (whose == Budget::Over::total) return fail(Errc::unavailable, "Too many uploads at once; try again");
  return fail(Errc::rate_limited, "Too many of your uploads at once; try again");
}

}  // namespace

Task<Result<Uploads::Receiving>> Uploads::receive(Caller caller, std::uint64_t at_least) {
  auto place = under_way_.take(caller);
  if (!place) co_return too_many(place.error());
  UserId uploader(std::move(caller.user));
  auto share = quota_.open(uploader);
  if (quota_.has_limit()) share.begin(co_await store_.uploaded_bytes(uploader));
  if (!share.fits(at_least)) co_return over_quota();
  if (disk_ != nullptr && !disk_->has_room_for_files(at_least)) co_return no_space();
  UploadId id(new_ulid(clock_()));
  auto file = media_.receive(id, file_limit_);
  co_return Receiving(*this, std::move(uploader), std::move(id), std::move(*place), std::move(share), std::move(file));
}

Task<Result<>> Uploads::Receiving::write(std::string_view bytes) {
  if (!share_.take(bytes.size())) co_return over_quota();
  if (uploads_.disk_ != nullptr && !uploads_.disk_->take_for_files(bytes.size())) co_return no_space();
  co_return co_await file_->write(bytes);
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
  bool fits = true;
  std::exception_ptr outage;
  try {
    const UploadQuota& quota = uploads_.quota_;
    if (quota.has_limit()) {
      const std::uint64_t stored = co_await uploads_.store_.uploaded_bytes(uploader_);
      fits = stored <= quota.limit() && upload.size <= quota.limit() - stored;
    }
    if (fits) co_await uploads_.store_.create_upload(upload);
  } catch (...) {
    outage = std::current_exception();
  }
  if (outage || !fits) co_await uploads_.media_.remove(id_);  // nobody would ever find it
  if (outage) std::rethrow_exception(outage);
  if (!fits) co_return over_quota();
  share_.keep();
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

Task<> Uploads::sweep_unused(Timestamp now) {
  const std::vector<UploadId> unused = co_await store_.unused_uploads(now - kUnusedFor, kSweptAtOnce);
  for (const UploadId& id : unused) {
    if (!co_await store_.delete_unused_upload(id)) continue;
    co_await media_.remove(id);
    swept_.fetch_add(1, std::memory_order_relaxed);
  }
}

Task<> Uploads::sweep_orphans(std::vector<UploadId> kept) {
  if (kept.empty()) co_return;
  const std::vector<UploadId> known = co_await store_.uploads_among(kept);
  const std::unordered_set<UploadId> recorded(known.begin(), known.end());
  for (const UploadId& id : kept) {
    if (recorded.contains(id)) continue;
    co_await media_.remove(id);
    swept_.fetch_add(1, std::memory_order_relaxed);
  }
}

}  // namespace payam::chat
