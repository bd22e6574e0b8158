#include "chat/auth/key_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>

#include "base/descriptor.hpp"
#include "base/durable_file.hpp"
#include "base/random.hpp"

namespace payam::chat {
namespace {

constexpr std::size_t kMaxKeyFile = 16 * 1024;

std::unexpected<Error> system_fault(const std::filesystem::path& path, int error) {
  return fail(Errc::unavailable, fmt::format("{}: {}", path.string(), std::strerror(error)));
}

std::unexpected<Error> system_fault(const std::filesystem::path& path, const std::error_code& error) {
  return system_fault(path, error.value());
}

Result<> make_directory(const std::filesystem::path& directory) {
  std::error_code error;
  std::filesystem::create_directories(directory.parent_path(), error);
  if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST) return system_fault(directory, errno);
  return {};
}

// Whole and durable, under another name beside `path`.
Result<std::filesystem::path> write_draft(const std::filesystem::path& path, const TokenKey& key) {
  std::filesystem::path draft = path.string() + "." + random_token(8);
  if (const auto fault = write_durably(draft, key.to_pem(), 0600)) return system_fault(draft, fault);
  return draft;
}

}  // namespace

Result<TokenKey> read_key_file(const std::filesystem::path& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.is_open()) return system_fault(path, errno);
  struct stat status{};
  if (::fstat(file.get(), &status) != 0) return system_fault(path, errno);
  if (!S_ISREG(status.st_mode)) return fail(Errc::invalid, path.string() + ": not a file");
  if ((status.st_mode & 077) != 0) {
    return fail(Errc::forbidden,
                fmt::format("{0}: others than its owner may read this key (do: chmod 600 {0})", path.string()));
  }
  std::string pem(kMaxKeyFile, '\0');
  const auto size = ::read(file.get(), pem.data(), pem.size());
  if (size < 0) return system_fault(path, errno);
  pem.resize(static_cast<std::size_t>(size));
  auto key = TokenKey::from_pem(pem);
  if (!key) return fail(key.error().code, path.string() + ": " + key.error().message);
  return key;
}

Result<TokenKey> read_or_make_key_file(const std::filesystem::path& path) {
  if (::access(path.c_str(), F_OK) == 0) return read_key_file(path);

  const auto directory = path.parent_path();
  if (const auto made = make_directory(directory); !made) return std::unexpected(made.error());

  // link() fails if another process was first, and then its key counts.
  const auto draft = write_draft(path, TokenKey::generate());
  if (!draft) return std::unexpected(draft.error());
  const int fault = ::link(draft->c_str(), path.c_str()) == 0 || errno == EEXIST ? 0 : errno;
  ::unlink(draft->c_str());
  if (fault != 0) return system_fault(path, fault);
  if (const auto unsynced = sync_directory(directory)) return system_fault(directory, unsynced);
  return read_key_file(path);
}

Result<std::vector<RetiredKey>> read_retired_keys(const std::filesystem::path& directory, const std::filesystem::path& current,
                                                  std::chrono::seconds lifetime, Timestamp now) {
  std::vector<RetiredKey> keys;
  std::error_code error, none;  // `current` may stand elsewhere
  for (std::filesystem::directory_iterator entry(directory, error), end; !error && entry != end; entry.increment(error)) {
    const auto& path = entry->path();
    if (path.extension() != ".pem" || std::filesystem::equivalent(path, current, none)) continue;
    struct stat status{};
    if (::stat(path.c_str(), &status) != 0) return system_fault(path, errno);
    const Timestamp until = Timestamp(std::chrono::seconds(status.st_mtim.tv_sec)) + lifetime + kReloadTime;
    if (until <= now) continue;
    auto key = read_key_file(path);
    if (!key) return std::unexpected(std::move(key.error()));
    keys.push_back({std::move(*key), until});
  }
  return keys;
}

Result<TokenKey> rotate_key_file(const std::filesystem::path& path) {
  const auto old = read_key_file(path);
  if (!old) return old;
  const auto draft = write_draft(path, TokenKey::generate());
  if (!draft) return std::unexpected(draft.error());
  // First the old key under its second name, then the new one over the first: without it in no moment. Its time counts from
  // now.
  const auto directory = path.parent_path();
  const auto kept = directory / (old->id() + ".pem");
  const bool rotated = (::link(path.c_str(), kept.c_str()) == 0 || errno == EEXIST) &&
                       ::utimensat(AT_FDCWD, kept.c_str(), nullptr, 0) == 0 && ::rename(draft->c_str(), path.c_str()) == 0;
  if (!rotated) {
    const int fault = errno;
    ::unlink(draft->c_str());
    return system_fault(path, fault);
  }
  if (const auto unsynced = sync_directory(directory)) return system_fault(directory, unsynced);
  return read_key_file(path);
}

Result<> write_key_files(const std::filesystem::path& path, const TokenKey& key, const std::vector<RetiredKey>& retired) {
  const auto directory = path.parent_path();
  if (auto made = make_directory(directory); !made) return made;
  const auto put = [](const std::filesystem::path& at, const TokenKey& one, std::optional<Timestamp> written) -> Result<> {
    const auto draft = write_draft(at, one);
    if (!draft) return std::unexpected(draft.error());
    timespec times[2] = {{0, UTIME_OMIT}, {0, UTIME_NOW}};
    if (written) times[1] = {std::chrono::floor<std::chrono::seconds>(*written).time_since_epoch().count(), 0};
    if (::utimensat(AT_FDCWD, draft->c_str(), times, 0) == 0 && ::rename(draft->c_str(), at.c_str()) == 0) return {};
    const int fault = errno;
    ::unlink(draft->c_str());
    return system_fault(at, fault);
  };
  for (const RetiredKey& one : retired) {
    if (auto written = put(directory / (one.key.id() + ".pem"), one.key, one.until); !written) return written;
  }
  if (auto written = put(path, key, std::nullopt); !written) return written;
  if (const auto unsynced = sync_directory(directory)) return system_fault(directory, unsynced);
  return {};
}

}  // namespace payam::chat
