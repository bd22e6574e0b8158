#include "chat/media/media_files.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cassert>
#include <cerrno>
#include <chrono>
#include <system_error>

#include "base/durable_file.hpp"
#include "chat/media/content_type.hpp"
#include "chat/rules.hpp"
#include "runtime/system_fault.hpp"

namespace payam::chat {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kSpread = 2;  // letters of an id that name its directory

// Of the system call before it.
std::unexpected<Error> fault(const char* step, int error = errno) {
  if (is_out_of_space(error)) return fail(Errc::out_of_storage, std::string(rules::kNoSpace));
  throw_system_fault(error, step);
}

// With its parents; for the owner alone whatever the umask; what is there already becomes so.
void make_private(const fs::path& directory) {
  fs::create_directories(directory);
  fs::permissions(directory, fs::perms::owner_all);
}

}  // namespace

class MediaFiles::IncomingFile final : public Incoming {
 public:
  IncomingFile(MediaFiles& files, UploadId id, std::uint64_t limit)
      : files_(files), id_(std::move(id)), limit_(limit), draft_(files.directory_ / "incoming" / id_.str()) {}
  ~IncomingFile() override;
  IncomingFile(const IncomingFile&) = delete;
  IncomingFile& operator=(const IncomingFile&) = delete;

  Task<Result<>> write(std::string_view bytes) override;
  Task<Result<Kept>> keep() override;

 private:
  MediaFiles& files_;
  const UploadId id_;
  const std::uint64_t limit_;
  const fs::path draft_;
  int descriptor_ = -1;
  std::uint64_t size_ = 0;
};

// Closing and unlinking a file that nobody waits for is quick enough for a shard.
MediaFiles::IncomingFile::~IncomingFile() {
  if (descriptor_ < 0) return;
  ::close(descriptor_);
  ::unlink(draft_.c_str());
}

Task<Result<>> MediaFiles::IncomingFile::write(std::string_view bytes) {
  if (bytes.size() > limit_ - size_) co_return fail(Errc::too_large, fmt::format("The file is larger than {} bytes", limit_));
  auto work = [this, bytes]() mutable -> Result<> {
    if (descriptor_ < 0) {
      descriptor_ = ::open(draft_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
      if (descriptor_ < 0) return fault("create an upload");
    }
    while (!bytes.empty()) {
      const auto written = ::write(descriptor_, bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return fault("write an upload");
      bytes.remove_prefix(static_cast<std::size_t>(written));
      size_ += static_cast<std::uint64_t>(written);
    }
    return {};
  };
  co_return co_await files_.pool_.run(work);
}

Task<Result<MediaFiles::Kept>> MediaFiles::IncomingFile::keep() {
  if (descriptor_ < 0) {  // an empty file
    const auto created = co_await write({});
    if (!created) co_return std::unexpected(created.error());
  }
  auto work = [this]() -> Result<Kept> {
    Kept kept{size_, detect_content_type(descriptor_)};
    if (::fsync(descriptor_) != 0) return fault("sync an upload");
    const fs::path path = files_.path_of(id_);
    if (::mkdir(path.parent_path().c_str(), 0700) == 0) {
      if (const auto unsynced = sync_directory(files_.directory_)) return fault("sync a media directory", unsynced.value());
    } else if (errno != EEXIST) {
      return fault("make a media directory");
    }
    if (::rename(draft_.c_str(), path.c_str()) != 0) return fault("keep an upload");
    if (const auto unsynced = sync_directory(path.parent_path())) {
      ::unlink(path.c_str());
      return fault("sync a media directory", unsynced.value());
    }
    ::close(std::exchange(descriptor_, -1));
    return kept;
  };
  co_return co_await files_.pool_.run(work);
}

MediaFiles::MediaFiles(fs::path directory, WorkerPool& pool) : directory_(std::move(directory)), pool_(pool) {
  make_private(directory_);
  fs::remove_all(directory_ / "incoming");
  make_private(directory_ / "incoming");
}

std::unique_ptr<MediaStore::Incoming> MediaFiles::receive(UploadId id, std::uint64_t limit) {
  return std::make_unique<IncomingFile>(*this, std::move(id), limit);
}

// An id begins with the time; its end is random and spreads the files.
fs::path MediaFiles::path_of(const UploadId& id) const {
  assert(id.str().size() > kSpread && id.str().find_first_of("/.") == std::string::npos);
  return directory_ / id.str().substr(id.str().size() - kSpread) / id.str();
}

Task<std::optional<http::Response::Body>> MediaFiles::open(UploadId id) {
  auto work = [path = path_of(id)]() -> std::optional<http::Response::Body> {
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0 && errno == ENOENT) return std::nullopt;
    if (descriptor < 0) throw_system_fault(errno, "open an upload");
    const std::shared_ptr<const int> owned(new int(descriptor), [](const int* open) {
      ::close(*open);
      delete open;
    });
    struct stat status{};
    if (::fstat(descriptor, &status) != 0) throw_system_fault(errno, "open an upload");
    return http::FileBody{owned, 0, static_cast<std::uint64_t>(status.st_size)};
  };
  co_return co_await pool_.run(work);
}

Task<> MediaFiles::remove(UploadId id) {
  auto work = [path = path_of(id)] { ::unlink(path.c_str()); };
  co_await pool_.run(work);
}

std::vector<UploadId> MediaFiles::next_kept(Timestamp before) {
  std::string first, next;  // of all names, and of those after the last one
  for (const fs::directory_entry& entry : fs::directory_iterator(directory_)) {
    const std::string name = entry.path().filename();
    if (name.size() != kSpread) continue;
    if (first.empty() || name < first) first = name;
    if (name > looked_at_ && (next.empty() || name < next)) next = name;
  }
  looked_at_ = next.empty() ? first : next;
  std::vector<UploadId> ids;
  if (looked_at_.empty()) return ids;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory_ / looked_at_)) {
    struct stat status{};
    if (::stat(entry.path().c_str(), &status) != 0) continue;  // removed meanwhile
    if (Timestamp(std::chrono::seconds(status.st_mtim.tv_sec)) < before) ids.emplace_back(entry.path().filename());
  }
  return ids;
}

}  // namespace payam::chat
