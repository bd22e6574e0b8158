// The application under test, in this process: its store in memory, three people who know each other, and whatever its replies
// have named, for requests to name again.
#pragma once

#include <array>
#include <boost/json/object.hpp>
#include <deque>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fuzz/application/input.hpp"
#include "fuzz/application/peer.hpp"

namespace payam::chat {
class Application;
}

namespace payam::fuzz {

// An operation of the OpenAPI document.
struct Route {
  struct Parameter {
    std::string name;
    bool in_path = false;
    bool required = false;
    boost::json::value schema;
  };
  struct Content {
    std::string type;
    boost::json::value schema;
  };
  std::string method, path;
  std::vector<Parameter> parameters;
  std::vector<Content> contents;
};

// What a client may emit, of the AsyncAPI document.
struct EventKind {
  std::string name;
  boost::json::value schema;
};

struct Person {
  std::string username, email, password;
  std::string access_token, refresh_token;
};

class World {
 public:
  enum class Limits { on, off };
  explicit World(Limits limits);
  // Stops the application, which must not take long.
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  std::unique_ptr<Peer> connect();

  const std::vector<Route>& routes() const { return routes_; }
  const std::vector<EventKind>& events() const { return events_; }
  // Follows a `$ref`.
  const boost::json::value& resolve(const boost::json::value& schema) const;

  const Person& person(std::size_t index) const { return people_[index % people_.size()]; }
  // A value that fits a field of this name: mostly one that exists.
  std::string value(std::string_view name, Input& in);
  // `{token}`, `{room}`, … in a text become what value() gives.
  std::string expand(std::string_view text, Input& in);
  // A name nobody has.
  std::string fresh_name() { return "name" + std::to_string(++names_); }

  // The application answers, and has done what came before: its store takes one thing after the other.
  void check_answers();
  // After each input: it answers, and nothing is left of the input's connections. `touched` says that the input may have
  // changed who is signed in or who is a member; then the people are made anew where needed.
  void check_alive(bool touched);
  // How many inputs it has seen.
  std::size_t age() const { return age_; }

 private:
  struct Folder {
    Folder();
    ~Folder();
    std::filesystem::path path;
  };

  Reply call(std::string_view method, const std::string& target, const boost::json::value& body = nullptr,
             std::string_view token = {});
  Reply upload(std::string_view token);
  Reply exchange(const std::string& request, const std::string& what);
  void read_documents();
  void make_people();
  bool people_are_well();
  void learn(const boost::json::value& value, int depth = 0);
  void learn(std::string_view kind, std::string value);
  const std::string& known(std::string_view kind, std::size_t index) const;

  const Limits limits_;
  const Folder folder_;
  std::unique_ptr<chat::Application> application_;
  std::unique_ptr<Peer> control_;
  boost::json::value openapi_, asyncapi_;
  std::vector<Route> routes_;
  std::vector<EventKind> events_;
  std::array<Person, 3> people_;
  std::map<std::string, std::deque<std::string>, std::less<>> known_;
  std::size_t names_ = 0;
  std::size_t age_ = 0;
};

}  // namespace payam::fuzz
