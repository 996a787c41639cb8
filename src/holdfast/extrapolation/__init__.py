"""Horizons that no outcome reaches yet: what a young business can say of the year to come.

:mod:`past` knows what customers had done by each of several instants, and so what they did between any two of them;
:mod:`lesson` is what is learnt from nearer windows and carried to farther ones by a model of the customer base;
:mod:`course` says which windows these are; :mod:`asking` chooses the model by its record, and asks it about everyone.
"""

from holdfast.extrapolation.predict import Extrapolation, columns, extrapolate

__all__ = ["Extrapolation", "columns", "extrapolate"]
