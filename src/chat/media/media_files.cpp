#include "chat/media/media_files.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cassert>
#include <cerrno>
#include <system_error>

#include "base/durable_file.hpp"
#include "chat/media/content_type.hpp"

namespace payam::chat {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void throw_errno(const char* step) { throw std::system_error(errno, std::generic_category(), step); }

void sync_names(const fs::path& directory) {
  if (const auto fault = sync_directory(directory)) throw std::system_error(fault, "sync a media directory");
}

bool disk_is_full() { return errno == ENOSPC || errno == EDQUOT; }

std::unexpected<Error> out_of_storage() { return fail(Errc::out_of_storage, "No space left for uploads"); }

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
      if (descriptor_ < 0) {
        if (disk_is_full()) return out_of_storage();
        throw_errno("create an upload");
      }
    }
    while (!bytes.empty()) {
      const auto written = ::write(descriptor_, bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0 && disk_is_full()) return out_of_storage();
      if (written < 0) throw_errno("write an upload");
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
    if (::fsync(descriptor_) != 0) {
      if (disk_is_full()) return out_of_storage();
      throw_errno("sync an upload");
    }
    const fs::path path = files_.path_of(id_);
    if (::mkdir(path.parent_path().c_str(), 0700) == 0) {
      sync_names(files_.directory_);
    } else if (errno != EEXIST) {
      throw_errno("make a media directory");
    }
    if (::rename(draft_.c_str(), path.c_str()) != 0) throw_errno("keep an upload");
    sync_names(path.parent_path());
    ::close(std::exchange(descriptor_, -1));
    return kept;
  };
  co_return co_await files_.pool_.run(work);
}

MediaFiles::MediaFiles(fs::path directory, WorkerPool& pool) : directory_(std::move(directory)), pool_(pool) {
  fs::create_directories(directory_);
  fs::permissions(directory_, fs::perms::owner_all);
  fs::remove_all(directory_ / "incoming");
  fs::create_directory(directory_ / "incoming");
}

std::unique_ptr<MediaStore::Incoming> MediaFiles::receive(UploadId id, std::uint64_t limit) {
  return std::make_unique<IncomingFile>(*this, std::move(id), limit);
}

// An id begins with the time; its end is random and spreads the files.
fs::path MediaFiles::path_of(const UploadId& id) const {
  assert(id.str().size() > 2 && id.str().find_first_of("/.") == std::string::npos);
  return directory_ / id.str().substr(id.str().size() - 2) / id.str();
}

Task<std::optional<http::Response::Body>> MediaFiles::open(UploadId id) {
  auto work = [path = path_of(id)]() -> std::optional<http::Response::Body> {
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0 && errno == ENOENT) return std::nullopt;
    if (descriptor < 0) throw_errno("open an upload");
    const std::shared_ptr<const int> owned(new int(descriptor), [](const int* open) {
      ::close(*open);
      delete open;
    });
    struct stat status{};
    if (::fstat(descriptor, &status) != 0) throw_errno("open an upload");
    return http::FileBody{owned, 0, static_cast<std::uint64_t>(status.st_size)};
  };
  co_return co_await pool_.run(work);
}

Task<> MediaFiles::remove(UploadId id) {
  auto work = [path = path_of(id)] { ::unlink(path.c_str()); };
  co_await pool_.run(work);
}

}  // namespace payam::chat
