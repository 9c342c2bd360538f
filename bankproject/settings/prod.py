"""The bank behind TLS."""

from bankproject import env
from bankproject.settings.base import *

# Too few, and all people have one address; too many, and they choose theirs. Nobody can guess it.
TRUSTED_PROXY_COUNT = env.needed_number(
    "TRUSTED_PROXY_COUNT", "how many proxies of yours stand before the web server, 0 for none"
)

# Files are named for what is in them, and browsers keep them for good; see `collectstatic`.
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True
SESSION_COOKIE_NAME = "__Host-sessionid"
CSRF_COOKIE_NAME = "__Host-csrftoken"
SECURE_SSL_REDIRECT = True
SECURE_REDIRECT_EXEMPT = [r"^health$"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_HSTS_SECONDS = 31_536_000
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True

# In a demo everybody knows the staff's password, and the first would take it from the others.
STAFF_NEED_SECOND_FACTOR = not BANK_DEMO
