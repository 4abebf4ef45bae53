// Placeholder while the floor below is laid.
