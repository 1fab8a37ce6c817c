"""What a coil adds to a scan: tissue that is brighter on one side than on the other."""

import numpy as np
import SimpleITK as sitk

from slicenet.preparing.itk import array_of, coarser, image_of

COARSE = 4.0  # mm, at which so smooth a thing is looked for
STEPS = (30, 20, 10)  # of N4, from coarse to fine
ENOUGH = 1e-3  # change of the field at which a level ends


def without_gain(values: np.ndarray, affine: np.ndarray, inside: np.ndarray | None) -> np.ndarray:
    """Values [X, Y, Z] corrected by N4 (Tustison, 2010), as tissue `inside` or all of it says."""
    image = image_of(values.clip(0), affine)
    small = coarser(image, COARSE)
    if inside is None:
        tissue = sitk.OtsuThreshold(small, 0, 1, 200)
    else:
        share = coarser(image_of(inside.astype(np.float32), affine), COARSE)
        tissue = sitk.Cast(share > 0.5, sitk.sitkUInt8)
    if not array_of(tissue).any():
        return values
    correction = sitk.N4BiasFieldCorrectionImageFilter()
    correction.SetMaximumNumberOfIterations(list(STEPS))
    correction.SetConvergenceThreshold(ENOUGH)
    correction.Execute(small, tissue)
    gain = sitk.Exp(correction.GetLogBiasFieldAsImage(small))
    fine = sitk.Resample(
        gain, image, sitk.Transform(), sitk.sitkLinear, 1.0, sitk.sitkFloat32, True
    )
    return values / array_of(fine)
