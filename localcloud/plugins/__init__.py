"""The parts of Pulumi that offline machines lack: a Python language host and two resource plugins.

Machines that can download the official plugins use those; see `discover`.
"""
