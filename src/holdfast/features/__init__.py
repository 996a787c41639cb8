"""What was known of a customer: one record per feature, by family, and one catalogue of them all."""
