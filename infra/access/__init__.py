"""Who may do what in Metabase: policies, the decision table made from them, and the decision itself.

Pure: no network, no clock, no Pulumi. `load` reads the policies, `table` compiles them, `decide` judges a request,
`explain` says why.
"""
