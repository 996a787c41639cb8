"""The kinds of arrays that the kernel takes and gives; instants are in ``timeline``."""

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
Indices = NDArray[np.int64]
Mask = NDArray[np.bool_]
