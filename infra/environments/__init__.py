"""Deployments from outside the engine: its tools, the local world, later previews, roll-out, rotation and recovery."""
