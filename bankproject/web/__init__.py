"""How web workers answer requests: gunicorn runs the processes, this what each does."""
