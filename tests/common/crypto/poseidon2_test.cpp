#include "common/crypto/poseidon2/poseidon2.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <vector>

#include "common/crypto/poseidon2/constants.h"

namespace lean::crypto::poseidon2 {
namespace {

template <size_t kWidth>
std::array<uint32_t, kWidth> Permuted(const std::array<uint32_t, kWidth>& input) {
  std::array<Fp, kWidth> state;
  for (size_t i = 0; i < kWidth; ++i) state[i] = Fp::FromUint64(input[i]);
  Permute(state);
  std::array<uint32_t, kWidth> output;
  for (size_t i = 0; i < kWidth; ++i) output[i] = state[i].canonical();
  return output;
}

// Plonky3 a33a312's answers for the words 0, 0, ...; 0, 1, 2, ...; p - 1, p - 2, ...
constexpr std::array<std::array<uint32_t, 16>, 3> kAnswers16 = {
    {{1194359470, 20586639, 1240637140, 1730441233, 2130651597, 2003319866, 1017798662, 222976322, 488727120, 474647328,
      1184838029, 219759704, 2028817067, 2056706922, 1578739509, 2000630822},
     {2089692522, 1915416326, 492489469, 252860357, 1061679923, 82240369, 1810169820, 1585792269, 1096226960,
      1569781184, 1452705076, 2081290613, 1344369360, 1949099839, 544415199, 892194947},
     {297149201, 1352832795, 1161058297, 1078972474, 784546945, 636845089, 1597547503, 1689682117, 1626027233,
      813675572, 704409007, 1254479605, 1019493647, 38927343, 76771821, 1698590651}}};

// Plonky3 a33a312's answers for the words 0, 0, ...; 0, 1, 2, ...; p - 1, p - 2, ...
constexpr std::array<std::array<uint32_t, 24>, 3> kAnswers24 = {
    {{1372179428, 133812428, 696896225,  1987094720, 2054524407, 903120858,  1657571027, 324691152,
      344396689,  134463269, 1897168723, 1087497082, 739751391,  1242866705, 426389026,  1390578948,
      1453710565, 300242462, 498514495,  750539631,  1732736931, 148744772,  1655026465, 2073801105},
     {1066957349, 1187481218, 1896457856, 2097200787, 1255095997, 1603911976, 296344071,  943491381,
      527145271,  408365780,  129005542,  652050596,  1457594694, 1386323341, 1797036470, 1137586744,
      1264986356, 1342061487, 1643886210, 1603170659, 2078478589, 56048766,   446199937,  1551853266},
     {2084684837, 783096885,  909006842,  1532730990, 1942489490, 756265828,  1259416368, 678926483,
      1323915984, 1040581224, 1957422396, 1714204683, 284533477,  1721049193, 186424895,  819395749,
      166166391,  1005492456, 1226814280, 2115722550, 995530912,  115697862,  440062348,  1336452066}}};

template <size_t kWidth>
void ExpectAnswers(const std::array<std::array<uint32_t, kWidth>, 3>& answers) {
  std::array<uint32_t, kWidth> zeros{}, up, down;
  for (size_t i = 0; i < kWidth; ++i) {
    up[i] = i;
    down[i] = Fp::kModulus - 1 - i;
  }
  EXPECT_EQ(Permuted(zeros), answers[0]);
  EXPECT_EQ(Permuted(up), answers[1]);
  EXPECT_EQ(Permuted(down), answers[2]);
}

TEST(Poseidon2, KnownAnswers) {
  ExpectAnswers(kAnswers16);
  ExpectAnswers(kAnswers24);
}

TEST(Poseidon2, CompressionPadsWithZerosAndAddsTheInput) {
  std::array<Fp, 5> input;
  for (size_t i = 0; i < input.size(); ++i) input[i] = Fp::FromUint64(i + 7);
  std::array<Fp, 16> state16{};
  std::array<Fp, 24> state24{};
  std::copy(input.begin(), input.end(), state16.begin());
  std::copy(input.begin(), input.end(), state24.begin());
  Permute(state16);
  Permute(state24);
  std::array<Fp, 8> output;
  Compress16(input, absl::MakeSpan(output));
  for (size_t i = 0; i < output.size(); ++i) EXPECT_EQ(output[i], state16[i] + (i < 5 ? input[i] : Fp()));
  Compress24(input, absl::MakeSpan(output));
  for (size_t i = 0; i < output.size(); ++i) EXPECT_EQ(output[i], state24[i] + (i < 5 ? input[i] : Fp()));
}

TEST(Poseidon2, CompressionMayWriteOverItsInput) {
  std::array<Fp, 16> words;
  for (size_t i = 0; i < words.size(); ++i) words[i] = Fp::FromUint64(i * i + 1);
  std::array<Fp, 16> apart;
  Compress16(words, absl::MakeSpan(apart));
  Compress16(words, absl::MakeSpan(words));
  EXPECT_EQ(words, apart);
}

}  // namespace
}  // namespace lean::crypto::poseidon2
