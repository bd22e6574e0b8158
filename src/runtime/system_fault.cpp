#include "runtime/system_fault.hpp"

#include <cerrno>
#include <system_error>

#include "runtime/unavailable.hpp"

namespace payam {

bool is_out_of_space(int error) { return error == ENOSPC || error == EDQUOT; }

bool is_out_of_resources(int error) { return error == EMFILE || error == ENFILE || error == ENOMEM || error == EAGAIN; }

void throw_system_fault(int error, const char* step) {
  std::system_error fault(error, std::generic_category(), step);
  if (is_out_of_space(error)) throw OutOfStorage(fault.what());
  if (is_out_of_resources(error)) throw Unavailable(fault.what());
  throw fault;
}

}  // namespace payam
