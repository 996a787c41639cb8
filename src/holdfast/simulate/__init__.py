"""A business to practise on, with known truth: raw tables as a warehouse exports them, and what was to be expected.

Nothing here knows of features or models, and they know nothing of it: they read its tables like those of any business.
"""

from holdfast.simulate.business import KINDS, Kind, Simulated, simulate

__all__ = ["KINDS", "Kind", "Simulated", "simulate"]
