"""Many lines at a time: their zeros swept together, the first layer by one product."""
