"""Training of risk models: offline, by `manage.py train_risk`, never loaded by a web server."""
