"""The Semi-Push-Pull loss (Yao et al., CVPR 2023)."""

from torch import Tensor


def semi_push_pull(healthy: Tensor, strange: Tensor, quantile: float, margin: float) -> Tensor:
    """Pull unlikely healthy vectors above a boundary, push strange ones a margin below it.

    Both arguments are log densities, [N] and [M]. The boundary is a quantile of the healthy
    ones and passes no gradient, so it cannot run away from the vectors it judges.
    """
    boundary = healthy.detach().quantile(quantile)
    pull = (boundary - healthy).relu()  # unlike a clamp, without a slope at 0
    push = (strange - (boundary - margin)).relu()
    return _mean_of_violations(pull) + _mean_of_violations(push)


def _mean_of_violations(hinge: Tensor) -> Tensor:
    # A plain mean over the violating subset is NaN once nothing violates.
    return hinge.sum() / (hinge > 0).sum().clamp(min=1)
