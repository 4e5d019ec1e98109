"""Who may do what: pure policies, their one meaning, and the table in which the Worker reads them."""
