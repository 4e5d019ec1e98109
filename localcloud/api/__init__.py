"""Cloudflare's REST API as far as mbgate's stack uses it, with real envelopes and wire format.

Source of shapes: https://developers.cloudflare.com/api/ and what the official provider was recorded to send. Whatever
is not known here is answered with an error, never with a guess.
"""
