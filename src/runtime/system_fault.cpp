#include "runtime/system_fault.hpp"

#include <cerrno>
#include <cstring>
#include <string>
#include <system_error>

#include "runtime/unavailable.hpp"

namespace payam {

bool is_out_of_space(int error) { return error == ENOSPC || error == EDQUOT; }

bool is_out_of_resources(int error) { return error == EMFILE || error == ENFILE || error == ENOMEM || error == EAGAIN; }

void throw_system_fault(int error, const char* step) {
  const std::string text = std::string(step) + ": " + std::strerror(error);
  if (is_out_of_space(error)) throw OutOfStorage(text);
  if (is_out_of_resources(error)) throw Unavailable(text);
  throw std::system_error(error, std::generic_category(), step);
}

}  // namespace payam
