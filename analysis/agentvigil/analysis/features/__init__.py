"""What is known of finished runs by the hour, for detectors."""
