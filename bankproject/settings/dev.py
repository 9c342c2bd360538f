"""The bank as `make run` serves it: on this machine, over plain HTTP to localhost."""

from bankproject.settings.base import *

# Static files are served from where they lie, without a `collectstatic` at every change.
STATIC_ROOT = None
WHITENOISE_USE_FINDERS = True
# Browsers take localhost for safe without TLS, and so do passkeys here.
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = True
