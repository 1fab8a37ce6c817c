"""Lesions drawn into healthy slices and volumes, for networks to learn from; never to test them."""

from slicenet.simulation.lesioning import simulate
from slicenet.simulation.settings import JitterSettings, SimulationSettings

__all__ = ["JitterSettings", "SimulationSettings", "simulate"]
