#include "common/crypto/xmss/subtree.h"

#include <algorithm>
#include <utility>

#include "common/crypto/lanes/kernels.h"
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

absl::StatusOr<Subtree> BuildTopTree(const Scheme& scheme, const Parameter& parameter, uint64_t first_index,
                                     std::vector<uint32_t> roots, RandomSource& random) {
  Subtree tree{.lowest_level = scheme.bottom_height()};
  Layer layer{.first_index = first_index, .words = std::move(roots)};
  for (uint32_t level = scheme.bottom_height();; ++level) {
    std::vector<uint32_t> padding(scheme.hash_len());
    if (layer.first_index % 2 == 1) {
      RETURN_IF_ERROR(FillRandomElements(random, absl::MakeSpan(padding)));
      layer.words.insert(layer.words.begin(), padding.begin(), padding.end());
      --layer.first_index;
    }
    if (NodeCount(scheme, layer) % 2 == 1) {
      RETURN_IF_ERROR(FillRandomElements(random, absl::MakeSpan(padding)));
      layer.words.insert(layer.words.end(), padding.begin(), padding.end());
    }
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

}  // namespace lean::xmss
