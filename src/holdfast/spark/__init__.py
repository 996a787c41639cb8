"""The seam to Spark: sessions, its words for our types and errors, and its rows on the driver piece by piece."""
