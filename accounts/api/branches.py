"""The bank's branches."""

from typing import Any, ClassVar, Final

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from accounts.api.views import HeadOfficeView
from accounts.models import Branch
from accounts.selectors import branches
from core.api.access import ANYONE, Access
from core.api.schema import operation
from core.api.serializers import TextField

BRANCH: Final = {"code": "MUM", "number": "201", "name": "Mumbai"}


class BranchAnswer(Serializer[Any]):
    """A branch. Numbers of accounts and people begin with its number."""

    code = TextField()
    number = TextField(pattern="^[0-9]{3}$")
    name = TextField()


class BranchesAnswer(Serializer[Any]):
    """All branches."""

    branches = BranchAnswer(many=True)


class BranchList(HeadOfficeView):
    """The branches."""

    access: ClassVar = {"GET": Access(ANYONE)}

    @operation(answer=BranchesAnswer, example={"branches": [BRANCH]})
    def get(self, request: Request) -> Response:  # noqa: ARG002  # DRF passes it
        """List all branches, by number."""
        return Response({"branches": [branch_shown(one) for one in branches()]})


def branch_shown(branch: Branch) -> dict[str, Any]:
    """Return a branch as the API shows it."""
    return {"code": branch.code, "number": str(branch.number), "name": branch.name}
