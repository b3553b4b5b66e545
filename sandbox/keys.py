"""Secrets that others name: looked up, and refused where they are of another vendor."""

from sandbox.errors import BadRequest, NotFound
from sandbox.shelves import Record, Shelves


def secret_of(shelves: Shelves, id_: str, *types: str) -> Record:
    """A secret by its id, of one of some types.

    Raises:
        BadRequest: there is none, or it is of another type.
    """
    try:
        secret = shelves.secrets.get(id_)
    except NotFound as error:
        raise BadRequest(error.message) from None
    if secret["secret_type"] not in types:
        wanted = " or ".join(types)
        raise BadRequest(f"secret_id: a secret of type {wanted} is needed, and this is another's")
    return secret
