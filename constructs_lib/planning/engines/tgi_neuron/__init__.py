"""TGI for Neuron: its images for Inferentia 2 and Trainium 1. Everything that only they have."""
