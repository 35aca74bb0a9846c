"""The bridge: on a person's own machine, between the stock Heroku CLI and the platform's api."""
