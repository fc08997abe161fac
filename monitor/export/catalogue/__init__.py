"""The catalogue of metrics: families as data, and how each object becomes samples."""
