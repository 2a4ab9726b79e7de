"""Many lines at a time: their zeros are swept together, and the first layer is computed by one product."""
