"""Every backend by the name users type. Adding one: a file here, a line below."""

from slicenet.backends.base import Backend
from slicenet.backends.dagmm import Dagmm
from slicenet.backends.gnsm_labels import GnsmLabels
from slicenet.backends.histeq import HistEq
from slicenet.backends.intensity_gaussian import IntensityGaussian
from slicenet.backends.msma import Msma
from slicenet.backends.padim import Padim
from slicenet.backends.pair import Pair
from slicenet.backends.patchcore import PatchCore
from slicenet.backends.siamese_lof import SiameseLof
from slicenet.backends.siamese_ocsvm import SiameseOcSvm
from slicenet.backends.siamese_residual import SiameseResidual
from slicenet.backends.simclr import SimClr
from slicenet.backends.simpleslicenet import SimpleSliceNet
from slicenet.backends.simulated import Simulated
from slicenet.backends.spatial_msma import SpatialMsma
from slicenet.backends.token_msma import TokenMsma
from slicenet.backends.vqvae_gnsm import VqVaeGnsm
from slicenet.backends.vqvae_residual import VqVaeResidual
from slicenet.backends.vqvae_transformer import VqVaeTransformer
from slicenet.backends.zscore import ZScore

BACKENDS: dict[str, type[Backend]] = {
    "dagmm": Dagmm,
    "gnsm-labels": GnsmLabels,
    "histeq": HistEq,
    "intensity-gaussian": IntensityGaussian,
    "msma": Msma,
    "padim": Padim,
    "pair": Pair,
    "patchcore": PatchCore,
    "siamese-lof": SiameseLof,
    "siamese-ocsvm": SiameseOcSvm,
    "siamese-residual": SiameseResidual,
    "simclr": SimClr,
    "simpleslicenet": SimpleSliceNet,
    "simulated": Simulated,
    "spatial-msma": SpatialMsma,
    "token-msma": TokenMsma,
    "vqvae-gnsm": VqVaeGnsm,
    "vqvae-residual": VqVaeResidual,
    "vqvae-transformer": VqVaeTransformer,
    "zscore": ZScore,
}
