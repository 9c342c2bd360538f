"""Whether the bank could be brought back if its servers burned."""

from django.conf import settings

from bankproject.backup.failures import BackupFailed
from bankproject.backup.looking import look
from bankproject.backup.servers import configured
from bankproject.doctor.configuration import is_public
from bankproject.doctor.findings import Findings, danger, warning
from core.clock import now
from core.db.aliases import REPLICA
from transactions.branches.health import Health, look_at_nodes


def backups() -> Findings:
    """Tell of nodes that nobody backs up, and where the backups lie, of what is wrong with them."""
    for node in look_at_nodes():
        if node.is_up and node.node != REPLICA:
            yield from unreceived(node)
    if settings.BACKUP_FOLDER is None or settings.BACKUP_DATABASE is None:
        return
    try:
        found = look(configured(), at=now())
    except BackupFailed as error:
        yield danger("BACKUP_FOLDER", f"is of no use: {error}")
        return
    for sentence in found.wrong:
        yield danger("BACKUP_FOLDER", f"shows that {sentence}")


def unreceived(node: Health) -> Findings:
    """Tell of a node whose log nobody receives, whether anybody ever did or is still to begin."""
    if node.is_received is None and is_public():
        sentence = "is not backed up: its money is on one disk only (docs/howto/backup.md)"
        yield warning(node.node, sentence)
    elif node.is_received is False:
        yield danger(node.node, "keeps its log for a backup: manage.py backup keep is away")
