#include "chat/auth/token.hpp"

#include <algorithm>
#include <boost/json.hpp>
#include <optional>

#include "base/base64.hpp"
#include "base/object_bounds.hpp"
#include "base/random.hpp"
#include "base/ulid.hpp"

namespace payam::chat {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxDepth = 32, kMaxMembers = 32;  // of a token's header and payload
constexpr std::string_view kMediaAudience = "media", kSignupAudience = "signup";

std::optional<json::object> parse_object(std::string_view base64) {
  const auto text = base64url_decode(base64);
  // Before the signature is known to be good it may be anybody's.
  if (!text || find_member_too_many(*text, kMaxDepth, kMaxMembers) != std::string::npos) return std::nullopt;
  boost::system::error_code error;
  json::value value = json::parse(*text, error);
  if (error || !value.is_object()) return std::nullopt;
  return std::move(value.get_object());
}

std::optional<std::string_view> find_string(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  if (value == nullptr || !value->is_string()) return std::nullopt;
  return std::string_view(value->get_string());
}

// NumericDate, whole seconds; the upper bound keeps the milliseconds from overflowing.
std::optional<Timestamp> find_time(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  if (value == nullptr || !value->is_int64()) return std::nullopt;
  const std::int64_t seconds = value->get_int64();
  if (seconds < 0 || seconds > 253'402'300'799) return std::nullopt;  // the year 9999
  return Timestamp(std::chrono::seconds(seconds));
}

std::int64_t to_seconds(Timestamp time) { return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count(); }

std::optional<Audience> find_audience(const json::object& payload) {
  if (!payload.contains("aud")) return Audience::api;
  if (find_string(payload, "aud") == kMediaAudience) return Audience::media;
  if (find_string(payload, "aud") == kSignupAudience) return Audience::signup;
  return std::nullopt;
}

std::optional<Claims> read_claims(const json::object& payload) {
  const auto id = find_string(payload, "jti");
  const auto issued_at = find_time(payload, "iat"), expires_at = find_time(payload, "exp");
  const auto audience = find_audience(payload);
  if (!audience || !id || id->empty() || !issued_at || !expires_at) return std::nullopt;
  if (audience == Audience::signup) {
    return Claims{{}, {}, *audience, std::string(*id), *issued_at, *expires_at};
  }
  const auto subject = find_string(payload, "sub"), session = find_string(payload, "sid");
  if (!subject || !session || session->empty()) return std::nullopt;
  return Claims{std::string(*subject), SessionId(std::string(*session)), *audience, std::string(*id), *issued_at, *expires_at};
}

}  // namespace

Tokens::Tokens(TokenKey key, std::chrono::seconds lifetime, std::vector<RetiredKey> retired) : lifetime_(lifetime) {
  replace_keys(std::move(key), std::move(retired));
}

void Tokens::replace_keys(TokenKey key, std::vector<RetiredKey> retired) {
  retired.insert(retired.begin(), {std::move(key), Timestamp::max()});
  keys_.store(std::make_shared<const std::vector<RetiredKey>>(std::move(retired)));
}

std::string Tokens::key_id() const { return keys_.load()->front().key.id(); }

std::string Tokens::sign(const json::object& payload) const {
  const auto keys = keys_.load();
  const TokenKey& key = keys->front().key;
  json::object header{{"alg", key.algorithm()}, {"typ", "JWT"}};
  if (!key.id().empty()) header["kid"] = key.id();
  std::string token = base64url_encode(json::serialize(header)) + '.' + base64url_encode(json::serialize(payload));
  const std::string signature = key.sign(token);
  return token + '.' + base64url_encode(signature);
}

std::string Tokens::issue(const std::string& subject, const SessionId& session, Timestamp now, Audience audience) const {
  json::object payload{{"sub", subject},
                       {"sid", session.str()},
                       {"jti", random_token(12)},
                       {"iat", to_seconds(now)},
                       {"exp", to_seconds(now) + lifetime_.count()}};
  if (audience == Audience::media) payload["aud"] = kMediaAudience;
  return sign(payload);
}

std::string Tokens::issue_signup(Timestamp now, std::chrono::seconds lifetime) const {
  return sign({{"aud", kSignupAudience},
               {"jti", new_ulid(now)},
               {"iat", to_seconds(now)},
               {"exp", to_seconds(now) + lifetime.count()}});
}

std::expected<Claims, TokenFault> Tokens::verify(std::string_view token, Timestamp now) const {
  const auto refuse = [](TokenFault fault) { return std::unexpected(fault); };
  if (token.size() > kMaxBytes) return refuse(TokenFault::malformed);
  const auto first = token.find('.');
  const auto last = token.rfind('.');
  if (first == token.npos || first == last || token.find('.', first + 1) != last) return refuse(TokenFault::malformed);

  const auto header = parse_object(token.substr(0, first));
  if (!header || header->contains("crit")) return refuse(TokenFault::malformed);
  const std::string_view kid = find_string(*header, "kid").value_or("");
  const auto keys = keys_.load();
  const auto found = std::ranges::find(*keys, kid, [](const RetiredKey& each) { return std::string_view(each.key.id()); });
  if (found == keys->end() || found->until <= now) return refuse(TokenFault::unknown_key);
  const TokenKey* key = &found->key;
  if (find_string(*header, "alg") != key->algorithm()) return refuse(TokenFault::algorithm);

  const auto signature = base64url_decode(token.substr(last + 1));
  if (!signature) return refuse(TokenFault::malformed);
  if (!key->verify(token.substr(0, last), *signature)) return refuse(TokenFault::signature);

  const auto payload = parse_object(token.substr(first + 1, last - first - 1));
  if (!payload) return refuse(TokenFault::malformed);
  auto claims = read_claims(*payload);
  if (!claims) return refuse(TokenFault::claims);
  if (claims->expires_at <= now) return refuse(TokenFault::expired);
  return std::move(*claims);
}

std::string Tokens::jwks(Timestamp now) const {
  const auto all = keys_.load();
  std::string keys;
  for (const auto& [key, until] : *all) {
    if (key.public_jwk().empty() || until <= now) continue;
    if (!keys.empty()) keys += ',';
    keys += key.public_jwk();
  }
  return R"({"keys":[)" + keys + "]}";
}

}  // namespace payam::chat
