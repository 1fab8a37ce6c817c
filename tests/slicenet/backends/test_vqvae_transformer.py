import torch

from slicenet.backends.vqvae_residual import VqVaeResidual
from slicenet.backends.vqvae_transformer import VqVaeTransformer


def test_the_transformer_is_there_where_tokens_are_foretold_alone():
    found = []
    for backend in (VqVaeResidual(), VqVaeTransformer()):
        torch.manual_seed(0)
        extractor = backend.build().extractor
        extractor.build(1)
        found.append({name.partition(".")[0] for name in extractor.state_dict()})
    assert found[1] - found[0] == {"prior"}


def test_several_orders_are_averaged():
    assert VqVaeTransformer().vqvae.order.count > 1
