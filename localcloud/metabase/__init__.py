"""A stand-in for open-source Metabase (about v0.58) on machines that can't pull its image.

It follows the documented API (https://www.metabase.com/docs/latest/api) as far as this project meets it, answers what
it doesn't know with a loud error, and holds no code of Metabase. `api/` has one file a family of operations, `query/`
runs questions on the sample database, `exports/` forms their answers, `sample/` makes that database and the first
content, `web/` is the browser's part.
"""
