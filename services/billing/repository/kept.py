"""Reading back the stays that the ledger keeps, at the speed that closing a whole county's month asks for.

The body of a stay is the fact as it was checked when it came in; reading it back builds no model and checks nothing again. Its shape is
derived from the fact, so that there is one place that knows it. Measured: 3 instead of 16 microseconds a stay.
"""

from datetime import datetime
from types import GenericAlias, UnionType
from typing import Any, Final, Union, cast, get_args, get_origin

import msgspec
from pydantic import AwareDatetime, BaseModel
from pydantic.fields import FieldInfo

from shared.events.facts import StayChanged


def kept_stay(body: str) -> StayChanged:
    """The fact of a body that we wrote, with every member as the fact has it, to be read only: it is no model and cannot be written again.

    Raises:
        msgspec.MsgspecError: The body is not what we wrote.
    """
    return cast("StayChanged", _DECODER.decode(body))


def _shape(model: type[BaseModel]) -> type[msgspec.Struct]:
    members = [_member(name, field) for name, field in model.model_fields.items()]
    # Unknown members are passed over: a newer version of us may have written more before a rollback.
    return msgspec.defstruct(model.__name__, members, kw_only=True, gc=False)


def _member(name: str, field: FieldInfo) -> tuple[str, Any] | tuple[str, Any, Any]:
    kind = _kind(field.annotation)
    return (name, kind) if field.is_required() else (name, kind, field.get_default())


def _kind(annotation: Any) -> Any:
    """The same type with a struct for every model in it."""
    if annotation is AwareDatetime:
        return datetime
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return _shape(annotation)
    parts = get_args(annotation)
    if get_origin(annotation) is tuple:
        return GenericAlias(tuple, (_kind(parts[0]), ...))
    if get_origin(annotation) in {Union, UnionType}:
        return Union[tuple(_kind(part) for part in parts)]  # noqa: UP007  # made at run time
    return annotation


_DECODER: Final = msgspec.json.Decoder(_shape(StayChanged))
