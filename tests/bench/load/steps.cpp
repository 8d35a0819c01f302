#include "tests/bench/load/steps.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <memory>
#include <optional>
#include <sstream>
#include <thread>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "common/status/status_macros.h"
#include "tests/bench/load/clients.h"
#include "tests/bench/load/voter.h"

namespace lean::load {
namespace {

constexpr char kNothing[] = "nothing";
constexpr char kVotes[] = "votes";
constexpr char kSubmitVotes[] = "SubmitVotes";
// A beacon serves 1,024 duty calls of one caller in a slot.
constexpr double kMostCallsOfClient = 800;

// Empty if the file cannot be read.
std::string ReadText(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

class Steps {
 public:
  Steps(const LoadOptions& options, Chain chain, std::unique_ptr<Voter> voter)
      : options_(options), chain_(std::move(chain)), voter_(std::move(voter)) {}

  absl::StatusOr<StepResult> Run(const std::string& call, size_t clients);

  // Of a slot, from the steps "nothing" and "votes".
  double cpu_of_nothing = 0;
  double cpu_of_votes = 0;

 private:
  double slot_s() const { return static_cast<double>(chain_.slots.slot_duration_ms()) / 1000; }
  double RateOf(size_t clients) const {
    return std::min(options_.rate, static_cast<double>(clients) * kMostCallsOfClient / slot_s());
  }
  absl::StatusOr<ProcessUse> Use() const { return options_.pid == 0 ? ProcessUse() : UseOf(options_.pid); }
  // Makes the calls of `clients` in the slots from `first` on.
  void Call(const std::string& call, Clients& clients, int64_t first, double rate) const;

  const LoadOptions& options_;
  const Chain chain_;
  const std::unique_ptr<Voter> voter_;  // null: nobody votes
};

absl::StatusOr<StepResult> Steps::Run(const std::string& call, size_t clients) {
  const bool submits = call == kSubmitVotes;
  const bool calls = !submits && call != kVotes && call != kNothing;
  const bool votes = voter_ != nullptr && call != kNothing;
  ASSIGN_OR_RETURN(const auto voting, Clients::Connect(options_.beacon, submits ? clients : options_.voting_clients));
  ASSIGN_OR_RETURN(const auto calling, Clients::Connect(options_.beacon, calls ? clients : 1));
  StepResult result;
  result.call = call;
  result.clients = calls ? clients : voting->count();
  // One slot of votes comes before those that are measured, because their block is in the next slot.
  const int64_t first = chain_.CurrentSlot() + 2;
  absl::StatusOr<Voting> voting_result = Voting();
  std::jthread voter;
  if (votes) voter = std::jthread([&] { voting_result = voter_->Vote(*voting, first - 1, options_.slots + 1); });
  const Time begin = chain_.TimeOf(first);
  std::this_thread::sleep_until(begin);
  ASSIGN_OR_RETURN(const ProcessUse before, Use());

  if (calls) {
    result.rate = RateOf(clients);
    Call(call, *calling, first, result.rate);
  }
  if (voter.joinable()) voter.join();
  const Time end = chain_.TimeOf(first + static_cast<int64_t>(options_.slots));
  std::this_thread::sleep_until(end);

  ASSIGN_OR_RETURN(const ProcessUse after, Use());
  RETURN_IF_ERROR(voting_result.status());
  const std::vector<Span> measured{{begin, end}};
  const std::vector<lean::load::Call> made = DueWithin((submits ? voting : calling)->TakeCalls(), measured);
  result.latencies = Summarize(made);
  result.with_votes = Summarize(DueWithin(made, voting_result->under_way));
  for (const Span& span : voting_result->under_way) {
    result.voting_ms =
        std::max(result.voting_ms, std::chrono::duration<double, std::milli>(span.end - span.begin).count());
  }
  for (const Clients* made_by : {voting.get(), calling.get()}) {
    for (const auto& [why, count] : made_by->errors()) result.errors[why] += count;
  }
  for (const auto& [why, slots] : voting_result->missed) result.errors[why] += slots;
  result.cpu_s = (after.cpu_s - before.cpu_s) / static_cast<double>(options_.slots);
  result.written = (after.written - before.written) / static_cast<double>(options_.slots);
  if (submits) result.rate = static_cast<double>(CallsOfSlot(clients, voter_->votes())) / (slot_s() / 16);
  if (!made.empty()) {
    const double beside = submits ? cpu_of_nothing : cpu_of_votes;
    result.cpu_us =
        (result.cpu_s - beside) * 1e6 * static_cast<double>(options_.slots) / static_cast<double>(made.size());
  }
  return result;
}

void Steps::Call(const std::string& call, Clients& clients, int64_t first, double rate) const {
  // Not at the very end, where a call that arrives late is for a slot that has passed.
  const Duration part = std::chrono::milliseconds(chain_.slots.slot_duration_ms()) * 15 / 16;
  v1::BuildVoteRequest build;
  build.set_genesis_block_root(chain_.genesis_block_root);
  for (int64_t current = first; current < first + static_cast<int64_t>(options_.slots); ++current) {
    build.set_slot(static_cast<uint64_t>(current));
    size_t next = 0;
    for (const Time due : Arrivals(chain_.TimeOf(current), part, rate, static_cast<uint64_t>(current))) {
      std::this_thread::sleep_until(due);
      const size_t client = next++ % clients.count();
      if (call == "GetHead") {
        clients.Send(client, due, v1::GetHeadRequest());
      } else {
        clients.Send(client, due, build);
      }
    }
  }
}

}  // namespace

absl::StatusOr<ProcessUse> UseOf(int pid) {
  // The name, in parentheses, may contain anything.
  const std::string stat = ReadText(absl::StrCat("/proc/", pid, "/stat"));
  const std::vector<std::string> fields = absl::StrSplit(stat.substr(stat.rfind(')') + 1), ' ', absl::SkipEmpty());
  uint64_t user = 0;
  uint64_t system = 0;
  uint64_t written = 0;
  bool found = fields.size() > 12 && absl::SimpleAtoi(fields[11], &user) && absl::SimpleAtoi(fields[12], &system);
  for (const absl::string_view line : absl::StrSplit(ReadText(absl::StrCat("/proc/", pid, "/io")), '\n')) {
    absl::string_view value = line;
    if (absl::ConsumePrefix(&value, "write_bytes: ")) found = found && absl::SimpleAtoi(value, &written);
  }
  if (!found) return absl::NotFoundError(absl::StrCat("there is no process ", pid, " of this user"));
  return ProcessUse{.cpu_s = static_cast<double>(user + system) / static_cast<double>(sysconf(_SC_CLK_TCK)),
                    .written = static_cast<double>(written)};
}

absl::Status RunSteps(const LoadOptions& options, const std::function<void(const StepResult&)>& done) {
  for (const std::string& call : options.calls) {
    if (call != "BuildVote" && call != "GetHead" && call != kSubmitVotes) {
      return absl::InvalidArgumentError(absl::StrCat("unknown call ", call, ": BuildVote, GetHead or SubmitVotes"));
    }
    if (call == kSubmitVotes && options.keystores.empty()) {
      return absl::InvalidArgumentError("SubmitVotes needs --keystores");
    }
  }
  ASSIGN_OR_RETURN(const Chain chain, AskForChain(options.beacon));
  std::unique_ptr<Voter> voter;
  if (!options.keystores.empty()) {
    ASSIGN_OR_RETURN(voter, Voter::Open(options.beacon, options.keystores, chain));
  }
  const bool votes = voter != nullptr;
  double floor_s = 0;
  if (votes) {
    ASSIGN_OR_RETURN(floor_s, voter->VerificationAlone());
  }
  std::this_thread::sleep_until(chain.TimeOf(0));
  Steps steps(options, chain, std::move(voter));
  ASSIGN_OR_RETURN(const StepResult nothing, steps.Run(kNothing, 1));
  done(nothing);
  steps.cpu_of_nothing = steps.cpu_of_votes = nothing.cpu_s;
  if (votes) {
    ASSIGN_OR_RETURN(StepResult alone, steps.Run(kVotes, options.voting_clients));
    alone.floor_s = floor_s;
    done(alone);
    steps.cpu_of_votes = alone.cpu_s;
  }
  for (const std::string& call : options.calls) {
    for (const size_t clients : options.clients) {
      ASSIGN_OR_RETURN(const StepResult result, steps.Run(call, clients));
      done(result);
    }
  }
  return absl::OkStatus();
}

}  // namespace lean::load
