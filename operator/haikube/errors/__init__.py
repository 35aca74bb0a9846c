"""What a visitor sees when no dyno answers: Heroku's codes, statuses and a plain page."""
