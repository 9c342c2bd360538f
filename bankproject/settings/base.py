"""Settings that every way of running the bank shares."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from csp.constants import NONE, SELF
from django.templatetags.static import static
from django.utils.translation import gettext_lazy as _
from kombu import Queue

from bankproject import env
from bankproject.queues import NORMAL, QUEUES
from bankproject.schedule import SCHEDULE
from core import logs

BASE_DIR = env.PROJECT

# Signs sessions and tokens, and seals what the bank must read again; `make run` makes one.
SECRET_KEY = env.text("SECRET_KEY")
# Keys from before, which still open what they sealed.
SECRET_KEY_FALLBACKS = env.names("SECRET_KEY_FALLBACKS", "")
DEBUG = False
# Where people reach the bank; mails and passkeys name it.
PUBLIC_URL = env.public_address("PUBLIC_URL", "http://localhost:8000")
# The host names that pages and API answer to.
ALLOWED_HOSTS = env.names("ALLOWED_HOSTS", "localhost,127.0.0.1")
# From where forms are taken.
CSRF_TRUSTED_ORIGINS = env.names("CSRF_TRUSTED_ORIGINS", PUBLIC_URL)
# How many proxies of ours stand between people and the web server: each adds an address to
# X-Forwarded-For, and only the ones that they added are believed.
TRUSTED_PROXY_COUNT = env.number("TRUSTED_PROXY_COUNT", 0)
ROOT_URLCONF = "bankproject.urls"
WSGI_APPLICATION = "bankproject.wsgi.application"

INSTALLED_APPS = [
    # Before the admin: its templates and its site take the place of Django's own.
    "unfold",
    # Its pages are found by bankproject.urls: other processes need none.
    "django.contrib.admin.apps.SimpleAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.headless",
    "allauth.mfa",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_cotton",
    "django_htmx",
    "pgtrigger",
    "pghistory",
    "django_celery_beat",
    "django_celery_results",
    "core",
    "notifications",
    "lb.control",
    "accounts",
    "transactions",
    "loans",
    "portals",
    "bankproject",
]

MIDDLEWARE = [
    # First, so that every answer and every log line has the request's id.
    "core.middleware.RequestLogMiddleware",
    "lb.control.front.BalancerAloneMiddleware",
    "core.middleware.PatienceMiddleware",
    # Around what saves the session: its write counts, too.
    "core.read_routing.ReadRoutingMiddleware",
    "portals.amounts.HideAmountsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "core.api.programs.ProgramMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "portals.languages.LanguageMiddleware",
    "accounts.middleware.IdleMiddleware",
    "accounts.middleware.AuditMiddleware",
    "accounts.middleware.SecondFactorMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "core.read_routing.reading_context",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# The application's role may read the ledger and call its functions, nothing else of it.
# `manage.py migrate` alone connects as the owner, by OWNER_DATABASE_URL; on the other nodes its
# user and password hold, too.
DATABASES = {
    # The head office's database, on PostgreSQL 15 to 18, as the role `bank_app`.
    "default": env.database("DATABASE_URL"),
    # Branches with a database of their own, as the role `bank_app`.
    **env.branch_databases("BRANCH_DATABASE_URLS"),
}
# The copy of all nodes that staff and reports read, as the role `bank_readonly`.
if env.optional("REPLICA_DATABASE_URL"):
    DATABASES["replica"] = env.database("REPLICA_DATABASE_URL")
DATABASE_ROUTERS = ["core.db.router.NodeRouter"]
# The head office's database as `bank_owner`, for migrations; user and password hold on every node.
OWNER_DATABASE = env.database("OWNER_DATABASE_URL") if env.optional("OWNER_DATABASE_URL") else None
# The head office's database as `bank_replica`, who copies; user and password hold on every node.
REPLICATION_DATABASE = (
    env.database("REPLICATION_DATABASE_URL") if env.optional("REPLICATION_DATABASE_URL") else None
)
# The head office's database as `bank_backup`, who backs up; user and password hold on every node.
BACKUP_DATABASE = (
    env.database("BACKUP_DATABASE_URL") if env.optional("BACKUP_DATABASE_URL") else None
)
# The folder that all nodes are backed up into, sealed.
BACKUP_FOLDER = env.file("BACKUP_FOLDER")
# For how many days back the bank can be restored to any point.
BACKUP_KEEP_DAYS = env.number("BACKUP_KEEP_DAYS", 30)
# Whether a database, broker or address beyond this machine may be without TLS.
ALLOW_PLAINTEXT = env.flag("ALLOW_PLAINTEXT", default=False)
# Whether the bank calls addresses of private networks and of this machine that people give it.
ALLOW_PRIVATE_ADDRESSES = env.flag("ALLOW_PRIVATE_ADDRESSES", default=False)
# Where backends of the load balancer may be, such as 10.0.0.0/8:8000-8999: none without it.
BACKEND_NETWORKS = env.networks("BACKEND_NETWORKS")
# What worker, beat, watch and backup touch as long as they go on: health checks of containers look.
ALIVE_FILE = env.file("ALIVE_FILE")
# By which data planes elsewhere ask for what they shall do; nobody is told without one.
BALANCER_TOKEN = env.optional("BALANCER_TOKEN")
# By which Prometheus asks how the bank is, at /internal/metrics; nobody is told without one.
METRICS_TOKEN = env.optional("METRICS_TOKEN")
# Where each process of a data plane tells what it measures, such as http://127.0.0.1:9090/metrics.
BALANCER_METRICS = env.names("BALANCER_METRICS", "")
# What the balancer shows a web worker with each request; one that was given it serves nobody else.
BACKEND_SECRET = env.optional("BACKEND_SECRET")
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
ATOMIC_REQUESTS = False

# Redis or Valkey: cache and broker.
REDIS_URL = env.broker("REDIS_URL")
CACHES = {
    "default": {
        "BACKEND": "core.cache.BankCache",
        "LOCATION": REDIS_URL,
        # Banks that share a server do not share what they know of their people.
        "KEY_PREFIX": env.digest_of("DATABASE_URL"),
        "OPTIONS": {
            # No page waits for a cache that hangs.
            "socket_connect_timeout": 0.5,
            "socket_timeout": 0.5,
            "FALLBACK_TABLE": "accounts_doorfallback",
        },
    }
}

# Money never waits for Celery: `manage.py watch` does what its safety needs.
CELERY_BROKER_URL = REDIS_URL
CELERY_RESULT_BACKEND = "django-db"
CELERY_RESULT_EXPIRES = timedelta(days=30)
# What runs every second or two is kept when it fails; tasks of a day keep how they ended.
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_STORE_ERRORS_EVEN_IF_IGNORED = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_QUEUES = [Queue(name) for name in QUEUES]
CELERY_TASK_DEFAULT_QUEUE = NORMAL
# A worker of several queues takes from the first that has something.
CELERY_BROKER_TRANSPORT_OPTIONS = {"queue_order_strategy": "priority"}
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULER = "bankproject.scheduler:BankScheduler"
CELERY_BEAT_SCHEDULE = SCHEDULE

# `manage.py train_risk` puts its models here; until one is there, people look at each application.
RISK_MODELS = env.VAR / "risk"

# Without these URLs, mails and messages land as files in the outbox of the demo.
OUTBOX = env.VAR / "outbox"
# `console://`, `file:///path` or `twilio://SID:TOKEN@/+NUMBER`.
SMS_URL = env.optional("SMS_URL")
# The mail server, such as `smtp+tls://user:password@host:587`.
MAIL = env.mail("EMAIL_URL")
EMAIL_BACKEND = MAIL.get("EMAIL_BACKEND", "notifications.channels.files.EmailBackend")
EMAIL_HOST = MAIL.get("EMAIL_HOST", "")
EMAIL_PORT = MAIL.get("EMAIL_PORT") or 25
EMAIL_HOST_USER = MAIL.get("EMAIL_HOST_USER") or ""
EMAIL_HOST_PASSWORD = MAIL.get("EMAIL_HOST_PASSWORD") or ""
EMAIL_USE_TLS = MAIL.get("EMAIL_USE_TLS", False)
EMAIL_USE_SSL = MAIL.get("EMAIL_USE_SSL", False)
EMAIL_TIMEOUT = 10
# Who mails are from.
DEFAULT_FROM_EMAIL = env.text("DEFAULT_FROM_EMAIL", "Bankproject <bank@localhost>")

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["accounts.last_seen.PeopleBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
# NIST SP 800-63B-4: long and not a common one, rather than of many kinds of characters.
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 15},
    },
    {"NAME": "accounts.passwords.GuessableValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ["email", "full_name"]},
    },
]

# One door for pages, admin and API: who signs up is let in once the e-mail address is theirs.
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "dashboard"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_SIGNUP_FORM_CLASS = "accounts.forms.SignupForm"
ACCOUNT_ADAPTER = "accounts.adapters.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_LOGOUT_REDIRECT_URL = LOGIN_URL
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_EMAIL_NOTIFICATIONS = True
# A session that was taken over must not move the mails with one-time codes to somebody else.
ACCOUNT_REAUTHENTICATION_REQUIRED = True
# Wrong passwords and codes: for whom they are tried on, and for an address. What the first refuse
# the second do not count: an address may be an office's, which trying one person must not close.
ACCOUNT_RATE_LIMITS = {"login_failed": "5/5m/key,10/30m/key,10/m/ip,100/h/ip,500/d/ip"}

# Second factors: apps, passkeys, and recovery codes for who loses them.
MFA_ADAPTER = "accounts.second_factor.SecondFactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = "Bankproject"
# Whether those who work for the bank do nothing before they have one.
STAFF_NEED_SECOND_FACTOR = False

# The audit's list is long: it is shown of one person, or of one kind of thing.
PGHISTORY_ADMIN_ALL_EVENTS = False

SESSION_ENGINE = "accounts.sessions"
# A session ends with the browser, and after a working day at the latest.
SESSION_COOKIE_AGE = 8 * 60 * 60
SESSION_EXPIRE_AT_BROWSER_CLOSE = True

# Programs log in at /api/v1/auth/login; with passkeys at allauth's own /auth/app/v1/….
HEADLESS_CLIENTS = ("app",)
HEADLESS_TOKEN_STRATEGY = "accounts.strategy.TokenStrategy"  # noqa: S105

# No file that people send is kept on a disk; what is longer than 2.5 MiB is not kept at all.
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.MemoryFileUploadHandler"]

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.authentication.TokenAuthentication",
        "accounts.authentication.BrowserAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["core.api.representation.JsonRenderer"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "core.api.representation.JsonOnly",
    "DEFAULT_PARSER_CLASSES": ["core.api.parsers.StrictJSONParser"],
    "EXCEPTION_HANDLER": "core.api.problems.handle",
    "DEFAULT_SCHEMA_CLASS": "core.api.schema.BankSchema",
}
# How many requests of the API a caller may send in ten seconds; an unknown address, a tenth of it.
API_RATE_LIMIT = env.number("API_RATE_LIMIT", 1_000)
SPECTACULAR_SETTINGS = {
    "TITLE": "Bankproject",
    "VERSION": "1",
    "DESCRIPTION": (BASE_DIR / "docs" / "reference" / "api-introduction.md").read_text("utf-8"),
    "OAS_VERSION": "3.1.1",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SERVE_INCLUDE_SCHEMA": False,
    "COMPONENT_SPLIT_PATCH": False,
    "PREPROCESSING_HOOKS": ["core.api.openapi.promised"],
    "POSTPROCESSING_HOOKS": ["core.api.openapi.with_components"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
}

# The bank's own files, and nothing from anywhere else.
CONTENT_SECURITY_POLICY: dict[str, Any] = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    },
}
X_FRAME_OPTIONS = "DENY"

# Colours are in static/admin.css: as Unfold writes them, they are an inline style.
UNFOLD = {
    "SITE_TITLE": "Bankproject",
    "SITE_HEADER": "Bankproject",
    "SITE_SUBHEADER": _("administration"),
    "SITE_ICON": lambda _request: static("mark.svg"),
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda _request: static("mark.svg")}
    ],
    "SIDEBAR": {"navigation": "bankproject.admin_menu.menu"},
    "DASHBOARD_CALLBACK": "portals.administration.overview.overview",
}
CSRF_FAILURE_VIEW = "core.failures.csrf_failure"

LOGGING = logs.LOGGING

# Days and months of the bank; instants are stored in UTC.
BANK_TIME_ZONE = env.text("BANK_TIME_ZONE", "Asia/Kolkata")
# People and histories that nobody lives, with a password that everybody knows.
BANK_DEMO = env.flag("BANK_DEMO", default=False)
# Whether customers pay cash in and take it out by themselves, where a machine would count it.
BANK_SELF_SERVICE_CASH = env.flag("BANK_SELF_SERVICE_CASH", default=BANK_DEMO)
# Where addresses are, for log-ins from two places; see transactions/fraud/locations.py.
BANK_LOCATIONS = env.optional("BANK_LOCATIONS")
TIME_ZONE = BANK_TIME_ZONE
USE_TZ = True
LANGUAGE_CODE = "en-in"
# Each by its own name: who looks for theirs may read no other.
LANGUAGES = [("en-in", "English"), ("hi", "हिन्दी")]
LANGUAGE_COOKIE_NAME = "language"
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True

# <c-money> is templates/components/money.html.
COTTON_DIR = "components"

STATIC_URL = "static/"
STATIC_ROOT: Path | None = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
