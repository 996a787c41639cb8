"""Horizons that no outcome reaches yet: what a young business can say of the year to come.

:mod:`panel` knows what customers had done by each of several instants, and so what they did between any two of them;
:mod:`training_window` is what is learnt from nearer windows and carried to farther ones by a model of the customer
base; :mod:`window_grid` says which windows these are; :mod:`predict` chooses the model by its record, and asks it about
everyone.
"""

from holdfast.extrapolation.predict import Extrapolation, columns, extrapolate

__all__ = ["Extrapolation", "columns", "extrapolate"]
