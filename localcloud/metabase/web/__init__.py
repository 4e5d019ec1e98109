"""The browser's part: a small application that asks the API as Metabase's own does."""
