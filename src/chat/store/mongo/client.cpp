#include "chat/store/mongo/client.hpp"

#include <fmt/format.h>
#include <mongoc/mongoc.h>

#include <algorithm>
#include <array>

namespace payam::chat::mongo {
namespace {

constexpr int kDuplicateKey = 11000;
constexpr int kOlderDuplicateKey = 11001;
constexpr std::uint32_t kSpareConnections = 4;     // for threads of the store's own
constexpr std::size_t kCommandBytes = 12 << 20;    // of documents in one command; a server takes 16 MiB
constexpr std::size_t kCommandDocuments = 10'000;  // a server takes 100,000

// Not primary (any more), shutting down, over its own time, not replicated in time: it may be done, or be possible, later.
constexpr std::array kPassing = {6, 7, 50, 64, 89, 91, 100, 189, 262, 9001, 10058, 10107, 11600, 11602, 13435, 13436};

constexpr int kOutOfDiskSpace = 14031;
constexpr std::array<std::string_view, 4> kNoSpace = {"No space left on device", "over your space quota", "OutOfDiskSpace",
                                                      "Disk quota exceeded"};

bool is_passing(int code) { return std::ranges::find(kPassing, code) != kPassing.end(); }
bool is_duplicate(int code) { return code == kDuplicateKey || code == kOlderDuplicateKey; }

[[noreturn]] void throw_server_error(int code, std::string_view text) {
  const std::string what = fmt::format("database: {} ({})", text, code);
  if (is_out_of_space(code, text)) throw OutOfStorage(what);
  if (is_passing(code)) throw Outage(what);
  if (is_duplicate(code)) throw DuplicateKey(code, what);
  throw MongoError(code, what);
}

[[noreturn]] void throw_error(const bson_error_t& error) {
  switch (error.domain) {
    case MONGOC_ERROR_SERVER: throw_server_error(static_cast<int>(error.code), error.message);
    case MONGOC_ERROR_STREAM:
    case MONGOC_ERROR_SERVER_SELECTION:
    case MONGOC_ERROR_WRITE_CONCERN:
    case MONGOC_ERROR_POOL:
    case MONGOC_ERROR_PROTOCOL: throw Outage(fmt::format("database: {}", error.message));
    case MONGOC_ERROR_CLIENT:
      if (error.code != MONGOC_ERROR_CLIENT_AUTHENTICATE) throw Outage(fmt::format("database: {}", error.message));
      [[fallthrough]];
    default: throw MongoError(0, fmt::format("database: {}", error.message));
  }
}

// The library's own tables; made before the first client, freed after the last.
void start_library() {
  struct Library {
    Library() {
      mongoc_log_set_handler(nullptr, nullptr);  // what matters is thrown
      mongoc_init();
    }
    ~Library() { mongoc_cleanup(); }
  };
  static const Library library;
}

using Uri = std::unique_ptr<mongoc_uri_t, decltype(&mongoc_uri_destroy)>;

Uri parse(const Client::Options& options) {
  bson_error_t error;
  Uri uri(mongoc_uri_new_with_error(options.url.c_str(), &error), &mongoc_uri_destroy);
  if (!uri) {
    // The library's text may quote a part of the string.
    const bool has_secrets = options.url.find('@') != std::string::npos;
    throw std::runtime_error(fmt::format("the database's url is no MongoDB connection string{}{}", has_secrets ? "" : ": ",
                                         has_secrets ? "" : error.message));
  }
  const auto set_unless_given = [&uri](const char* name, std::int32_t value) {
    if (!mongoc_uri_has_option(uri.get(), name)) mongoc_uri_set_option_as_int32(uri.get(), name, value);
  };
  set_unless_given(MONGOC_URI_CONNECTTIMEOUTMS, static_cast<std::int32_t>(options.connect_timeout.count()));
  set_unless_given(MONGOC_URI_SERVERSELECTIONTIMEOUTMS, static_cast<std::int32_t>(options.selection_timeout.count()));
  set_unless_given(MONGOC_URI_SOCKETTIMEOUTMS, static_cast<std::int32_t>(options.socket_timeout.count()));
  set_unless_given(MONGOC_URI_HEARTBEATFREQUENCYMS, 5'000);
  if (!mongoc_uri_has_option(uri.get(), MONGOC_URI_RETRYWRITES)) {
    mongoc_uri_set_option_as_bool(uri.get(), MONGOC_URI_RETRYWRITES,
                                  true);  // left out by the library where there are no sessions
  }
  // Not the operator's to lower: an acknowledged change is on disk.
  mongoc_write_concern_t* durable = mongoc_write_concern_new();
  mongoc_write_concern_set_wmajority(durable, -1);
  mongoc_write_concern_set_journal(durable, true);
  mongoc_uri_set_write_concern(uri.get(), durable);
  mongoc_write_concern_destroy(durable);
  return uri;
}

std::string database_of(const Client::Options& options) {
  if (!options.database.empty()) return options.database;
  const Uri uri = parse(options);
  const char* name = mongoc_uri_get_database(uri.get());
  return name != nullptr ? name : "payam";
}

mongoc_client_pool_t* make_pool(const Client::Options& options) {
  start_library();
  const Uri uri = parse(options);
  bson_error_t error;
  mongoc_client_pool_t* pool = mongoc_client_pool_new_with_error(uri.get(), &error);
  if (pool == nullptr) throw std::runtime_error(fmt::format("database: {}", error.message));
  mongoc_client_pool_set_error_api(pool, MONGOC_ERROR_API_VERSION_2);
  mongoc_client_pool_set_appname(pool, "payam");
  mongoc_client_pool_max_size(pool, static_cast<std::uint32_t>(options.threads) + kSpareConnections);
  return pool;
}

// The first error of a write's reply.
struct WriteError {
  std::size_t index = 0;
  int code = 0;
  std::string_view text;
};
std::optional<WriteError> first_error(View reply) {
  std::optional<WriteError> first;
  for (const View& error : reply.get<std::vector<View>>("writeErrors")) {
    const WriteError one{error.get<std::size_t>("index"), error.get<int>("code"),
                         error.get<std::optional<std::string_view>>("errmsg").value_or("")};
    if (!first || one.index < first->index) first = one;
  }
  return first;
}

// How many of `documents` from `first` on one command carries.
std::size_t fitting(std::span<const Document> documents, std::size_t first) {
  std::size_t bytes = 0, end = first;
  while (end < documents.size() && end - first < kCommandDocuments) {
    bytes += documents[end].size();
    if (bytes > kCommandBytes && end > first) break;
    ++end;
  }
  return end - first;
}

Document deletion(std::string_view collection, View query, int limit) {
  return doc("delete", collection, "deletes", Array().push(doc("q", query, "limit", limit)));
}

Document update_document(const Update& update) {
  Document document = doc("q", update.query, "u", update.change);
  if (update.which == Update::Which::all) document.add("multi", true);
  if (update.which == Update::Which::one_or_new) document.add("upsert", true);
  return document;
}

}  // namespace

bool is_out_of_space(int code, std::string_view text) {
  return code == kOutOfDiskSpace ||
         std::ranges::any_of(kNoSpace, [text](std::string_view part) { return text.contains(part); });
}

void Cursor::Destroy::operator()(mongoc_cursor_t* cursor) const { mongoc_cursor_destroy(cursor); }

std::optional<View> Cursor::next() {
  const bson_t* document = nullptr;
  if (mongoc_cursor_next(handle_.get(), &document)) return View(bson_get_data(document), document->len);
  bson_error_t error;
  if (mongoc_cursor_error(handle_.get(), &error)) throw_error(error);
  return std::nullopt;
}

std::vector<Document> Cursor::all() {
  std::vector<Document> documents;
  while (const auto document = next()) documents.emplace_back(*document);
  return documents;
}

void Connection::GiveBack::operator()(mongoc_client_t* client) const { mongoc_client_pool_push(pool, client); }

Document Connection::command(View command) {
  bson_t request, reply;
  bson_error_t error;
  if (!bson_init_static(&request, command.data(), command.size())) throw BsonError("a command is no BSON");
  const bool well = mongoc_client_command_simple(client_.get(), database_->c_str(), &request, nullptr, &reply, &error);
  Document result;
  if (well) result.add_all(View(bson_get_data(&reply), reply.len));
  bson_destroy(&reply);
  if (!well) throw_error(error);
  return result;
}

Document Connection::write(View command) {
  bson_t request, reply;
  bson_error_t error;
  if (!bson_init_static(&request, command.data(), command.size())) throw BsonError("a command is no BSON");
  const bool well = mongoc_client_write_command_with_opts(client_.get(), database_->c_str(), &request, nullptr, &reply, &error);
  Document result;
  if (well) result.add_all(View(bson_get_data(&reply), reply.len));
  bson_destroy(&reply);
  if (!well) throw_error(error);
  if (const auto concern = result.view().get<std::optional<View>>("writeConcernError")) {
    throw Outage(fmt::format("database: {}", concern->get<std::optional<std::string_view>>("errmsg").value_or("not durable")));
  }
  return result;
}

std::optional<std::size_t> Connection::insert(std::string_view collection, std::span<const Document> documents) {
  for (std::size_t first = 0; first < documents.size();) {
    const std::size_t count = fitting(documents, first);
    const Document reply =
        write(doc("insert", collection, "ordered", true, "documents", list(documents.subspan(first, count))));
    if (const auto error = first_error(reply)) {
      if (is_duplicate(error->code)) return first + error->index;
      throw_server_error(error->code, error->text);
    }
    first += count;
  }
  return std::nullopt;
}

bool Connection::insert(std::string_view collection, const Document& document) {
  return !insert(collection, std::span(&document, 1)).has_value();
}

void Connection::insert_missing(std::string_view collection, std::span<const Document> documents) {
  for (std::size_t first = 0; first < documents.size();) {
    const std::size_t count = fitting(documents, first);
    const Document reply =
        write(doc("insert", collection, "ordered", false, "documents", list(documents.subspan(first, count))));
    for (const View& error : reply.view().get<std::vector<View>>("writeErrors")) {
      const int code = error.get<int>("code");
      if (!is_duplicate(code)) throw_server_error(code, error.get<std::optional<std::string_view>>("errmsg").value_or(""));
    }
    first += count;
  }
}

std::int64_t Connection::update(std::string_view collection, View query, View change, Update::Which which) {
  const Update one{Document(query), Document(change), which};
  return update(collection, std::span(&one, 1));
}

std::int64_t Connection::update(std::string_view collection, std::span<const Update> updates) {
  std::int64_t fitted = 0;
  for (std::size_t first = 0; first < updates.size();) {
    Array statements;
    std::size_t bytes = 0;
    while (first < updates.size() && statements.size() < kCommandDocuments && bytes < kCommandBytes) {
      const Document statement = update_document(updates[first++]);
      bytes += statement.size();
      statements.push(statement);
    }
    const Document reply = write(doc("update", collection, "ordered", true, "updates", statements));
    if (const auto error = first_error(reply)) throw_server_error(error->code, error->text);
    fitted += reply.view().get<std::int64_t>("n");
  }
  return fitted;
}

std::optional<Document> Connection::find_and_update(std::string_view collection, View query, View change) {
  const Document reply = write(doc("findAndModify", collection, "query", query, "update", change));
  const auto found = reply.view().get<std::optional<View>>("value");
  return found ? std::optional<Document>(Document(*found)) : std::nullopt;
}

std::int64_t Connection::remove_one(std::string_view collection, View query) {
  const Document reply = write(deletion(collection, query, 1));
  if (const auto error = first_error(reply)) throw_server_error(error->code, error->text);
  return reply.view().get<std::int64_t>("n");
}

std::int64_t Connection::remove_all(std::string_view collection, View query) {
  const Document reply = write(deletion(collection, query, 0));
  if (const auto error = first_error(reply)) throw_server_error(error->code, error->text);
  return reply.view().get<std::int64_t>("n");
}

Cursor Connection::find(std::string_view collection, View query, const FindOptions& options) {
  Document with;
  if (!options.sort.empty()) with.add("sort", options.sort);
  if (!options.projection.empty()) with.add("projection", options.projection);
  if (options.limit > 0) with.add("limit", options.limit);
  if (options.skip > 0) with.add("skip", options.skip);
  if (options.time > Millis(0)) with.add("maxTimeMS", options.time.count());
  bson_t filter;
  if (!bson_init_static(&filter, query.data(), query.size())) throw BsonError("a query is no BSON");
  using Collection = std::unique_ptr<mongoc_collection_t, decltype(&mongoc_collection_destroy)>;
  const Collection handle(mongoc_client_get_collection(client_.get(), database_->c_str(), std::string(collection).c_str()),
                          &mongoc_collection_destroy);
  return Cursor(mongoc_collection_find_with_opts(handle.get(), &filter, with.handle(), nullptr));
}

std::optional<Document> Connection::find_one(std::string_view collection, View query, const FindOptions& options) {
  const FindOptions one{options.sort.copy(), options.projection.copy(), 1, options.skip, options.time};
  Cursor cursor = find(collection, query, one);
  const auto found = cursor.next();
  return found ? std::optional<Document>(Document(*found)) : std::nullopt;
}

std::int64_t Connection::count(std::string_view collection, View query) {
  return command(doc("count", collection, "query", query)).view().get<std::int64_t>("n");
}

void Connection::create_indexes(std::string_view collection, std::span<const Index> indexes) {
  Array wanted;
  for (const Index& index : indexes) {
    Document one = doc("name", index.name, "key", index.keys);
    if (index.unique) one.add("unique", true);
    wanted.push(one);
  }
  write(doc("createIndexes", collection, "indexes", wanted));
}

void Client::Destroy::operator()(mongoc_client_pool_t* pool) const { mongoc_client_pool_destroy(pool); }

Client::Client(const Options& options)
    : patience_(options.patience), handle_(make_pool(options)), pool_("the database", options.threads, options.queue_limit) {
  database_ = database_of(options);
}

Client::~Client() = default;

Connection Client::connect() { return Connection(mongoc_client_pool_pop(handle_.get()), handle_.get(), database_); }

void Client::check_in_time(SteadyTime until) {
  if (steady_now() > until) throw Overloaded("the database is slow or away");
}

}  // namespace payam::chat::mongo
