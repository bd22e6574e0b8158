#include "chat/app/options.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>

#include "chat/app/dotenv.hpp"

namespace payam::chat {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

using Map = std::map<std::string, std::string>;

Result<Command> parse(std::vector<std::string> arguments, Map environment = {}, Map dotenv = {}) {
  const Environment lookup = [&](const std::string& name) -> std::optional<std::string> {
    const auto found = environment.find(name);
    return found == environment.end() ? std::nullopt : std::optional(found->second);
  };
  return parse_command(arguments, lookup, dotenv);
}

Options options_of(std::vector<std::string> arguments, Map environment = {}, Map dotenv = {}) {
  arguments.insert(arguments.begin(), "serve");
  const auto command = parse(arguments, environment, dotenv);
  if (!command) {
    ADD_FAILURE() << command.error().message;
    return {};
  }
  return std::get<Serve>(*command).options;
}

std::string error_of(std::vector<std::string> arguments, Map environment = {}, Map dotenv = {}) {
  const auto command = parse(arguments, environment, dotenv);
  return command ? "none" : command.error().message;
}

TEST(Options, HaveTheDefaultsOfTheContract) {
  const Options options = options_of({});
  EXPECT_EQ(options.host, "127.0.0.1");
  EXPECT_EQ(options.port, 8000);
  EXPECT_EQ(options.data_dir, "./data");
  EXPECT_EQ(options.bcrypt_cost, 12);
  EXPECT_EQ(options.algorithm, TokenAlgorithm::es256);
  EXPECT_EQ(options.access_token_lifetime, std::chrono::minutes(30));
  EXPECT_EQ(options.session_idle_time, std::chrono::days(90));
  EXPECT_TRUE(options.password_denylist.empty());
  EXPECT_EQ(options.signup, SignupMode::open);
}

TEST(Options, ThePublicUrlIsAnOrigin) {
  EXPECT_EQ(options_of({}).public_url, "");
  for (const std::string good :
       {"https://chat.example.org", "http://localhost:8000", "https://192.0.2.1", "https://[2001:db8::1]:8443"}) {
    EXPECT_EQ(options_of({"--public-url", good}).public_url, good);
    EXPECT_EQ(options_of({}, {{"PUBLIC_URL", good + "/"}}).public_url, good);
  }
  for (const std::string bad :
       {"chat.example.org", "ftp://x", "https://", "https:///", "https://:80", "https://x:", "https://x:0", "https://x:65536",
        "https://x:8a", "https://x/chat", "https://x?a", "https://u@x", "https://[::1", "https://[]", "https://::1",
        "https://a b", "http", "https://x//"}) {
    EXPECT_THAT(error_of({"serve", "--public-url", bad}), HasSubstr("--public-url: '" + bad + "' is not of the form")) << bad;
  }
}

TEST(Options, TheOtherCommandsKnowWhereTheKeysAre) {
  const auto invite =
      parse({"invite", "--data-dir", "/srv/payam"}, {{"ALGORITHM", "HS256"}, {"SECRET_KEY", std::string(32, 'x')}});
  ASSERT_TRUE(invite) << invite.error().message;
  EXPECT_EQ(std::get<MakeInvite>(*invite).options.data_dir, "/srv/payam");
  EXPECT_EQ(std::get<MakeInvite>(*invite).options.algorithm, TokenAlgorithm::hs256);
  EXPECT_EQ(std::get<RotateKey>(parse({"rotate-key"}, {{"DATA_DIR", "/srv/payam"}}).value()).options.data_dir, "/srv/payam");
  EXPECT_THAT(error_of({"invite", "--port", "1"}), HasSubstr("unknown option --port"));
}

TEST(Options, ModesHaveNames) {
  EXPECT_EQ(options_of({"--signup", "invite"}).signup, SignupMode::invite);
  EXPECT_EQ(options_of({"--user-directory", "exact"}).directory, UserDirectory::exact);
  EXPECT_EQ(options_of({}, {{"USER_DIRECTORY", "off"}}).directory, UserDirectory::off);
  EXPECT_TRUE(options_of({}).limits.rates);
  EXPECT_FALSE(options_of({"--rate-limits", "off"}).limits.rates);
  EXPECT_EQ(options_of({"--rate-limits", "sends=20/s"}).limits.rates.value().sends.burst, 20);
  EXPECT_EQ(options_of({}).log_format, log::Format::text);
  EXPECT_EQ(options_of({"--log-format", "json"}).log_format, log::Format::json);
  EXPECT_EQ(options_of({}).metrics, MetricsAccess::local);
  EXPECT_EQ(options_of({"--metrics", "off"}).metrics, MetricsAccess::off);
}

TEST(Options, AFlagWinsOverTheEnvironmentAndThatOverDotenv) {
  const Map environment{{"PORT", "2"}, {"HOST", "::1"}};
  const Map dotenv{{"PORT", "3"}, {"HOST", "0.0.0.0"}, {"DATA_DIR", "/srv/payam"}};
  const Options options = options_of({"--port", "1"}, environment, dotenv);
  EXPECT_EQ(options.port, 1);
  EXPECT_EQ(options.host, "::1");
  EXPECT_EQ(options.data_dir, "/srv/payam");
}

TEST(Options, TakeEachKindOfValue) {
  const Options options =
      options_of({"--port=0", "--max-upload-bytes", "2G", "--log-level", "WARNING", "--signup", "closed", "--cors-origins",
                  "https://a.example, https://b.example", "--access-token-expire-minutes", "5", "--threads", "3",
                  "--session-idle-days", "7", "--password-denylist", "/etc/payam/denied"});
  EXPECT_EQ(options.port, 0);
  EXPECT_EQ(options.max_upload_bytes, 2147483648u);
  EXPECT_EQ(options_of({"--user-quota-bytes", "0"}).user_quota_bytes, 0u);
  EXPECT_EQ(options_of({"--min-free-bytes", "0"}).min_free_bytes, 0u);
  EXPECT_EQ(options_of({"--min-free-bytes", "500M"}).min_free_bytes, 524288000u);
  EXPECT_EQ(options.log_level, LogLevel::warn);
  EXPECT_EQ(options.signup, SignupMode::closed);
  EXPECT_THAT(options.cors_origins, ElementsAre("https://a.example", "https://b.example"));
  EXPECT_EQ(options.access_token_lifetime, std::chrono::minutes(5));
  EXPECT_EQ(options.threads, 3);
  EXPECT_EQ(options.session_idle_time, std::chrono::days(7));
  EXPECT_EQ(options.password_denylist, "/etc/payam/denied");
}

TEST(Options, TheLastOfTwoFlagsCounts) { EXPECT_EQ(options_of({"--port", "1", "--port", "2"}).port, 2); }

TEST(Options, AnEmptyVariableIsNotSet) { EXPECT_EQ(options_of({}, {{"PORT", ""}}, {{"HOST", ""}}).port, 8000); }

TEST(Options, AnUnknownOneNamesTheNearest) {
  EXPECT_EQ(error_of({"serve", "--prot", "1"}), "unknown option --prot; did you mean --port?");
  EXPECT_EQ(error_of({"serve", "--datadir=/x"}), "unknown option --datadir; did you mean --data-dir?");
  EXPECT_EQ(error_of({"serve"}, {}, {{"SECRETKEY", "x"}}), ".env: unknown option SECRETKEY; did you mean SECRET_KEY?");
  EXPECT_EQ(error_of({"serve", "now"}), "unexpected argument 'now'");
}

TEST(Options, AWrongValueNamesItsOptionAndWhereItStands) {
  EXPECT_EQ(error_of({"serve", "--port", "70000"}), "--port: '70000' is not a number from 0 to 65535");
  EXPECT_EQ(error_of({"serve"}, {{"PORT", "80x"}}), "PORT: '80x' is not a number from 0 to 65535");
  EXPECT_EQ(error_of({"serve"}, {}, {{"BCRYPT_COST", "3"}}), ".env: BCRYPT_COST: '3' is not a number from 4 to 20");
  EXPECT_EQ(error_of({"serve", "--algorithm", "none"}), "--algorithm: 'none' is none of: ES256, HS256");
  EXPECT_EQ(error_of({"serve", "--max-upload-bytes", "0"}),
            "--max-upload-bytes: '0' is not a size in bytes (1048576, 500K, 100M, 2G)");
  EXPECT_EQ(error_of({"serve", "--max-upload-bytes", "lots"}),
            "--max-upload-bytes: 'lots' is not a size in bytes (1048576, 500K, 100M, 2G)");
  EXPECT_THAT(error_of({"serve", "--port"}), HasSubstr("--port"));
}

TEST(Options, Hs256NeedsASecretThatIsLongEnough) {
  const std::string secret = "0123456789abcdef0123456789abcdef";
  EXPECT_EQ(options_of({}, {{"ALGORITHM", "HS256"}, {"SECRET_KEY", secret}}).secret_key, secret);
  EXPECT_THAT(error_of({"serve"}, {{"ALGORITHM", "HS256"}}), HasSubstr("needs SECRET_KEY"));
  EXPECT_THAT(error_of({"serve"}, {{"ALGORITHM", "HS256"}, {"SECRET_KEY", "secret"}}), HasSubstr("at least 32 bytes"));
}

TEST(Options, WhatComesLaterIsRefusedAndNotIgnored) {
  EXPECT_EQ(error_of({"serve", "--redis-url", "redis://127.0.0.1"}), "--redis-url: not supported by this version");
}

const std::string kSecret = "0123456789abcdef0123456789abcdef";

TEST(Options, WithoutADatabaseEverythingIsUnderTheDataDirectory) {
  const Options options = options_of({});
  EXPECT_FALSE(options.on_mongodb());
  EXPECT_TRUE(options.uses_data_dir());
  EXPECT_EQ(options.media_store, MediaKind::directory);
  EXPECT_EQ(options.user_quota_bytes, 5368709120u);
  EXPECT_EQ(options.min_free_bytes, std::nullopt);
  EXPECT_THAT(error_of({"serve", "--media-store", "gridfs"}), HasSubstr("needs DATABASE_URL"));
}

TEST(Options, MongodbTakesTheUploadsToo) {
  const Options options = options_of({}, {{"DATABASE_URL", "mongodb://db.example.org"}, {"SECRET_KEY", kSecret}});
  EXPECT_TRUE(options.on_mongodb());
  EXPECT_EQ(options.media_store, MediaKind::gridfs);
  EXPECT_FALSE(options.uses_data_dir());
  const Options files = options_of({"--media-store", "dir"}, {{"DATABASE_URL", "mongodb://h"}, {"SECRET_KEY", kSecret}});
  EXPECT_EQ(files.media_store, MediaKind::directory);
  EXPECT_TRUE(files.uses_data_dir());
}

TEST(Options, TheDatabaseIsNamedByItsUrlOrByItsOption) {
  const auto name = [](const std::string& url, const std::string& option) {
    return options_of({}, {{"DATABASE_URL", url}, {"DATABASE_NAME", option}, {"SECRET_KEY", kSecret}}).database_name;
  };
  EXPECT_EQ(name("mongodb://h", ""), "chat_app");
  EXPECT_EQ(name("mongodb://h/?replicaSet=r", "talk"), "talk");
  EXPECT_EQ(name("mongodb://u:p@h1:27017,h2/mine?tls=true", "talk"), "mine");
  EXPECT_EQ(name("mongodb+srv://cluster.example.org/mine", ""), "mine");
  EXPECT_EQ(error_of({"serve", "--database-name", "a.b"}), "--database-name: 'a.b' is no name of a database");
}

TEST(Options, MongodbNeedsASecretAndAnUrlThatIsOne) {
  EXPECT_THAT(error_of({"serve"}, {{"DATABASE_URL", "mongodb://h"}}), HasSubstr("MongoDB needs SECRET_KEY"));
  EXPECT_THAT(error_of({"serve"}, {{"DATABASE_URL", "mongodb://h"}, {"SECRET_KEY", "short"}}), HasSubstr("at least 32 bytes"));
  EXPECT_EQ(error_of({"serve", "--database-url", "postgres://h"}),
            "--database-url: 'postgres://h' does not begin with mongodb:// or mongodb+srv://");
  EXPECT_THAT(error_of({"serve", "--database-url", "sqlite:///x"}), HasSubstr("SQLite is used when this is not set"));
}

TEST(Options, MigrationsGoFromOneUrlToAnother) {
  const auto migration = [](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "migrate");
    return std::get<Migrate>(parse(arguments, {{"SECRET_KEY", kSecret}, {"DATA_DIR", "/elsewhere"}}).value());
  };
  const Migrate there = migration({"--from", "sqlite:///var/lib/payam", "--to", "mongodb://h/talk"});
  EXPECT_FALSE(there.from_chat_service);
  EXPECT_EQ(there.from.data_dir, "/var/lib/payam");
  EXPECT_FALSE(there.from.on_mongodb());
  EXPECT_EQ(there.to.database_name, "talk");
  EXPECT_EQ(there.to.secret_key, kSecret);
  EXPECT_EQ(there.to.media_store, MediaKind::gridfs);
  EXPECT_EQ(migration({"--from", "mongodb://h/talk", "--to", "sqlite:///./data"}).to.data_dir, "./data");
  EXPECT_TRUE(migration({"--from-chat-service", "mongodb://h/old", "--to", "mongodb://h/new"}).from_chat_service);
}

