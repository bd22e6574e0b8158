#include "runtime/system_fault.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <system_error>

#include "runtime/unavailable.hpp"

namespace payam {
namespace {

TEST(SystemFault, AFullDiskIsOutOfStorage) {
  EXPECT_THROW(throw_system_fault(ENOSPC, "write"), OutOfStorage);
  EXPECT_THROW(throw_system_fault(EDQUOT, "write"), OutOfStorage);
}

TEST(SystemFault, WhatLacksForAMomentIsUnavailable) {
  for (const int error : {EMFILE, ENFILE, ENOMEM, EAGAIN})
    EXPECT_THROW(throw_system_fault(error, "open"), Unavailable) << error;
}

TEST(SystemFault, AnythingElseSaysWhatItIs) {
  try {
    throw_system_fault(EIO, "sync an upload");
  } catch (const std::system_error& error) {
    EXPECT_EQ(error.code().value(), EIO);
    EXPECT_STREQ(error.what(), "sync an upload: Input/output error");
  }
}

}  // namespace
}  // namespace payam
