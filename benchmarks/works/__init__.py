"""What is measured: one file a theme, each a generator of rows."""
