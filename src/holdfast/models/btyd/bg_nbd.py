"""The beta-geometric model: a customer may leave after each repeat purchase.

Fader, Hardie and Lee (2005), "Counting your customers" the easy way, Marketing Science 24 (2), 275-284. The
formulas stand in :mod:`holdfast.models.btyd.geometric`. A customer who never came back is alive for certain,
which makes the model too hopeful about one-time buyers; MBG/NBD mends that.
"""

from __future__ import annotations

from dataclasses import dataclass

from holdfast.models.btyd.geometric import GeometricModel


@dataclass(frozen=True)
class BetaGeometric(GeometricModel):
    """BG/NBD: the first purchase, at age 0, is not followed by a toss."""

    kind = "bg_nbd"
    first_counts = False
