"""Valid events as sorted arrays, and the aggregates over windows of them: the kernel of the package."""
