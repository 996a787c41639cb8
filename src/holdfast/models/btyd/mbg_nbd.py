"""The modified beta-geometric model: a customer may leave after each purchase, the first one included.

Batislam, Denizel and Filiztekin (2007), Empirical validation and comparison of models for customer base analysis,
International Journal of Research in Marketing 24 (3), 201-209. The formulas stand in
:mod:`holdfast.models.btyd.geometric`.
"""

from __future__ import annotations

from dataclasses import dataclass

from holdfast.models.btyd.geometric import GeometricModel


@dataclass(frozen=True)
class ModifiedBetaGeometric(GeometricModel):
    """MBG/NBD: the first purchase, at age 0, is followed by a toss as all others are."""

    kind = "mbg_nbd"
    first_counts = True
