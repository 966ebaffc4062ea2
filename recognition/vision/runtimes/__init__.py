"""What runs a network: one module a runtime, all behind `recognition.vision.interfaces`."""
