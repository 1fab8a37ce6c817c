"""Every backend in a size that a test can train: its box, its network, its budget."""

import torch

from slicenet.config import merge

SMALL = {"frame": {"spacing": [4, 4, 4]}}
TINY_SLICES = {
    "backbone": {"name": "test_resnet", "weights": "random", "precision": "float32"},
    "neighbourhood": {"width": 24},
    "finetune": {
        "each": 6,
        "decoder": {"width": 8},
        "lesions": {"steps": 80, "batch": 6, "settle": 4, "rate": 2e-3, "decoder_rate": 5e-3},
        "edc": {"steps": 10, "batch": 4},
        "joint": {"steps": 10, "batch": 4},
    },
}
TINY_VQVAE = {
    "finer": 2,
    "network": {"levels": 2, "width": 12, "blocks": 1, "codes": 32},
    "learn": {"steps": 60, "batch": 6, "rate": 3e-3, "average": 0.9},
    "prior": {"width": 24, "layers": 1, "heads": 2},
    "foretell": {"steps": 60, "batch": 8, "rate": 3e-3},
    "order": {"kinds": ["raster"], "count": 2},
}
TINY_GNSM = {
    "course": {"steps": 60, "batch": 4, "rate": 1e-2},
    "network": {"width": 8, "dilations": [1, 2]},
    "ladder": {"levels": 2},
}
TINY_FLOW = {"course": {"steps": 120, "batch": 512, "likelihood_first": 0}, "flow": {"blocks": 2}}
TINY_SIAMESE = {
    "frame": {"spacing": [4, 4, 4]},
    "siamese": {
        "coder": {"kernels": [3, 3, 3], "strides": [1, 2, 1], "widths": [4, 8, 8]},
        "learn": {"steps": 60, "batch": 16, "rate": 5e-3, "settle": 10},
        "cell": 8.0,
    },
}
# What makes a backend small enough for a test: its box, its network, its budget.
TINY = {
    "simpleslicenet": {"slices": TINY_SLICES, "flow": TINY_FLOW},
    "simulated": {"slices": TINY_SLICES},
    "dagmm": {
        "frame": {"spacing": [4, 4, 4]},
        "dagmm": {"patches": {"size": [5, 5, 1]}, "learn": {"steps": 150, "batch": 256}},
    },
    # The contract has images, so that categories are levels of their intensities.
    "gnsm-labels": {
        "frame": {"spacing": [4, 4, 4], "intensity": "robust"},
        "categories": {"levels": 8},
        "gnsm": TINY_GNSM,
    },
    "padim": {"slices": TINY_SLICES, "gaussian": {"components": 8}},
    "pair": {"slices": TINY_SLICES},
    "patchcore": {"slices": TINY_SLICES, "neighbours": {"candidates": 1000, "bank": 200}},
    "simclr": {
        "frame": {"spacing": [4, 4, 4]},
        "simclr": {
            "encoder": {"width": 8, "strides": [2, 1, 1, 1, 1]},
            "layers": [0, 1],
            "target": 0,
            "learn": {"steps": 2, "batch": 2},
        },
        "gaussian": {"components": 8},
    },
    "vqvae-gnsm": {
        "vqvae": {**TINY_VQVAE, "finer": 1},
        "gnsm": TINY_GNSM,
    },
    "vqvae-residual": {"vqvae": TINY_VQVAE},
    "vqvae-transformer": {"vqvae": TINY_VQVAE},
    "msma": {
        "frame": {"spacing": [6, 6, 6]},
        "norms": {
            "network": {"width": 8, "depth": 2},
            "learn": {"steps": 40, "batch": 6, "rate": 4e-3},
            "patch": 16,
        },
    },
    "token-msma": {
        "norms": {
            "slices": TINY_SLICES,
            "components": 8,
            "width": 32,
            "blocks": 1,
            "learn": {"steps": 100, "batch": 256, "rate": 5e-3},
        },
        "flow": {"course": {"steps": 60, "batch": 512, "rate": 4e-3}, "flow": {"blocks": 2}},
    },
    "spatial-msma": {
        "frame": {"spacing": [6, 6, 6]},
        "norms": {
            "network": {"width": 8, "depth": 2},
            "levels": {"count": 4},
            "learn": {"steps": 30, "batch": 4, "rate": 4e-3},
            "patch": 16,
        },
        "flow": {"course": {"steps": 60, "batch": 512, "rate": 4e-3}, "flow": {"blocks": 2}},
    },
    "siamese-lof": {**TINY_SIAMESE, "lof": {"kept": 1000}},
    "siamese-ocsvm": {**TINY_SIAMESE, "one_class_svm": {"each": 200}},
    "siamese-residual": TINY_SIAMESE,
}
# What has no backend of its own, on features that cost nothing.
PAIRS = {
    f"pair {scorer}": {**SMALL, "extractor": "texture", "texture": {"cell": 8}, "scorer": scorer}
    for scorer in ("lof", "mixture", "neighbours", "one_class_svm")
}
PAIRS["pair mixture"]["mixture"] = {"kept": 1000, "components": [1, 2]}
COARSE = {"frame": {"box": [128, 160, 144], "spacing": [2, 2, 4]}}
# Published, each brain is scaled by its own extremes: a lesion brighter than all dims the rest, and
# to a network that has learnt nothing, or a flow that has hardly begun, it need not stand out.
PUBLISHED = {
    "slices": {"backbone": {"name": "resnet18.tv_in1k", "weights": "imagenet"}},
    "flow": {"course": {"steps": 1000, "batch": 512, "rate": 1e-2}},
}
TINY_PRESETS = {
    name: merge(TINY["simpleslicenet"], PUBLISHED) for name in ("paper-arxiv", "paper-plos")
}
TINY_PRESETS["vqvae-gaussian-small"] = {"vqvae": {**TINY_VQVAE, "finer": 1}}
TINY_PRESETS["t1-ixi"] = merge(TINY["simpleslicenet"], {"frame": {"elsewhere": {"times": 1}}})
# What gives a backend its networks, untrained: for two sequences where these count.
NETWORKS = {
    "dagmm": lambda made: made.extractor.build(25),
    "msma": lambda made: made.extractor.build(2),
    "siamese-lof": lambda made: made.extractor.build(2),
    "simclr": lambda made: made.extractor.build(2),
    "token-msma": lambda made: (
        made.extractor.build(torch.ones(24), torch.ones(24, 8)),
        made.scorer.build(3, 64),
    ),
    "vqvae-gnsm": lambda made: made.extractor.build(2) or made.scorer.build([32]),
    "vqvae-transformer": lambda made: made.extractor.build(2),
}
