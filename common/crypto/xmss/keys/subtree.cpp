#include "common/crypto/xmss/keys/subtree.h"

#include <algorithm>
#include <atomic>
#include <thread>
#include <utility>

#include "common/crypto/lanes/kernels.h"
#include "common/crypto/xmss/one_time/one_time_key.h"
#include "common/crypto/xmss/words.h"
#include "common/status/status_macros.h"

namespace lean::xmss {
namespace {

uint64_t NodeCount(const Scheme& scheme, const Layer& layer) { return layer.words.size() / scheme.hash_len(); }

// The parents of a layer's nodes, which start at an even index and are even in number.
Layer ParentsOf(const Scheme& scheme, const Parameter& parameter, uint32_t level, const Layer& children) {
  Layer parents{.first_index = children.first_index / 2};
  parents.words.resize(children.words.size() / 2);
  crypto::lanes::BestKernels().parents(scheme.hash_len(), parameter.data(), level, parents.first_index,
                                       children.words.data(), parents.words.size() / scheme.hash_len(),
                                       parents.words.data());
  return parents;
}

constexpr uint64_t kSliceLeaves = 64;  // a few milliseconds: how promptly progress is shown and obeyed

}  // namespace

Node NodeAt(const Scheme& scheme, const Layer& layer, uint64_t index) {
  Node node{};
  std::copy_n(layer.words.begin() + static_cast<ptrdiff_t>((index - layer.first_index) * scheme.hash_len()),
              scheme.hash_len(), node.begin());
  return node;
}

Node RootOf(const Scheme& scheme, const Subtree& tree) {
  return NodeAt(scheme, tree.layers.back(), tree.layers.back().first_index);
}

Subtree BuildBottomTree(const Scheme& scheme, const Parameter& parameter, uint64_t index,
                        std::vector<uint32_t> leaves) {
  Subtree tree;
  tree.layers.push_back({.first_index = index * scheme.bottom_leaves(), .words = std::move(leaves)});
  for (uint32_t level = 1; level <= scheme.bottom_height(); ++level) {
    tree.layers.push_back(ParentsOf(scheme, parameter, level, tree.layers.back()));
  }
  return tree;
}

Subtree BuildTopTree(const Scheme& scheme, const Parameter& parameter, uint64_t first_index,
                     std::vector<uint32_t> roots, absl::Span<const uint32_t> padding) {
  Subtree tree{.lowest_level = scheme.bottom_height()};
  Layer layer{.first_index = first_index, .words = std::move(roots)};
  for (uint32_t level = scheme.bottom_height();; ++level) {
    const auto pad = [&](std::vector<uint32_t>::const_iterator where) {
      const absl::Span<const uint32_t> node = padding.first(scheme.hash_len());
      layer.words.insert(where, node.begin(), node.end());
      padding.remove_prefix(node.size());
    };
    if (layer.first_index % 2 == 1) {
      pad(layer.words.begin());
      --layer.first_index;
    }
    if (NodeCount(scheme, layer) % 2 == 1) pad(layer.words.end());
    tree.layers.push_back(std::move(layer));
    if (level == scheme.log_lifetime()) return tree;
    layer = ParentsOf(scheme, parameter, level + 1, tree.layers.back());
  }
}

std::vector<LayerShape> BottomTreeShape(const Scheme& scheme, uint64_t index) {
  std::vector<LayerShape> shape;
  for (uint32_t level = 0; level <= scheme.bottom_height(); ++level) {
    const uint64_t nodes = scheme.bottom_leaves() >> level;
    shape.push_back({.first_index = index * nodes, .nodes = nodes});
  }
  return shape;
}

std::vector<LayerShape> TopTreeShape(const Scheme& scheme, uint64_t first_index, uint64_t count) {
  std::vector<LayerShape> shape;
  uint64_t first = first_index;
  uint64_t last = first_index + count - 1;
  for (uint32_t level = scheme.bottom_height(); level <= scheme.log_lifetime(); ++level) {
    const uint64_t padded_first = first & ~uint64_t{1};
    shape.push_back({.first_index = padded_first, .nodes = (last | 1) - padded_first + 1});
    first /= 2;
    last /= 2;
  }
  return shape;
}

bool HasShape(const Scheme& scheme, const Subtree& tree, absl::Span<const LayerShape> shape) {
  return std::equal(tree.layers.begin(), tree.layers.end(), shape.begin(), shape.end(),
                    [&scheme](const Layer& layer, const LayerShape& expected) {
                      return layer.first_index == expected.first_index &&
                             layer.words.size() == expected.nodes * scheme.hash_len();
                    });
}

bool IsConsistent(const Scheme& scheme, const Parameter& parameter, const Subtree& tree) {
  for (size_t i = 1; i < tree.layers.size(); ++i) {
    const Layer& layer = tree.layers[i];
    const Layer parents =
        ParentsOf(scheme, parameter, static_cast<uint32_t>(tree.lowest_level + i), tree.layers[i - 1]);
    // A top tree's layer may have random nodes before and behind the parents.
    const auto offset = static_cast<ptrdiff_t>((parents.first_index - layer.first_index) * scheme.hash_len());
    if (!std::equal(parents.words.begin(), parents.words.end(), layer.words.begin() + offset)) return false;
  }
  return true;
}

BottomTreeBuilder::BottomTreeBuilder(const Scheme& scheme, PrfKey prf_key, const Parameter& parameter, uint64_t index)
    : scheme_(scheme),
      prf_key_(std::move(prf_key)),
      parameter_(parameter),
      index_(index),
      leaves_(scheme.bottom_leaves() * scheme.hash_len()) {}

void BottomTreeBuilder::ComputeLeaves(uint64_t begin, uint64_t end) {
  const size_t len = scheme_.hash_len();
  HashLeaves(scheme_, prf_key_, parameter_, static_cast<uint32_t>(index_ * scheme_.bottom_leaves() + begin),
             absl::MakeSpan(leaves_).subspan(begin * len, (end - begin) * len));
}

void BottomTreeBuilder::Step(uint64_t count) {
  if (done()) return;
  const uint64_t end = done_ + std::min(count, leaves_total() - done_);
  ComputeLeaves(done_, end);
  done_ = end;
  if (done()) BuildTree();
}

absl::Status BottomTreeBuilder::Finish(unsigned threads, const std::function<bool(uint64_t leaves_done)>& progress) {
  if (done()) return absl::OkStatus();
  const uint64_t begin = done_;
  std::atomic<uint64_t> next = begin;
  std::atomic<uint64_t> computed = 0;
  std::atomic<bool> stop = false;
  const auto compute_slice = [&] {
    const uint64_t slice = next.fetch_add(kSliceLeaves);
    if (stop || slice >= leaves_total()) return false;
    const uint64_t end = std::min(slice + kSliceLeaves, leaves_total());
    ComputeLeaves(slice, end);
    computed += end - slice;
    return true;
  };
  std::vector<std::thread> workers;
  for (unsigned i = 1; i < threads; ++i) {
    workers.emplace_back([&compute_slice] {
      while (compute_slice()) {
      }
    });
  }
  while (compute_slice()) {
    if (progress && computed < leaves_total() - begin && !progress(computed)) stop = true;
  }
  for (std::thread& worker : workers) worker.join();
  if (!stop && progress && !progress(computed)) stop = true;
  if (stop) return absl::CancelledError("cancelled");
  done_ = leaves_total();
  BuildTree();
  return absl::OkStatus();
}

void BottomTreeBuilder::BuildTree() { tree_ = BuildBottomTree(scheme_, parameter_, index_, std::move(leaves_)); }

Subtree BottomTreeBuilder::Take() && { return std::move(tree_); }

}  // namespace lean::xmss
