"""What one can see: folds of history into read models, rebuilt at will."""
