#include "common/certificates/role.h"

#include <string>

#include "gtest/gtest.h"

namespace lean {
namespace {

TEST(RoleUri, IsReadAsItIsWritten) {
  for (const Role role : {Role::kReader, Role::kBeacon, Role::kSigner, Role::kValidator, Role::kOperator}) {
    const auto read = ParseRoleUri(RoleUri{role, "a-1.b_C"}.ToString());
    ASSERT_TRUE(read.has_value()) << RoleName(role);
    EXPECT_EQ(read->role, role);
    EXPECT_EQ(read->name, "a-1.b_C");
  }
  EXPECT_EQ((RoleUri{Role::kValidator, "alice"}.ToString()), "lean://validator/alice");
}

TEST(RoleUri, NothingElseIsOne) {
  for (const std::string& uri :
       {std::string(), std::string("lean://"), std::string("lean://validator"), std::string("lean://validator/"),
        std::string("lean://validators/a"), std::string("lean://operator/a/b"), std::string("LEAN://operator/a"),
        std::string("lean://operator/.."), std::string("lean://operator/a b"), std::string("lean://operator/a\0b", 19),
        std::string("https://operator/a"), "lean://operator/" + std::string(65, 'a')}) {
    EXPECT_FALSE(ParseRoleUri(uri).has_value()) << uri;
  }
}

}  // namespace
}  // namespace lean