TEST(Options, AMigrationSaysWhatIsMissing) {
  EXPECT_THAT(error_of({"migrate", "--to", "sqlite:///x"}), HasSubstr("one of --from and --from-chat-service"));
  EXPECT_THAT(error_of({"migrate", "--from", "sqlite:///x"}), HasSubstr("needs --to"));
  EXPECT_THAT(error_of({"migrate", "--from", "mongodb://h", "--to", "sqlite:///x"}), HasSubstr("does not name the database"));
  EXPECT_THAT(error_of({"migrate", "--from", "sqlite:///x", "--to", "mongodb://h/n"}), HasSubstr("MongoDB needs SECRET_KEY"));
  EXPECT_THAT(error_of({"migrate", "--from-chat-service", "sqlite:///x", "--to", "sqlite:///y"}), HasSubstr("MongoDB"));
  EXPECT_EQ(error_of({"migrate", "--form", "x"}), "unknown option --form; did you mean --from?");
}

TEST(Options, TlsNeedsBothFiles) { EXPECT_EQ(error_of({"serve", "--tls-cert", "c.pem"}), "TLS_CERT and TLS_KEY go together"); }

TEST(Options, HelpAndVersionArePrinted) {
  const auto text_of = [](std::vector<std::string> arguments) { return std::get<Print>(parse(arguments).value()).text; };
  EXPECT_EQ(text_of({"--version"}), "payam " PAYAM_VERSION "\n");
  EXPECT_THAT(text_of({}), HasSubstr("payam serve"));
  EXPECT_EQ(text_of({"--help"}), text_of({}));
  EXPECT_THAT(text_of({"serve", "--help"}), HasSubstr("--data-dir DIRECTORY"));
  EXPECT_THAT(text_of({"serve", "--help"}), HasSubstr("[127.0.0.1]"));
}

