"""The tools of tests: a file a category, each tool a real function on the small world."""
