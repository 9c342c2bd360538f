"""What Django is to find of this app's models."""

from core.jobs.models import Job

__all__ = ["Job"]
