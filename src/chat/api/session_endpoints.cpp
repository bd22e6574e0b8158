// Contract section 2: the devices signed in, and how they end.
#include <boost/describe/class.hpp>

#include "chat/api/field_types.hpp"
#include "chat/api/limited.hpp"
#include "chat/api/media_cookie.hpp"
#include "chat/api/rest.hpp"

namespace payam::chat::api {
namespace {

using http::Answer;
using http::Method;
using http::Nothing;
using http::Reply;

struct SessionReply {
  SessionId id;
  std::string device;
  std::string address;
  Timestamp created_at{};
  Timestamp last_used_at{};
  bool current = false;  // the one that asks
};
BOOST_DESCRIBE_STRUCT(SessionReply, (), (id, device, address, created_at, last_used_at, current))

struct SessionPath {
  IdText id;
};
BOOST_DESCRIBE_STRUCT(SessionPath, (), (id))
struct SessionInput {
  SessionPath path;
};

}  // namespace

void add_session_endpoints(Api& api, Services& services) {
  add_limited<Nothing>(api, services, Act::profile,
                       {.method = Method::post,
                        .path = "/auth/logout",
                        .summary = "Sign out: this session's tokens and sockets end at once",
                        .tag = "auth",
                        .status = 204},
                       [&services](Call call, Nothing) -> Task<Answer<Nothing>> {
                         // Two at once: whoever comes second is signed out as well.
                         co_await services.sessions.end(call.identity.session, call.identity.user, SessionEnd::logged_out);
                         Reply<Nothing> reply(Nothing{});
                         reply.headers.add("Set-Cookie", media_cookie("", std::chrono::seconds(0), call.request.secure));
                         co_return reply;
                       });

  add_limited<Nothing>(
      api, services, Act::list,
      {.method = Method::get, .path = "/auth/sessions", .summary = "My devices signed in, the last used first", .tag = "auth"},
      [&services](Call call, Nothing) -> Task<Answer<std::vector<SessionReply>>> {
        std::vector<SessionReply> list;
        for (Session& session : co_await services.sessions.of(call.identity.user)) {
          const bool current = session.id == call.identity.session;
          list.push_back({std::move(session.id), std::move(session.device), std::move(session.address), session.created_at,
                          session.last_used_at, current});
        }
        co_return list;
      });

  add_limited<SessionInput>(api, services, Act::profile,
                            {.method = Method::del,
                             .path = "/auth/sessions/{id}",
                             .summary = "Sign a device out: its tokens and sockets end at once",
                             .tag = "auth",
                             .status = 204,
                             .replies = {{404, "No such session of mine"}}},
                            [&services](Call call, SessionInput in) -> Task<Answer<Nothing>> {
                              SessionId id(*in.path.id);
                              auto ended =
                                  co_await services.sessions.end(std::move(id), call.identity.user, SessionEnd::revoked);
                              if (!ended) co_return std::unexpected(std::move(ended.error()));
                              co_return Nothing{};
                            });
}

}  // namespace payam::chat::api
