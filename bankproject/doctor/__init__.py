"""What an operator should know of a deployment, each in a sentence: `manage.py doctor`."""
