"""Container images made on this machine, of this machine's own programs: no registry is asked.

`metabase` stands in for `metabase/metabase`, `connector` for `cloudflare/cloudflared`, `node` for `node:24-slim`, each
as far as mbgate uses it.
"""
