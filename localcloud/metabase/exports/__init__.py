"""The forms in which an answer leaves: the API's JSON, and the files csv, json and xlsx."""
