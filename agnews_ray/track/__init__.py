"""From records to experiment trackers: MLflow, TensorBoard, Weights & Biases, Trackio."""
