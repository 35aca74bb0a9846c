"""Objects of the cluster as the JSON that Heroku's clients read; pure functions."""