TEST(Dotenv, ReadsWhatPeopleWrite) {
  const auto values = parse_dotenv(
      "# a comment\n"
      "\n"
      "PORT=8001\r\n"
      "export HOST = 0.0.0.0   # everywhere\n"
      "SECRET_KEY='a # $b \\n'\n"
      "NAME=\"two\\nlines \\\"quoted\\\"\" # done\n"
      "URL=http://x/#fragment\n"
      "EMPTY=\n"
      "EMPTY_TOO= # nothing\n"
      "PORT=8002");
  ASSERT_TRUE(values) << values.error().message;
  EXPECT_THAT(*values, ElementsAre(Pair("EMPTY", ""), Pair("EMPTY_TOO", ""), Pair("HOST", "0.0.0.0"),
                                   Pair("NAME", "two\nlines \"quoted\""), Pair("PORT", "8002"),
                                   Pair("SECRET_KEY", "a # $b \\n"), Pair("URL", "http://x/#fragment")));
}

// After a wanted change: UPDATE_DOTENV_EXAMPLE=1 build/dev/chat_app_test
TEST(Dotenv, TheExampleInTheRepositoryListsEveryOption) {
  const std::string path = PAYAM_SOURCE_DIR "/.env.example";
  if (std::getenv("UPDATE_DOTENV_EXAMPLE") != nullptr) std::ofstream(path) << dotenv_example();
  std::ifstream file(path);
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(file), {}), dotenv_example());
  const auto values = parse_dotenv(dotenv_example());
  ASSERT_TRUE(values.has_value());
  EXPECT_TRUE(values->empty()) << "everything is commented out";
}

TEST(Dotenv, NamesTheLineThatIsWrong) {
  EXPECT_EQ(parse_dotenv("A=1\nPORT 8000\n").error().message, "line 2: not NAME=value");
  EXPECT_EQ(parse_dotenv("=1\n").error().message, "line 1: not NAME=value");
  EXPECT_EQ(parse_dotenv("A=\"1\n").error().message, "line 1: a quote is not closed, or text follows it");
  EXPECT_EQ(parse_dotenv("A='1' 2\n").error().message, "line 1: a quote is not closed, or text follows it");
}

}  // namespace
}  // namespace payam::chat
