"""Pictures and pages that need no network, no script and no library: scales, axes, marks, and markup that is safe."""
