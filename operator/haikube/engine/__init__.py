"""The reconcile machinery: store, queue, workers, commit, election; knows no Heroku word."""
