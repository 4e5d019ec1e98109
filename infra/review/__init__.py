"""What a change of the policies changes: the exact gains and losses, a proof that none is left out, and the review.

May use `infra.access` alone: nothing here knows of resources, clouds or the machine's state.
"""
