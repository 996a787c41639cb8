"""What ``benchmarks.same_numbers`` is made of: runs, checkouts, the programs they start, and the comparison."""
