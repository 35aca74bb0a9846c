"""The ``haikube`` command; app developers may use the heroku CLI instead."""
