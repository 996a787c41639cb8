"""What the feature benchmark stands on: its data, its feature sets, and the peers that compute the same."""
