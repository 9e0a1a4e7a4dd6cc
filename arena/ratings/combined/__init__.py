"""People's votes with judges and benchmarks as one rating: hierarchical, PPI++, joint."""
