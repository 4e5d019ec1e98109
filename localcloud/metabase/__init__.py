"""A stand-in for open-source Metabase (about v0.58) on machines that can't pull its image.

It follows the documented API and is loud about what it doesn't know. It holds no code of Metabase.
"""
