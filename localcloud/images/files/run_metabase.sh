#!/bin/sh
# Starts the stand-in where Metabase's own image starts Java, from the same settings.
case "${MB_DB_FILE:-}" in
  ?*/*) state=${MB_DB_FILE%/*} ;;
  *) state=/metabase-data ;;
esac
export PYTHONPATH=/app/lib PYTHONDONTWRITEBYTECODE=1
exec "$MBGATE_PYTHON" -m localcloud.metabase --host "${MB_JETTY_HOST:-0.0.0.0}" --port "${MB_JETTY_PORT:-3000}" \
  --state "$state" --initialize-seconds "${MBGATE_STANDIN_INITIALIZE_SECONDS:-0}"
