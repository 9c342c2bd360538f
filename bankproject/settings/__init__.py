"""Settings, one module for each way of running the bank."""

import gc

# Starting makes much and throws little away; `bankproject.apps` lets the collector work again.
gc.disable()
