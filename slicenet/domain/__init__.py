"""Whether an input is of the kind that a model has learnt: never a refusal, always said."""

from slicenet.domain.domain import Domain, Reading, Usual
from slicenet.domain.portrait import Portrait, portray
from slicenet.domain.wording import strange_themes, unlike

__all__ = ["Domain", "Portrait", "Reading", "Usual", "portray", "strange_themes", "unlike"]
