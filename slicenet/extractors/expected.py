"""What the tensors of a weight file expect of the network and of the pictures around them."""

from dataclasses import dataclass

from torch import Tensor, nn

from slicenet.errors import ConfigError
from slicenet.timm_door import timm


@dataclass(frozen=True)
class ExpectedSettings:
    """What a weight file was trained with; the defaults are torchvision's and most of timm's."""

    order: str = "rgb"  # or bgr
    white: float = 1.0  # the value of white: 255 for weights that come from Caffe
    mean: tuple[float, ...] = (0.485, 0.456, 0.406)  # in the order and range above
    deviation: tuple[float, ...] = (0.229, 0.224, 0.225)
    stride: str = "conv2"  # the convolution of a stage's first bottleneck that strides, or conv1
    epsilon: float = 0.0  # of batch norm; 0 keeps the backbone's own

    def __post_init__(self) -> None:
        if self.order not in ("rgb", "bgr"):
            raise ConfigError(f"order: have bgr, rgb; got {self.order!r}", "E_SETTING")
        if self.stride not in ("conv1", "conv2"):
            raise ConfigError(f"stride: have conv1, conv2; got {self.stride!r}", "E_SETTING")
        if len(self.mean) != 3 or len(self.deviation) != 3:
            raise ConfigError("mean and deviation need three numbers each", "E_SETTING")
        if self.white <= 0 or min(self.deviation) <= 0 or self.epsilon < 0:
            raise ConfigError(
                "white and deviation must be positive and epsilon not negative", "E_SETTING"
            )


CAFFE = ExpectedSettings(
    "bgr", 255.0, (103.939, 116.779, 123.68), (1.0, 1.0, 1.0), "conv1", 1.001e-5
)


def normalise(pictures: Tensor, expected: ExpectedSettings) -> Tensor:
    """RGB pictures [S, 3, H, W] in 0 to 1 as the weights expect them."""
    pictures = pictures.flip(1) if expected.order == "bgr" else pictures
    scale = pictures.new_tensor([expected.white / one for one in expected.deviation])
    pairs = zip(expected.mean, expected.deviation, strict=True)
    shift = pictures.new_tensor([mean / one for mean, one in pairs])
    return pictures * scale[:, None, None] - shift[:, None, None]


def adapt(network: nn.Module, expected: ExpectedSettings) -> None:
    """Change a fresh timm network to what its weights were trained in."""
    if expected.stride == "conv1":
        _stride_early(network)
    for module in network.modules():
        if expected.epsilon and isinstance(module, nn.BatchNorm2d):
            module.eps = expected.epsilon


def _stride_early(network: nn.Module) -> None:
    blocks = [m for m in network.modules() if isinstance(m, timm.models.resnet.Bottleneck)]
    if not blocks:
        raise ConfigError("stride: conv1 is for backbones of bottleneck blocks", "E_SETTING")
    for block in blocks:
        first, second = block.conv1, block.conv2
        first.stride, second.stride = second.stride, first.stride
